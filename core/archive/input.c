/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cancel.h"
#include "core/base/io.h"

/* Headers are read, data is skipped: more would be read in vain. */
#define HEADER_BUFFER_BYTES ((size_t)32 << 10)
/* Of what is decompressed all is read. */
#define STREAM_BUFFER_BYTES ((size_t)1 << 20)

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

static int open_input(struct archive_input *input, struct archive *archive, struct error *error)
{
	if (archive_read_open2(archive, input, NULL, read_block, skip, NULL) == ARCHIVE_OK)
		return 0;
	/* As libarchive has it when none of its formats is this one. */
	if (archive_errno(archive) == EILSEQ)
		return error_set(
			error, EBADMSG,
			"%s: neither tar nor cpio, plain or compressed by gzip, bzip2, xz or "
			"zstd",
			input->label);
	return archive_input_fail(input, archive, error);
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
		return archive_input_fail(input, archive, error);
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

static int write_block(const struct archive_input *input, int to, const void *block, size_t len,
		       uint64_t off, struct error *error)
{
	int ret = cancel_requested() ? -ECANCELED : io_pwrite(to, block, len, off);

	if (ret == -ECANCELED)
		return error_set(error, ECANCELED, "interrupted");
	if (ret < 0)
		return error_errno(error, -ret, "cannot unpack %s into the output's directory",
				   input->label);
	return 0;
}

int archive_input_unpack(struct archive_input *input, int to, uint64_t *bytes, struct error *error)
{
	struct archive *archive autocall(cleanup_archive) = NULL;
	bool empty = false;
	int ret = open_raw(input, &archive, &empty, error);
	const void *block;
	la_int64_t off;
	size_t len;
	int status;

	*bytes = 0;
	if (ret < 0 || empty)
		return ret;
	while ((status = archive_read_data_block(archive, &block, &len, &off)) == ARCHIVE_OK) {
		ret = write_block(input, to, block, len, (uint64_t)off, error);
		if (ret < 0)
			return ret;
		*bytes = (uint64_t)off + len;
	}
	return status == ARCHIVE_EOF ? 0 : archive_input_fail(input, archive, error);
}
