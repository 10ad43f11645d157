/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/tar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/tar_extra.h"
#include "core/base/cancel.h"
#include "lib/bytes.h"
#include "lib/checked.h"

/* Headers are read, data is passed over: more would be read in vain. */
#define WINDOW_BYTES ((size_t)32 << 10)

int tar_probe(const struct archive_input *input, bool *is, struct error *error)
{
	char block[TAR_BLOCK_BYTES];
	int ret;

	*is = false;
	if (input->bytes < sizeof(block))
		return 0;
	ret = archive_input_read(input, 0, block, sizeof(block));
	if (ret < 0)
		return error_errno(error, -ret, "%s: cannot read", input->label);
	*is = bytes_are_zero(block, sizeof(block)) || tar_is_header(block);
	return 0;
}

void tar_init(struct tar *tar, struct archive_input *input)
{
	*tar = (struct tar){ .input = input };
}

static void release_member(struct tar_member *member)
{
	free(member->ranges);
	free(member->path);
	free(member->target);
	*member = (struct tar_member){ 0 };
}

void tar_release(struct tar *tar)
{
	pax_clear(&tar->own);
	pax_clear(&tar->global);
	free(steal_ptr(&tar->long_path));
	free(steal_ptr(&tar->long_target));
	free(steal_ptr(&tar->previous));
	free(steal_ptr(&tar->window));
	release_member(&tar->member);
}

int tar_fail(const struct tar *tar, uint64_t at, struct error *error, const char *fmt, ...)
{
	const char *path = tar->member.path;
	va_list args;

	va_start(args, fmt);
	error_vset(error, EBADMSG, fmt, args);
	va_end(args);
	if (path)
		return error_prefix(error, "%s: %s: at byte %" PRIu64, tar->input->label, path, at);
	if (tar->previous)
		return error_prefix(error, "%s: behind %s: at byte %" PRIu64, tar->input->label,
				    tar->previous, at);
	return error_prefix(error, "%s: at byte %" PRIu64, tar->input->label, at);
}

static int read_input(const struct tar *tar, uint64_t at, void *buf, size_t len,
		      struct error *error)
{
	int ret = archive_input_read(tar->input, at, buf, len);

	if (cancel_requested())
		return error_set(error, ECANCELED, "interrupted");
	if (ret < 0)
		return error_errno(error, ret == -ENODATA ? ESTALE : -ret,
				   "%s: cannot read at byte %" PRIu64, tar->input->label, at);
	return 0;
}

/* What is read of an archive that is not there yet has to be kept. */
static size_t window_bytes(const struct tar *tar)
{
	return tar->input->partial ? TAR_BLOCK_BYTES : WINDOW_BYTES;
}

static int move_window(struct tar *tar, uint64_t at, struct error *error)
{
	uint64_t left = tar->input->bytes - at;
	size_t len = left < window_bytes(tar) ? (size_t)left : window_bytes(tar);
	int ret;

	if (!tar->window)
		tar->window = malloc(WINDOW_BYTES);
	if (!tar->window)
		return error_nomem(error);
	tar->window_len = 0;
	ret = read_input(tar, at, tar->window, len, error);
	if (ret < 0)
		return ret;
	tar->window_at = at;
	tar->window_len = len;
	return 0;
}

int tar_read(struct tar *tar, uint64_t at, void *buf, size_t len, struct error *error)
{
	int ret;

	if (!range_within(at, len, tar->input->bytes))
		return tar_fail(tar, at, error, "the archive ends here: it is cut off or damaged");
	if (len > window_bytes(tar))
		return read_input(tar, at, buf, len, error);
	if (at < tar->window_at || !range_within(at - tar->window_at, len, tar->window_len)) {
		ret = move_window(tar, at, error);
		if (ret < 0)
			return ret;
	}
	memcpy(buf, tar->window + (at - tar->window_at), len);
	return 0;
}

int tar_field_number(const struct tar *tar, const char *key, const char *field, size_t len,
		     int64_t *value, struct error *error)
{
	const struct pax_record *record = pax_find(&tar->own, &tar->global, key);
	int ret = record ? pax_number(record, value) : tar_number(field, len, value);

	if (ret == 0)
		return 0;
	return tar_fail(tar, tar->member.at, error, "its %s is %s: the archive is damaged", key,
			ret == -ERANGE ? "beyond 64 bits" : "no number");
}

/* ---- Where the next member is ---- */

/* The other readers of tar make an error of it as well: what lay behind is lost. */
int tar_step(struct tar *tar, uint64_t end, struct error *error)
{
	uint64_t next;

	if (checked_round_up(end, TAR_BLOCK_BYTES, &next) < 0 || next > tar->input->bytes)
		return tar_fail(tar, tar->input->bytes, error,
				"the archive ends within a block of %d bytes: it is cut off",
				TAR_BLOCK_BYTES);
	tar->next = next;
	return 0;
}

