/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/cpio/members.h"

#include <errno.h>
#include <string.h>

#include "lib/calloc64.h"
#include "lib/checked.h"
#include "lib/round.h"

struct cpio_frame {
	const struct kataimg_node *dir;
	uint32_t next; /* of its entries */
	size_t path_len;
};

int cpio_members_begin(struct cpio_members *members, const struct kataimg_tree *tree)
{
	*members = (struct cpio_members){ .tree = tree };
	members->names_left = calloc64(tree->node_count, sizeof(*members->names_left));
	return members->names_left ? 0 : -ENOMEM;
}

void cpio_members_end(struct cpio_members *members)
{
	free(members->names_left);
	array_free(&members->path);
	array_free(&members->frames);
}

uint64_t cpio_data_off(uint64_t header_off, uint64_t path_bytes)
{
	return round_up(header_off + CPIO_HEADER_BYTES + path_bytes, CPIO_ALIGN_BYTES);
}

uint64_t cpio_archive_bytes(uint64_t trailer_off)
{
	return round_up(cpio_data_off(trailer_off, sizeof(CPIO_TRAILER)), CPIO_BLOCK_BYTES);
}

/* Is this one the last of the node's names? */
static bool count_name(struct cpio_members *members, const struct kataimg_node *node)
{
	uint32_t *left = &members->names_left[node->index];

	if (node->nlink < 2)
		return true;
	if (*left == 0)
		*left = node->nlink;
	return --*left == 0;
}

static uint32_t data_bytes(struct cpio_members *members, const struct kataimg_node *node)
{
	if (node->type == KATAIMG_LNK)
		return (uint32_t)node->size;
	return node->type == KATAIMG_REG && count_name(members, node) ? (uint32_t)node->size : 0;
}

/* The path grows by a name, in place of what is behind keep. */
static int set_path(struct cpio_members *members, size_t keep, const char *name, size_t len)
{
	members->path.count = keep;
	if (array_reserve(&members->path, len + 2) < 0)
		return -ENOMEM;
	if (keep > 0)
		members->path.items[keep++] = '/';
	memcpy(members->path.items + keep, name, len);
	members->path.items[keep + len] = '\0';
	members->path.count = keep + len;
	return 0;
}

static int enter(struct cpio_members *members, const struct kataimg_node *dir, size_t path_len)
{
	struct cpio_frame *frame = array_add(&members->frames);

	if (!frame)
		return -ENOMEM;
	*frame = (struct cpio_frame){ .dir = dir, .path_len = path_len };
	return 0;
}

/* The next entry in the order of the tree; NULL: there is none. */
static const struct kataimg_entry *next_entry(struct cpio_members *members, size_t *path_len)
{
	while (members->frames.count > 0) {
		struct cpio_frame *frame = &members->frames.items[members->frames.count - 1];

		*path_len = frame->path_len;
		if (frame->next < frame->dir->entry_count)
			return &frame->dir->entries[frame->next++];
		members->frames.count--;
	}
	return NULL;
}

/* A file by the name of the trailer would end the archive: "./" in front makes it another name. */
static int place(struct cpio_members *members, const struct kataimg_node *node,
		 struct cpio_member *member)
{
	const char *path = members->path.items;
	size_t len = members->path.count;

	*member = (struct cpio_member){ .node = node, .header_off = members->next_off };
	member->path = strcmp(path, CPIO_TRAILER) == 0 ? "./" CPIO_TRAILER : path;
	member->path_bytes = (uint32_t)(member->path == path ? len : strlen(member->path)) + 1;
	member->data_bytes = data_bytes(members, node);
	member->data_off = cpio_data_off(member->header_off, member->path_bytes);
	if (member->data_off > INT64_MAX)
		return -EOVERFLOW;
	member->end = round_up(member->data_off + member->data_bytes, CPIO_ALIGN_BYTES);
	members->next_off = member->end;
	return 1;
}

static int begin(struct cpio_members *members, struct cpio_member *member)
{
	const struct kataimg_node *root = members->tree->nodes[0];
	int ret = set_path(members, 0, ".", 1);

	members->begun = true;
	if (ret == 0)
		ret = enter(members, root, 0);
	return ret < 0 ? ret : place(members, root, member);
}

int cpio_members_next(struct cpio_members *members, struct cpio_member *member)
{
	const struct kataimg_entry *entry;
	size_t path_len;
	int ret;

	if (!members->begun)
		return begin(members, member);
	entry = next_entry(members, &path_len);
	if (!entry)
		return 0;
	ret = set_path(members, path_len, entry->name, entry->name_len);
	if (ret == 0 && entry->node->type == KATAIMG_DIR)
		ret = enter(members, entry->node, members->path.count);
	return ret < 0 ? ret : place(members, entry->node, member);
}
