/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/input.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/archive/archive.h"
#include "core/base/cancel.h"
#include "core/base/io.h"
#include "core/base/meter.h"
#include "lib/bytes.h"
#include "lib/checked.h"

/* Headers are read, data is skipped: more would be read in vain. */
#define HEADER_BUFFER_BYTES ((size_t)32 << 10)
/* Of what is decompressed all is read. */
#define STREAM_BUFFER_BYTES ((size_t)1 << 20)

/* "LABEL: what libarchive says". */
static int fail(const struct archive_input *input, struct archive *archive, struct error *error)
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
	size_t want = left < HEADER_BUFFER_BYTES ? (size_t)left : HEADER_BUFFER_BYTES;
	int ret = io_pread(input->fd, input->buffer, want, input->off + input->at);

	errno = ret == -ENODATA ? ESTALE : -ret;
	return ret < 0 ? -1 : (ssize_t)want;
}

static bool is_stream(const struct archive_input *input)
{
	return input->bytes == UINT64_MAX;
}

static la_ssize_t read_block(struct archive *archive, void *arg, const void **block)
{
	struct archive_input *input = arg;
	ssize_t got = is_stream(input) ? read_stream(input) : read_file(input);

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
	if (is_stream(input) || request <= 0)
		return 0;
	if ((uint64_t)request < left)
		left = (uint64_t)request;
	input->at += left;
	return (la_int64_t)left;
}

static int begin(struct archive_input *input, struct archive **archive, struct error *error)
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

	if (io_pread(input->fd, start, len, input->off) < 0)
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

static int open_input(struct archive_input *input, struct archive *archive, struct error *error)
{
	if (archive_read_open2(archive, input, NULL, read_block, skip, NULL) == ARCHIVE_OK)
		return 0;
	/* As libarchive has it when none of its formats is this one. */
	if (archive_errno(archive) == EILSEQ)
		return fail_foreign(input, error);
	return fail(input, archive, error);
}

void archive_input_release(struct archive_input *input)
{
	free(steal_ptr(&input->buffer));
}

int archive_input_open(struct archive_input *input, struct archive **result, struct error *error)
{
	struct archive *archive autocall(cleanup_archive) = NULL;
	int ret = begin(input, &archive, error);

	if (ret < 0)
		return ret;
	archive_read_support_format_cpio(archive);
	ret = open_input(input, archive, error);
	if (ret == 0)
		*result = steal_ptr(&archive);
	return ret;
}

/* One file without a name, behind whatever compression there is; *empty: it has no byte. */
static int open_raw(struct archive_input *input, struct archive **result, bool *empty,
		    struct error *error)
{
	struct archive *archive autocall(cleanup_archive) = NULL;
	struct archive_entry *entry;
	int ret = begin(input, &archive, error);

	if (ret < 0)
		return ret;
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_bzip2(archive);
	archive_read_support_filter_xz(archive);
	archive_read_support_filter_zstd(archive);
	archive_read_support_format_raw(archive);
	archive_read_support_format_empty(archive);
	ret = open_input(input, archive, error);
	if (ret < 0)
		return ret;
	ret = archive_read_next_header(archive, &entry);
	if (ret != ARCHIVE_OK && ret != ARCHIVE_EOF)
		return fail(input, archive, error);
	*empty = ret == ARCHIVE_EOF;
	*result = steal_ptr(&archive);
	return 0;
}

int archive_input_is_compressed(struct archive_input *input, bool *compressed, struct error *error)
{
	struct archive *archive autocall(cleanup_archive) = NULL;
	bool empty;
	int ret = open_raw(input, &archive, &empty, error);

	if (ret == 0)
		*compressed = archive_filter_code(archive, 0) != ARCHIVE_FILTER_NONE;
	return ret;
}

/* The scratch file that is being filled. */
struct sink {
	const struct archive_input *input;
	int fd;
	uint64_t stored; /* bytes that are not holes */
	uint64_t limit;
};

static int fail_limit(const struct sink *sink, struct error *error)
{
	return error_set(error, EFBIG,
			 "%s: it unpacks to more than %" PRIu64
			 " MiB, which no honest archive of its size does: [tree] unpack-limit "
			 "allows more",
			 sink->input->label, sink->limit >> 20);
}

static int write_data(struct sink *sink, const char *data, size_t len, uint64_t off,
		      struct error *error)
{
	int ret;

	sink->stored += len;
	if (sink->stored > sink->limit)
		return fail_limit(sink, error);
	ret = io_pwrite(sink->fd, data, len, off);
	if (ret < 0)
		return error_errno(error, -ret, "cannot unpack %s into the output's directory",
				   sink->input->label);
	return 0;
}

/* What is left of the block of a hole's size that off is in. */
static size_t run_of(uint64_t off, size_t len)
{
	size_t run = KATAIMG_HOLE_BYTES - (size_t)(off % KATAIMG_HOLE_BYTES);

	return run < len ? run : len;
}

/* Runs of data at once, and zeros not at all. */
static int write_block(struct sink *sink, const char *block, size_t len, uint64_t off,
		       struct error *error)
{
	size_t start = 0;
	int ret = cancel_requested() ? error_set(error, ECANCELED, "interrupted") : 0;

	for (size_t at = 0; ret == 0 && at < len;) {
		size_t run = run_of(off + at, len - at);

		if (bytes_are_zero(block + at, run)) {
			if (at > start)
				ret = write_data(sink, block + start, at - start, off + start,
						 error);
			start = at + run;
		}
		at += run;
	}
	if (ret == 0 && len > start)
		ret = write_data(sink, block + start, len - start, off + start, error);
	return ret;
}

/* Where the compressed bytes are not many, each may stand for many. */
static uint64_t limit_of(struct archive *archive, uint64_t limit)
{
	uint64_t from = (uint64_t)archive_filter_bytes(archive, -1), ratio;

	if (limit > 0)
		return limit;
	if (checked_mul(from, ARCHIVE_LIMIT_RATIO, &ratio) < 0 ||
	    checked_add(ratio, ARCHIVE_LIMIT_BYTES, &limit) < 0)
		return UINT64_MAX;
	return limit;
}

static int set_size(const struct sink *sink, uint64_t bytes, struct error *error)
{
	if (ftruncate(sink->fd, (off_t)bytes) == 0)
		return 0;
	return error_errno(error, errno, "cannot unpack %s into the output's directory",
			   sink->input->label);
}

int archive_input_unpack(struct archive_input *input, int to, uint64_t limit, uint64_t *bytes,
			 struct error *error)
{
	struct archive *archive autocall(cleanup_archive) = NULL;
	struct sink sink = { .input = input, .fd = to };
	bool empty = false;
	int ret = open_raw(input, &archive, &empty, error);
	const void *block;
	la_int64_t off;
	uint64_t reported = 0;
	size_t len;
	int status;

	*bytes = 0;
	if (ret < 0 || empty)
		return ret;
	meter_expect(is_stream(input) ? METER_UNKNOWN : input->bytes);
	while ((status = archive_read_data_block(archive, &block, &len, &off)) == ARCHIVE_OK) {
		sink.limit = limit_of(archive, limit);
		ret = write_block(&sink, block, len, (uint64_t)off, error);
		if (ret < 0)
			return ret;
		*bytes = (uint64_t)off + len;
		meter_advance(input->at - reported);
		reported = input->at;
	}
	return status == ARCHIVE_EOF ? set_size(&sink, *bytes, error) : fail(input, archive, error);
}
