/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/dir_data.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/calloc64.h"
#include "lib/cleanup.h"
#include "plugins/xfs/hash.h"

static void put_tag(uint8_t *block, uint32_t end, uint32_t tag)
{
	be16 disk = to_be16((uint16_t)tag);

	memcpy(block + end - sizeof(disk), &disk, sizeof(disk));
}

struct dir_name {
	const char *bytes;
	uint32_t len;
	uint8_t type;
	uint64_t inode;
};

/* Returns where the next entry goes. */
static uint32_t put_entry(struct xfs_dir_job *job, uint64_t number, uint32_t off,
			  const struct dir_name *name, uint8_t *block)
{
	uint32_t end = off + xfs_dir_entry_bytes(name->len);
	uint64_t address = ((number << XFS_BLOCK_LOG) + off) / XFS_DIR_ALIGN;
	be64 inode = to_be64(name->inode);

	memcpy(block + off, &inode, sizeof(inode));
	block[off + 8] = (uint8_t)name->len;
	memcpy(block + off + 9, name->bytes, name->len);
	block[off + 9 + name->len] = name->type;
	put_tag(block, end, off);
	job->index[job->index_count++] =
		(uint64_t)xfs_hash_name(name->bytes, name->len) << 32 | address;
	return end;
}

static uint32_t put_dots(struct xfs_dir_job *job, uint32_t off, uint8_t *block)
{
	struct dir_name self = { ".", 1, KATAIMG_DIR, job->fork->owner };
	struct dir_name parent = { "..", 2, KATAIMG_DIR,
				   xfs_number_of(job->numbers, job->node->parent) };

	off = put_entry(job, 0, off, &self, block);
	return put_entry(job, 0, off, &parent, block);
}

static uint32_t put_entries(struct xfs_dir_job *job, uint64_t number, uint32_t off, uint32_t end,
			    uint8_t *block)
{
	for (; job->next_entry < job->node->entry_count; job->next_entry++) {
		const struct kataimg_entry *entry = &job->node->entries[job->next_entry];
		struct dir_name name = { entry->name, entry->name_len, entry->node->type,
					 xfs_number_of(job->numbers, entry->node) };

		if (off + xfs_dir_entry_bytes(entry->name_len) > end)
			break;
		off = put_entry(job, number, off, &name, block);
	}
	return off;
}

/* What stays free, of which the head tells. */
static void put_unused(uint32_t off, uint32_t end, struct xfs_dir_data *head, uint8_t *block)
{
	be16 unused[2] = { to_be16(XFS_DIR_UNUSED_TAG), to_be16((uint16_t)(end - off)) };

	memcpy(block + off, unused, sizeof(unused));
	put_tag(block, end, off);
	head->bestfree[0].offset = to_be16((uint16_t)off);
	head->bestfree[0].length = to_be16((uint16_t)(end - off));
}

/*
 * Packs the next entries into data block `number` between its head and `end`, enters them into the
 * index, and describes what stays free. magic: of this kind of block.
 */
static void pack_data(struct xfs_dir_job *job, uint32_t magic, uint64_t number, uint32_t end,
		      uint8_t *block)
{
	struct xfs_dir_data head = { .head.magic = to_be32(magic) };
	uint32_t off = sizeof(head);

	if (number == 0)
		off = put_dots(job, off, block);
	off = put_entries(job, number, off, end, block);
	job->bests[number] = (uint16_t)(end - off);
	if (off < end)
		put_unused(off, end, &head, block);
	memcpy(block, &head, sizeof(head));
}

static int compare_index(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static void sort_index(struct xfs_dir_job *job)
{
	qsort(job->index, (size_t)job->index_count, sizeof(*job->index), compare_index);
}

void xfs_dir_pack_index(const struct xfs_dir_job *job, uint64_t first, uint64_t count, uint8_t *to)
{
	for (uint64_t i = first; i < first + count; i++, to += sizeof(be64)) {
		be64 entry = to_be64(job->index[i]);

		memcpy(to, &entry, sizeof(entry));
	}
}

/* The index sits behind the entries, before the tail that counts it. */
static int write_block_form(struct xfs_dir_job *job)
{
	struct xfs_dir_block_tail tail = { .count = to_be32(job->node->entry_count + 2) };
	uint32_t tail_off = XFS_BLOCK_BYTES - sizeof(tail);
	uint32_t index_off = tail_off - (job->node->entry_count + 2) *
						(uint32_t)sizeof(struct xfs_dir_leaf_entry);
	uint64_t block;
	uint8_t *bytes;
	int ret = xfs_fork_take(job->fork, 0, &bytes, &block);

	if (ret < 0)
		return ret;
	pack_data(job, XFS_DIR_BLOCK_MAGIC, 0, index_off, bytes);
	sort_index(job);
	xfs_dir_pack_index(job, 0, job->index_count, bytes + index_off);
	memcpy(bytes + tail_off, &tail, sizeof(tail));
	xfs_fork_seal_dir(job->fork, block, bytes);
	return 0;
}

static int write_data_blocks(struct xfs_dir_job *job)
{
	for (uint64_t i = 0; i < job->shape->data_blocks; i++) {
		uint64_t block;
		uint8_t *bytes;
		int ret = xfs_fork_take(job->fork, i, &bytes, &block);

		if (ret < 0)
			return ret;
		pack_data(job, XFS_DIR_DATA_MAGIC, i, XFS_BLOCK_BYTES, bytes);
		xfs_fork_seal_dir(job->fork, block, bytes);
	}
	sort_index(job);
	return 0;
}

static int write_form(struct xfs_dir_job *job)
{
	int ret;

	if (job->shape->form == XFS_DIR_BLOCK)
		return write_block_form(job);
	ret = write_data_blocks(job);
	if (ret < 0)
		return ret;
	return job->shape->form == XFS_DIR_LEAF ? xfs_dir_write_leaf(job) : xfs_dir_write_node(job);
}

int xfs_dir_write(struct xfs_fork *fork, const struct kataimg_node *node,
		  const struct xfs_numbers *numbers, const struct xfs_dir_shape *shape)
{
	autofree uint64_t *index =
		reallocarray(NULL, node->entry_count + (size_t)3, sizeof(*index));
	autofree uint16_t *bests = calloc64(shape->data_blocks, sizeof(*bests));
	struct xfs_dir_job job = { fork, node, numbers, shape, .index = index, .bests = bests };

	return index && bests ? write_form(&job) : -ENOMEM;
}
