/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/expanded.h"

#include <errno.h>
#include <unistd.h>

#include "core/base/io.h"
#include "core/base/log.h"
#include "core/compress/expand.h"
#include "core/image/unnamed.h"

/* So much and so many times the file is more than any initrd, as with compressed sources. */
#define UNPACKED_BYTES (UINT64_C(1) << 30)
#define UNPACKED_TIMES 256

static bool is_compressed(struct compress_request *request)
{
	uint8_t magic[COMPRESS_MAGIC_BYTES];
	off_t end = lseek(request->in_fd, 0, SEEK_END);

	if (end < 0 || io_pread(request->in_fd, magic, sizeof(magic), 0) < 0)
		return false;
	request->form = compress_recognise(magic, sizeof(magic));
	request->len = (uint64_t)end;
	return request->form != COMPRESS_NONE;
}

/* 1: not all of it unpacks, which was said. */
static int expand(const struct compress_request *request, struct error *error)
{
	autoerror struct error why = ERROR_INIT;
	int ret = compress_expand(request, UNPACKED_BYTES + UNPACKED_TIMES * request->len, NULL,
				  &why);

	if (ret == -EBADMSG || ret == -EFBIG)
		log_warning("%s", error_sentence(&why));
	if (ret == -EBADMSG || ret == -EFBIG || ret == -ENOTSUP)
		return 1;
	return ret < 0 ? error_take(error, &why) : 0;
}

int inspect_expanded(int fd, const char *name, const struct inspect_probe *probe,
		     struct inspection *inspection, struct error *error)
{
	struct compress_request request = { .in_fd = fd,
					    .in_name = name,
					    .out_name = "a file for what it unpacks to" };
	autoclose int unpacked = -1;
	int ret;

	*inspection = (struct inspection){ 0 };
	if (!is_compressed(&request))
		return inspect_fd(fd, probe, inspection, error);
	unpacked = request.out_fd = unnamed_open(NULL);
	if (unpacked < 0)
		return error_errno(error, -unpacked, "cannot make %s", request.out_name);
	ret = expand(&request, error);
	if (ret == 0)
		ret = inspect_fd(unpacked, probe, inspection, error);
	if (ret < 0)
		return ret;
	if (ret == 0 && inspection->filesystem.flags & KATAIMG_FS_NO_DISK) {
		inspection->compressed = request.form;
		inspection->compressed_bytes = request.len;
		return 0;
	}
	inspect_clear(inspection);
	return inspect_fd(fd, probe, inspection, error);
}
