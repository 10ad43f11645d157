/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/input.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/partial.h"
#include "core/base/cancel.h"
#include "core/base/io.h"

/* Headers are read, data is skipped: more would be read in vain. */
#define HEADER_BUFFER_BYTES ((size_t)32 << 10)
/* What is read of an archive that is not unpacked yet has to be kept as well, so the pieces are
 * smaller still. */
#define KEPT_BUFFER_BYTES ((size_t)1 << 10)

int archive_input_read(const struct archive_input *input, uint64_t at, void *buf, size_t len)
{
	return input->partial ? archive_partial_read(input->partial, at, buf, len)
			      : io_pread(input->fd, buf, len, input->off + at);
}

static int fail(const struct archive_input *input, struct archive *archive, struct error *error)
{
	const char *reason = archive_error_string(archive);
	int code = archive_errno(archive);

	if (cancel_requested())
		return error_set(error, ECANCELED, "interrupted");
	if (code == ENOMEM)
		return error_nomem(error);
	error_set(error, code > 0 ? code : EBADMSG, "%s",
		  reason ? reason : "the archive is damaged or cut off");
	return error_prefix(error, "%s", input->label);
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
	ssize_t got = read_file(input);

	*block = input->buffer;
	if (got < 0) {
		archive_set_error(archive, errno, "cannot read: %s", strerror(errno));
		return ARCHIVE_FATAL;
	}
	input->at += (uint64_t)got;
	return got;
}

static la_int64_t skip(struct archive *archive, void *arg, la_int64_t request)
{
	struct archive_input *input = arg;
	uint64_t left = input->bytes - input->at;

	(void)archive;
	if (request <= 0)
		return 0;
	if ((uint64_t)request < left)
		left = (uint64_t)request;
	input->at += left;
	return (la_int64_t)left;
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

/* What an MBR ends with. */
#define MBR_MARK_AT 510
#define MBR_MARK "\125\252"

static const char *name_foreign(const struct archive_input *input)
{
	char start[MBR_MARK_AT + 2] = "";
	size_t len = input->bytes < sizeof(start) ? (size_t)input->bytes : sizeof(start);

	if (archive_input_read(input, 0, start, len) < 0)
		return NULL;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (len >= foreign[i].len && memcmp(start, foreign[i].bytes, foreign[i].len) == 0)
			return foreign[i].name;
	if (len < sizeof(start) || memcmp(start + MBR_MARK_AT, MBR_MARK, 2) != 0)
		return NULL;
	return input->unpacked ? "a disk image: unpack it into a file, of which image:FILE reads "
				 "the filesystem"
			       : "a disk image, of which image:FILE reads the filesystem";
}

int archive_input_fail_foreign(const struct archive_input *input, struct error *error)
{
	const char *name = name_foreign(input);

	return error_set(error, EBADMSG,
			 "%s: %s%sneither tar nor cpio, plain or compressed by gzip, bzip2, xz or "
			 "zstd",
			 input->label, name ? name : "", name ? ": " : "");
}

void archive_input_release(struct archive_input *input)
{
	free(steal_ptr(&input->buffer));
}

int archive_input_open(struct archive_input *input, struct archive **result, struct error *error)
{
	struct archive *archive autocall(cleanup_archive) = archive_read_new();

	input->at = 0;
	if (!input->buffer)
		input->buffer = malloc(HEADER_BUFFER_BYTES);
	if (!archive || !input->buffer)
		return error_nomem(error);
	archive_read_support_format_cpio(archive);
	if (archive_read_open2(archive, input, NULL, read_block, skip, NULL) != ARCHIVE_OK)
		/* The error that libarchive gives when the input is of no format that it knows. */
		return archive_errno(archive) == EILSEQ ? archive_input_fail_foreign(input, error)
							: fail(input, archive, error);
	*result = steal_ptr(&archive);
	return 0;
}