/* Could a member begin, or the archive end, at this place? */
static int begins_at(struct tar *tar, uint64_t at, bool *begins, struct error *error)
{
	char block[TAR_BLOCK_BYTES];
	int ret;

	*begins = at == tar->input->bytes;
	if (!range_within(at, sizeof(block), tar->input->bytes))
		return 0;
	ret = tar_read(tar, at, block, sizeof(block), error);
	*begins = ret == 0 && (bytes_are_zero(block, sizeof(block)) || tar_is_header(block));
	return ret;
}

static bool is_file(char type)
{
	return !strchr("123456", type) || type == '\0';
}

/*
 * Links, directories and devices have no data, but some writers give them a size. pax may give a
 * hard link the file's data once more. So the place where a member begins decides, and pax headers
 * where both could be one.
 */
static int drop_size(struct tar *tar, uint64_t *stored, struct error *error)
{
	uint64_t off = tar->member.off, end = 0;
	bool here, there = false;
	int ret = begins_at(tar, off, &here, error);

	if (ret == 0 && checked_add(off, *stored, &end) == 0 &&
	    checked_round_up(end, TAR_BLOCK_BYTES, &end) == 0)
		ret = begins_at(tar, end, &there, error);
	if (ret < 0)
		return ret;
	if (here ? !(there && tar->member.type == '1' && tar->own.count > 0) : !there)
		*stored = 0;
	return 0;
}

static int set_place(struct tar *tar, struct error *error)
{
	struct tar_member *member = &tar->member;
	const struct tar_header *header = &member->header;
	int64_t said;
	uint64_t stored;
	int ret = tar_field_number(tar, "size", header->size, sizeof(header->size), &said, error);

	if (ret == 0 && said < 0)
		ret = tar_fail(tar, member->at, error,
			       "its size is negative: the archive is "
			       "damaged");
	stored = (uint64_t)said;
	member->off = member->at + TAR_BLOCK_BYTES;
	if (ret == 0 && stored > 0 && !is_file(member->type))
		ret = drop_size(tar, &stored, error);
	member->size = stored;
	member->bytes = stored;
	if (ret == 0 && is_file(member->type))
		ret = tar_read_map(tar, stored, error);
	if (ret < 0)
		return ret;
	if (!range_within(member->off, member->bytes, tar->input->bytes))
		return tar_fail(
			tar, member->at, error,
			"the archive ends before the file's data: it is cut off or damaged");
	return tar_step(tar, member->off + member->bytes, error);
}

/* ---- The next member ---- */

static int set_member(struct tar *tar, const struct tar_header *header, struct error *error)
{
	struct tar_member *member = &tar->member;
	int ret;

	member->at = tar->next;
	member->header = *header;
	member->type = header->type;
	member->dialect = tar_dialect_of(header);
	ret = tar_set_names(tar, error);
	return ret < 0 ? ret : set_place(tar, error);
}

static int end_archive(struct tar *tar, bool described, struct error *error)
{
	if (described)
		return tar_fail(tar, tar->next, error,
				"the archive ends behind an extended header: it is cut off or "
				"damaged");
	return 0;
}

/* One header at tar->next: 1 when it is the member's, 2 when it describes it further, 0 at the
 * end. described: one was there before. */
static int take_header(struct tar *tar, bool described, struct error *error)
{
	struct tar_header header;
	int ret;

	if (tar->next == tar->input->bytes)
		return end_archive(tar, described, error);
	ret = tar_read(tar, tar->next, &header, sizeof(header), error);
	if (ret < 0)
		return ret;
	if (bytes_are_zero(&header, sizeof(header))) {
		tar->next += sizeof(header);
		tar->ended = true;
		return end_archive(tar, described, error);
	}
	if (!tar_is_header(&header))
		return tar_fail(tar, tar->next, error,
				"no member begins where one should: the archive is damaged");
	if (tar_is_extra(header.type)) {
		ret = tar_take_extra(tar, &header, error);
		return ret < 0 ? ret : 2;
	}
	ret = set_member(tar, &header, error);
	return ret < 0 ? ret : 1;
}

int tar_next(struct tar *tar, struct error *error)
{
	int ret = 2;

	if (tar->member.path) {
		free(tar->previous);
		tar->previous = steal_ptr(&tar->member.path);
	}
	release_member(&tar->member);
	tar->range_room = 0;
	pax_clear(&tar->own);
	free(steal_ptr(&tar->long_path));
	free(steal_ptr(&tar->long_target));
	while (ret == 2)
		ret = take_header(tar, tar->own.count > 0 || tar->long_path || tar->long_target,
				  error);
	return ret;
}
