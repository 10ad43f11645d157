/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/cpio/write.h"

#include <errno.h>
#include <string.h>

#include "lib/cleanup.h"
#include "plugins/common/writer.h"
#include "plugins/cpio/members.h"

/* Smaller files go with the headers around them, in few and large writes; the writer fills gaps
 * that are smaller with zeros, so nothing smaller may be placed in one. */
#define PLACED_BYTES_MIN WRITER_GAP_BYTES

static int write_data(struct writer *writer, const struct cpio_member *member)
{
	const struct kataimg_host *host = writer->host;
	const struct kataimg_node *node = member->node;

	if (member->data_bytes == 0)
		return 0;
	if (node->type == KATAIMG_LNK)
		return writer_put(writer, member->data_off, node->target, member->data_bytes);
	if (member->data_bytes < PLACED_BYTES_MIN)
		return writer_put_inline(writer, member->data_off, node, 0, member->data_bytes);
	return host->place(host->ctx, member->data_off, node, 0, member->data_bytes);
}

static int write_header(struct writer *writer, struct cpio_header *header,
			const struct cpio_member *member)
{
	uint8_t *bytes;
	int ret = writer_take(writer, member->header_off, CPIO_HEADER_BYTES + member->path_bytes,
			      &bytes);

	if (ret < 0)
		return ret;
	header->field[CPIO_SIZE] = member->data_bytes;
	header->field[CPIO_NAME_BYTES] = member->path_bytes;
	cpio_header_encode(header, bytes);
	memcpy(bytes + CPIO_HEADER_BYTES, member->path, member->path_bytes);
	return 0;
}

static int write_member(struct writer *writer, const struct cpio_member *member)
{
	struct cpio_header header;
	int ret;

	cpio_header_fill(&header, member->node);
	ret = write_header(writer, &header, member);
	return ret < 0 ? ret : write_data(writer, member);
}

static int write_trailer(struct writer *writer, uint64_t off)
{
	struct cpio_header header = { { [CPIO_NLINK] = 1 } };
	const struct cpio_member trailer = { .path = CPIO_TRAILER,
					     .path_bytes = sizeof(CPIO_TRAILER),
					     .header_off = off };
	int ret = write_header(writer, &header, &trailer);

	return ret < 0 ? ret : writer_flush(writer);
}

static int write_members(const struct cpio *cpio, struct writer *writer)
{
	const struct kataimg_host *host = cpio->host;
	struct cpio_members members autocall(cpio_members_end) = { 0 };
	struct cpio_member member;
	int ret = cpio_members_begin(&members, cpio->tree);

	if (ret < 0)
		return ret;
	while ((ret = cpio_members_next(&members, &member)) > 0) {
		ret = host->cancelled(host->ctx) ? -ECANCELED : write_member(writer, &member);
		if (ret < 0)
			return ret;
		host->progress(host->ctx, member.end, cpio->trailer_off);
	}
	return ret;
}

int cpio_write_archive(const struct cpio *cpio)
{
	struct writer writer autocall(writer_clear) = { 0 };
	int ret = writer_init(&writer, cpio->host);

	if (ret < 0)
		return ret;
	ret = write_members(cpio, &writer);
	return ret < 0 ? ret : write_trailer(&writer, cpio->trailer_off);
}
