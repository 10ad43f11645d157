/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/input.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/archive/partial.h"
#include "core/base/cancel.h"
#include "core/base/io.h"

/* Headers are read, data is skipped: more would be read in vain. */
#define HEADER_BUFFER_BYTES ((size_t)32 << 10)
/* What is read of an archive that is not unpacked yet has to be kept as well, so the pieces are
 * smaller still. */
#define KEPT_BUFFER_BYTES ((size_t)1 << 10)
/* A compressed archive is read as a whole, in larger pieces. */
#define STREAM_BUFFER_BYTES ((size_t)1 << 20)

int archive_input_read(const struct archive_input *input, uint64_t at, void *buf, size_t len)
{
	return input->partial ? archive_partial_read(input->partial, at, buf, len)
			      : io_pread(input->fd, buf, len, input->off + at);
}

/* The library's own words, which libarchive puts behind its name. */
static const char *find_reason(const struct archive_input *input, struct archive *archive)
{
	const char *text = archive_error_string(archive), *words = text ? strstr(text, ": ") : NULL;

	if (input->ended)
		return "it is cut off";
	return words ? words + 2 : "its bytes or their sum are wrong";
}

/* libarchive takes a filter's input by pieces, so that this is where one of them begins. A filter
 * that failed at once is gone. */
static int fail_filter(const struct archive_input *input, struct archive *archive,
		       struct error *error)
{
	int64_t taken = input->ended ? -1 : archive_filter_bytes(archive, -1);
	const char *name = archive_filter_name(archive, 0);

	return error_set(error, EBADMSG,
			 "what %s compressed cannot be unpacked, %s byte %" PRIu64 ": %s",
			 name ? name : "is", input->ended ? "at" : "near",
			 taken < 0 ? input->at : (uint64_t)taken, find_reason(input, archive));
}

int archive_input_fail(const struct archive_input *input, struct archive *archive,
		       const char *member, struct error *error)
{
	const char *reason = archive_error_string(archive);
	int code = archive_errno(archive);

	if (cancel_requested())
		return error_set(error, ECANCELED, "interrupted");
	if (code == ENOMEM)
		return error_nomem(error);
	if (input->decompress && !input->failed)
		fail_filter(input, archive, error);
	else
		error_set(error, code > 0 ? code : EBADMSG, "%s",
			  reason ? reason : "the archive is damaged or cut off");
	return error_prefix(error, "%s%s%s", input->label, member ? ": " : "",
			    member ? member : "");
}

/* Reads on until there is enough to tell what the input is: a pipe may give less at first. */
static ssize_t read_stream(const struct archive_input *input)
{
	size_t len = 0;
	ssize_t got;

	do {
		got = read(input->fd, (char *)input->buffer + len, STREAM_BUFFER_BYTES - len);
		if (got > 0)
			len += (size_t)got;
	} while ((got > 0 && len < ARCHIVE_INFLATE_MAGIC_BYTES) ||
		 (got < 0 && errno == EINTR && !cancel_requested()));
	return got < 0 ? got : (ssize_t)len;
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

uint64_t archive_input_taken(const struct archive_input *input)
{
	return input->at - (input->inflate ? archive_inflate_left(input->inflate) : 0);
}

bool archive_input_is_stream(const struct archive_input *input)
{
	return input->bytes == UINT64_MAX;
}

/* Into the buffer. */
static la_ssize_t fetch(struct archive *archive, struct archive_input *input)
{
	ssize_t got = archive_input_is_stream(input) ? read_stream(input) : read_file(input);

	input->ended = got == 0;
	input->failed = got < 0;
	if (got < 0) {
		archive_set_error(archive, errno, "cannot read: %s", strerror(errno));
		return ARCHIVE_FATAL;
	}
	input->at += (uint64_t)got;
	return got;
}

static la_ssize_t fail_inflate(struct archive *archive, struct archive_input *input, int code,
			       const char *reason)
{
	input->failed = true;
	if (code == ENOMEM)
		archive_set_error(archive, ENOMEM, "out of memory");
	else
		archive_set_error(archive, EBADMSG,
				  "what gzip compressed is damaged, at byte %" PRIu64 ": %s",
				  archive_input_taken(input), reason);
	return ARCHIVE_FATAL;
}

static la_ssize_t read_inflated(struct archive *archive, struct archive_input *input,
				const void **block)
{
	const char *reason = NULL;
	size_t len;
	int ret;

	while ((ret = archive_inflate_next(input->inflate, block, &len, &reason)) == -EAGAIN) {
		la_ssize_t got = fetch(archive, input);

		if (got < 0)
			return got;
		archive_inflate_feed(input->inflate, input->buffer, (size_t)got);
	}
	return ret < 0 ? fail_inflate(archive, input, -ret, reason) : (la_ssize_t)len;
}

static la_ssize_t read_block(struct archive *archive, void *arg, const void **block)
{
	struct archive_input *input = arg;
	bool first = input->at == 0;
	la_ssize_t got;

	if (input->inflate)
		return read_inflated(archive, input, block);
	got = fetch(archive, input);
	*block = input->buffer;
	if (got <= 0 || !first || !input->decompress ||
	    !archive_inflate_is(input->buffer, (size_t)got))
		return got;
	input->inflate = archive_inflate_new();
	if (!input->inflate)
		return fail_inflate(archive, input, ENOMEM, NULL);
	archive_inflate_feed(input->inflate, input->buffer, (size_t)got);
	return read_inflated(archive, input, block);
}

static la_int64_t skip(struct archive *archive, void *arg, la_int64_t request)
{
	struct archive_input *input = arg;
	uint64_t left = input->bytes - input->at;

	(void)archive;
	if (archive_input_is_stream(input) || input->inflate || request <= 0)
		return 0;
	if ((uint64_t)request < left)
		left = (uint64_t)request;
	input->at += left;
	return (la_int64_t)left;
}

int archive_input_begin(struct archive_input *input, struct archive **archive, struct error *error)
{
	input->at = 0;
	input->decompress = false;
	input->ended = false;
	input->failed = false;
	archive_inflate_free(steal_ptr(&input->inflate));
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
	return len == sizeof(start) && memcmp(start + MBR_MARK_AT, MBR_MARK, 2) == 0
		       ? "a disk image, of which image:FILE reads the filesystem"
		       : NULL;
}

int archive_input_fail_foreign(const struct archive_input *input, struct error *error)
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
	/* The error that libarchive gives when the input is of no format that it knows. */
	if (archive_errno(archive) == EILSEQ)
		return archive_input_fail_foreign(input, error);
	return archive_input_fail(input, archive, NULL, error);
}

void archive_input_release(struct archive_input *input)
{
	archive_inflate_free(steal_ptr(&input->inflate));
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
