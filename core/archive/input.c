/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/archive/partial.h"
#include "core/base/cancel.h"
#include "core/base/io.h"

/* Headers are read, data is skipped: more would be read in vain. */
#define HEADER_BUFFER_BYTES ((size_t)32 << 10)
/* And what is read of an archive that is not there yet has to be kept. */
#define KEPT_BUFFER_BYTES ((size_t)1 << 10)
/* Of what is decompressed all is read. */
#define STREAM_BUFFER_BYTES ((size_t)1 << 20)

int archive_input_read(const struct archive_input *input, uint64_t at, void *buf, size_t len)
{
	return input->partial ? archive_partial_read(input->partial, at, buf, len)
			      : io_pread(input->fd, buf, len, input->off + at);
}

int archive_input_fail(const struct archive_input *input, struct archive *archive,
		       struct error *error)
{
	const char *reason = archive_error_string(archive);
	int code = archive_errno(archive);

	if (cancel_requested())
		return error_set(error, ECANCELED, "interrupted");
	if (code == ENOMEM)
		return error_nomem(error);
	return error_set(error, code > 0 ? code : EBADMSG, "%s: %s", input->label,
			 reason ? reason : "the archive is damaged or cut off");
}

static ssize_t read_stream(const struct archive_input *input)
{
	ssize_t got;

	do
		got = read(input->fd, input->buffer, STREAM_BUFFER_BYTES);
	while (got < 0 && errno == EINTR && !cancel_requested());
	return got;
}

static ssize_t read_file(const struct archive_input *input)
{
	uint64_t left = input->bytes - input->at;
	size_t room = input->partial ? KEPT_BUFFER_BYTES : HEADER_BUFFER_BYTES;
	size_t want = left < room ? (size_t)left : room;
	int ret = archive_input_read(input, input->at, input->buffer, want);

	errno = ret == -ENODATA ? ESTALE : -ret;
	if (ret == 0 && input->partial)
		want = archive_partial_within(input->partial, input->at, want);
	return ret < 0 ? -1 : (ssize_t)want;
}

bool archive_input_is_stream(const struct archive_input *input)
{
	return input->bytes == UINT64_MAX;
}

static la_ssize_t read_block(struct archive *archive, void *arg, const void **block)
{
	struct archive_input *input = arg;
	ssize_t got = archive_input_is_stream(input) ? read_stream(input) : read_file(input);

	if (got < 0) {
		archive_set_error(archive, errno, "cannot read: %s", strerror(errno));
		return ARCHIVE_FATAL;
	}
	*block = input->buffer;
	input->at += (uint64_t)got;
	return got;
}

static la_int64_t skip(struct archive *archive, void *arg, la_int64_t request)
{
	struct archive_input *input = arg;
	uint64_t left = input->bytes - input->at;

	(void)archive;
	if (archive_input_is_stream(input) || request <= 0)
		return 0;
	if ((uint64_t)request < left)
		left = (uint64_t)request;
	input->at += left;
	return (la_int64_t)left;
}

int archive_input_begin(struct archive_input *input, struct archive **archive, struct error *error)
{
	input->at = 0;
	if (!input->buffer)
		input->buffer = malloc(STREAM_BUFFER_BYTES);
	*archive = archive_read_new();
	return input->buffer && *archive ? 0 : error_nomem(error);
}

/* What is handed in now and then, known by its first bytes. */
static const struct {
	const char *bytes;
	size_t len;
	const char *name;
} foreign[] = {
	{ "PK\003\004", 4, "a zip archive" },
	{ "7z\274\257\047\034", 6, "a 7z archive" },
	{ "Rar!\032\007", 6, "a rar archive" },
	{ "!<arch>\n", 8, "an ar archive, perhaps a Debian package" },
	{ "\355\253\356\333", 4, "an RPM package" },
	{ "xar!", 4, "a xar archive" },
	{ "MSCF", 4, "a cabinet archive" },
	{ "#mtree", 6, "an mtree file, which is read by its name only" },
	{ "hsqs", 4, "a squashfs image" },
	{ "QFI\373", 4, "a qcow2 image" },
	{ "\004\042\115\030", 4, "compressed by lz4" },
	{ "\037\235", 2, "compressed by compress" },
	{ "LZIP", 4, "compressed by lzip" },
	{ "\211LZO", 4, "compressed by lzop" },
	{ "]\0\0", 3, "compressed by lzma" },
};

static const char *name_foreign(const struct archive_input *input)
{
	char start[16] = "";
	size_t len = input->bytes < sizeof(start) ? (size_t)input->bytes : sizeof(start);

	if (archive_input_read(input, 0, start, len) < 0)
		return NULL;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (len >= foreign[i].len && memcmp(start, foreign[i].bytes, foreign[i].len) == 0)
			return foreign[i].name;
	return NULL;
}

static int fail_foreign(const struct archive_input *input, struct error *error)
{
	const char *name = name_foreign(input);

	return error_set(error, EBADMSG,
			 "%s: %s%sneither tar nor cpio, plain or compressed by gzip, bzip2, xz or "
			 "zstd",
			 input->label, name ? name : "", name ? ": " : "");
}

int archive_input_attach(struct archive_input *input, struct archive *archive, struct error *error)
{
	if (archive_read_open2(archive, input, NULL, read_block, skip, NULL) == ARCHIVE_OK)
		return 0;
	/* As libarchive has it when none of its formats is this one. */
	if (archive_errno(archive) == EILSEQ)
		return fail_foreign(input, error);
	return archive_input_fail(input, archive, error);
}

void archive_input_release(struct archive_input *input)
{
	free(steal_ptr(&input->buffer));
}

int archive_input_open(struct archive_input *input, struct archive **result, struct error *error)
{
	struct archive *archive autocall(cleanup_archive) = NULL;
	int ret = archive_input_begin(input, &archive, error);

	if (ret < 0)
		return ret;
	archive_read_support_format_cpio(archive);
	ret = archive_input_attach(input, archive, error);
	if (ret == 0)
		*result = steal_ptr(&archive);
	return ret;
}
