/* SPDX-License-Identifier: Apache-2.0 */
/* cpio, as libarchive reads it: newc, its form with sums, odc, and binary of both byte orders. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/reader.h"
#include "core/archive/time.h"
#include "core/base/cancel.h"
#include "lib/checked.h"

/* The magic number of headers with sums: cpio(5), "New CRC Format". */
#define CRC_MAGIC "070702"
#define CRC_HEADER_BYTES 110
#define CRC_SUM_AT 102
#define CRC_SUM_DIGITS 8

int cpio_open(struct cpio *cpio, struct archive_input *input, struct error *error)
{
	cpio->input = input;
	return archive_input_open(input, &cpio->archive, error);
}

void cpio_release(struct cpio *cpio)
{
	archive_read_free(steal_ptr(&cpio->archive));
	free(steal_ptr(&cpio->previous));
}

/* Where the member began that was read last. libarchive has forgotten it when it gives an archive
 * up: then where its data ended. */
static uint64_t member_start(const struct cpio *cpio)
{
	int64_t at = archive_read_header_position(cpio->archive);

	return at >= 0 ? (uint64_t)at : cpio->previous_end;
}

/* "LABEL: behind PREVIOUS: at byte N: what". */
static int fail(const struct cpio *cpio, const char *what, struct error *error)
{
	uint64_t at = member_start(cpio);

	return error_set(error, EBADMSG, "%s: %s%s%sat byte %" PRIu64 ": %s", cpio->input->label,
			 cpio->previous ? "behind " : "", cpio->previous ? cpio->previous : "",
			 cpio->previous ? ": " : "", at, what);
}

/*
 * libarchive wants names in the locale's characters. It warns of those that are none, and gives
 * them as they are, which is what is wanted here; every other complaint means that something would
 * get lost.
 */
static bool is_harmless(struct archive *archive)
{
	const char *message = archive_error_string(archive);

	return !message || strstr(message, "can't be converted from");
}

static int check_status(const struct cpio *cpio, int status, struct error *error)
{
	const char *message = archive_error_string(cpio->archive);

	if (cancel_requested())
		return error_set(error, ECANCELED, "interrupted");
	if (status != ARCHIVE_OK && archive_errno(cpio->archive) == ENOMEM)
		return error_nomem(error);
	if (status == ARCHIVE_OK || (status == ARCHIVE_WARN && is_harmless(cpio->archive)))
		return 0;
	return fail(cpio, message ? message : "the archive is damaged or cut off", error);
}

static int sum_data(const struct cpio *cpio, const struct archive_member *member, uint32_t *sum,
		    struct error *error)
{
	unsigned char bytes[16384];

	*sum = 0;
	for (uint64_t at = 0; at < member->bytes;) {
		uint64_t left = member->bytes - at;
		size_t len = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);
		int ret = cancel_requested()
				  ? -ECANCELED
				  : archive_input_read(cpio->input, member->off + at, bytes, len);

		if (ret == -ECANCELED)
			return error_set(error, ECANCELED, "interrupted");
		if (ret < 0)
			return error_errno(error, -ret, "%s: %s", cpio->input->label, member->path);
		for (size_t i = 0; i < len; i++)
			*sum += bytes[i];
		at += len;
	}
	return 0;
}

static int check_sum(const struct cpio *cpio, const struct archive_member *member,
		     struct error *error)
{
	uint64_t at = member_start(cpio);
	char header[CRC_HEADER_BYTES + 1] = "";
	uint32_t sum, said;
	int ret;

	if (member->bytes == 0 || archive_entry_filetype(member->entry) != AE_IFREG ||
	    archive_input_read(cpio->input, at, header, CRC_HEADER_BYTES) < 0 ||
	    strncmp(header, CRC_MAGIC, strlen(CRC_MAGIC)) != 0)
		return 0;
	header[CRC_SUM_AT + CRC_SUM_DIGITS] = '\0';
	said = (uint32_t)strtoul(header + CRC_SUM_AT, NULL, 16);
	ret = sum_data(cpio, member, &sum, error);
	if (ret == 0 && sum != said)
		ret = error_set(error, EBADMSG,
				"%s: %s: at byte %" PRIu64 ": the sum of its data is %08" PRIx32
				", not %08" PRIx32 ": the archive is damaged",
				cpio->input->label, member->path, at, sum, said);
	return ret;
}

/* HP-UX' cpio writes the number of a device where others have the size of a file's data. */
static bool has_hpux_device(struct archive_entry *entry)
{
	mode_t type = archive_entry_filetype(entry);

	return (type == AE_IFCHR || type == AE_IFBLK) && archive_entry_size(entry) != 0;
}

static int fill(struct cpio *cpio, struct archive_member *member, struct error *error)
{
	int64_t size = archive_entry_size(member->entry);

	member->path = archive_entry_pathname(member->entry);
	if (!member->path)
		return fail(cpio, "a member without a name", error);
	if (has_hpux_device(member->entry))
		return fail(
			cpio,
			"a device in the form of HP-UX (hpodc, hpbin) is not read: the form newc "
			"has it for all",
			error);
	member->mtime_sec = archive_time_get_unsigned(member->entry);
	member->mtime_nsec = (uint32_t)archive_entry_mtime_nsec(member->entry);
	member->size = size > 0 ? (uint64_t)size : 0;
	member->bytes = member->size;
	member->off = (uint64_t)archive_filter_bytes(cpio->archive, 0);
	free(cpio->previous);
	cpio->previous = strdup(member->path);
	cpio->previous_end = member->off + member->bytes;
	if (!cpio->previous)
		return error_nomem(error);
	if (!range_within(member->off, member->bytes, cpio->input->bytes))
		return error_set(error, EBADMSG,
				 "%s: %s: at byte %" PRIu64
				 ": the archive ends before the file's data: it is cut off or "
				 "damaged",
				 cpio->input->label, member->path, member_start(cpio));
	return check_sum(cpio, member, error);
}

int cpio_next(struct cpio *cpio, struct archive_member *member, struct error *error)
{
	int status = archive_read_next_header(cpio->archive, &member->entry), ret;

	if (status == ARCHIVE_EOF && !cancel_requested())
		return 0;
	ret = check_status(cpio, status, error);
	if (ret == 0)
		ret = fill(cpio, member, error);
	return ret < 0 ? ret : 1;
}
