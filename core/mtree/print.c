/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/mtree/mtree.h"
#include "core/mtree/text.h"
#include "core/mtree/word.h"
#include "lib/cleanup.h"

static void print_keywords(const struct kataimg_node *node, FILE *out)
{
	fprintf(out,
		" type=%s uid=%" PRIu32 " gid=%" PRIu32 " mode=%04o time=%" PRId64 ".%09" PRIu32,
		mtree_type_word((enum kataimg_type)node->type), node->uid, node->gid, node->mode,
		node->mtime_sec, node->mtime_nsec);
	if (node->type == KATAIMG_REG)
		fprintf(out, " size=%" PRIu64, node->size);
	if (node->type == KATAIMG_CHR || node->type == KATAIMG_BLK)
		fprintf(out, " device=linux,%" PRIu32 ",%" PRIu32, node->rdev_major,
			node->rdev_minor);
	if (node->type != KATAIMG_DIR && node->nlink > 1)
		fprintf(out, " nlink=%" PRIu32 " inode=%" PRIu32, node->nlink, node->index);
	if (node->type == KATAIMG_LNK) {
		fputs(" link=", out);
		mtree_put_escaped(out, node->target, (size_t)node->size);
	}
	for (uint32_t i = 0; i < node->xattr_count; i++) {
		fputs(" xattr.", out);
		mtree_put_escaped(out, node->xattrs[i].name, node->xattrs[i].name_len);
		putc('=', out);
		mtree_put_base64(out, node->xattrs[i].value, node->xattrs[i].value_len);
	}
	putc('\n', out);
}

static char *path_of(const struct kataimg_node *dir)
{
	size_t bytes = 2;
	char *path;

	for (const struct kataimg_node *at = dir; at->parent != at; at = at->parent)
		bytes += at->name_len + 1;
	path = malloc(bytes);
	if (path)
		tree_path(dir, path, bytes);
	return path;
}

static int print_directory(const struct kataimg_node *dir, FILE *out)
{
	autofree char *path = dir->entry_count ? path_of(dir) : NULL;

	if (dir->entry_count && !path)
		return -ENOMEM;
	for (uint32_t i = 0; i < dir->entry_count; i++) {
		const struct kataimg_entry *entry = &dir->entries[i];

		fputs(dir->parent == dir ? "." : "./", out);
		if (dir->parent != dir)
			mtree_put_escaped(out, path, strlen(path));
		putc('/', out);
		mtree_put_escaped(out, entry->name, entry->name_len);
		print_keywords(entry->node, out);
	}
	return 0;
}

/* All entries of a directory together: parents precede their children in tree order. */
int mtree_print(const struct tree *tree, FILE *out)
{
	const struct kataimg_tree *pub = tree_public(tree);
	int ret = 0;

	fputs(MTREE_SIGNATURE "\n.", out);
	print_keywords(pub->nodes[0], out);
	for (uint64_t i = 0; ret == 0 && i < pub->node_count; i++)
		if (pub->nodes[i]->type == KATAIMG_DIR)
			ret = print_directory(pub->nodes[i], out);
	return ret;
}
