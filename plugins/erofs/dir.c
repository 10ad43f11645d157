/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/dir.h"

#include <string.h>

static const char dot_names[] = "..";

static int compare_names(const char *a, uint32_t a_len, const char *b, uint32_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* Is "." or "..", whichever is due, before the next of the tree's entries? */
static bool dots_are_next(const struct erofs_dir_cursor *cursor)
{
	const struct kataimg_node *dir = cursor->dir;

	if (cursor->dots == 2)
		return false;
	return cursor->next == dir->entry_count ||
	       compare_names(dot_names, cursor->dots + 1u, dir->entries[cursor->next].name,
			     dir->entries[cursor->next].name_len) < 0;
}

bool erofs_dir_peek(const struct erofs_dir_cursor *cursor, struct erofs_dir_name *name)
{
	const struct kataimg_node *dir = cursor->dir;

	if (dots_are_next(cursor)) {
		*name = (struct erofs_dir_name){ .name = dot_names,
						 .len = cursor->dots + 1u,
						 .node = cursor->dots ? dir->parent : dir };
		return true;
	}
	if (cursor->next == dir->entry_count)
		return false;
	*name = (struct erofs_dir_name){ .name = dir->entries[cursor->next].name,
					 .len = dir->entries[cursor->next].name_len,
					 .node = dir->entries[cursor->next].node };
	return true;
}

void erofs_dir_advance(struct erofs_dir_cursor *cursor)
{
	if (dots_are_next(cursor))
		cursor->dots++;
	else
		cursor->next++;
}

/* Advances over the entries of one block. Returns the bytes they use; *count says how many. */
static uint32_t measure_block(struct erofs_dir_cursor *cursor, uint32_t *count)
{
	struct erofs_dir_name name;
	uint32_t used = 0;

	for (*count = 0; erofs_dir_peek(cursor, &name); ++*count) {
		uint32_t bytes = (uint32_t)sizeof(struct erofs_dirent) + name.len;

		if (used + bytes > EROFS_BLOCK_BYTES)
			break;
		used += bytes;
		erofs_dir_advance(cursor);
	}
	return used;
}

uint32_t erofs_dir_skip_block(struct erofs_dir_cursor *cursor)
{
	uint32_t count;

	return measure_block(cursor, &count);
}

uint64_t erofs_dir_bytes(const struct kataimg_node *dir)
{
	struct erofs_dir_cursor cursor = { .dir = dir };
	uint64_t blocks = 0;
	uint32_t used, last = 0;

	while ((used = erofs_dir_skip_block(&cursor))) {
		blocks++;
		last = used;
	}
	return (blocks - 1) * EROFS_BLOCK_BYTES + last;
}

uint32_t erofs_dir_encode_block(const struct erofs_inode *inodes, struct erofs_dir_cursor *cursor,
				uint8_t out[EROFS_BLOCK_BYTES])
{
	struct erofs_dir_cursor end = *cursor;
	uint32_t count, used = measure_block(&end, &count);
	uint32_t name_off = count * (uint32_t)sizeof(struct erofs_dirent);
	struct erofs_dir_name name;

	for (uint32_t i = 0; i < count && erofs_dir_peek(cursor, &name); i++) {
		struct erofs_dirent dirent = { .name_off = to_le16((uint16_t)name_off) };

		erofs_dir_advance(cursor);
		dirent.nid = to_le64(inodes[name.node->index].nid);
		dirent.type = name.node->type;
		memcpy(out + i * sizeof(dirent), &dirent, sizeof(dirent));
		memcpy(out + name_off, name.name, name.len);
		name_off += name.len;
	}
	memset(out + used, 0, EROFS_BLOCK_BYTES - used);
	return used;
}
