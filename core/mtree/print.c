/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cancel.h"
#include "core/mtree/mtree.h"
#include "core/mtree/text.h"
#include "core/mtree/word.h"
#include "core/tree/find.h"
#include "lib/cleanup.h"
#include "lib/hex.h"

/* Where lines go, and what is said in them beside the tree's own. */
struct print {
	const struct mtree_digest *digests; /* by node; NULL: none */
	FILE *out;
};

static void print_digest(const struct print *print, const struct kataimg_node *node)
{
	char text[2 * DIGEST_BYTES + 1];

	if (!print->digests || node->type != KATAIMG_REG)
		return;
	hex_format(print->digests[node->index].bytes, DIGEST_BYTES, text);
	fprintf(print->out, " sha256digest=%s", text);
}

static void print_keywords(const struct kataimg_node *node, const struct print *print)
{
	FILE *out = print->out;

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
	print_digest(print, node);
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

static int print_directory(const struct kataimg_node *dir, const struct print *print)
{
	FILE *out = print->out;
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
		print_keywords(entry->node, print);
	}
	return 0;
}

/* All entries of a directory together: parents precede their children in tree order. */
static int print_paths(const struct kataimg_tree *tree, const struct print *print,
		       struct error *error)
{
	for (uint64_t i = 0; i < tree->node_count; i++) {
		if (cancel_requested())
			return cancel_check(error);
		if (tree->nodes[i]->type == KATAIMG_DIR &&
		    print_directory(tree->nodes[i], print) < 0)
			return error_nomem(error);
	}
	return 0;
}

/* The entry behind that of a directory in its parent. */
static const struct kataimg_entry *entry_behind(const struct kataimg_node *dir)
{
	return tree_find_entry(dir->parent, dir->name, dir->name_len) + 1;
}

/* Names alone, each directory's entries behind it until a "..". Where it stands is all that is
 * kept, so that depth costs nothing. */
static int print_names(const struct kataimg_tree *tree, const struct print *print,
		       struct error *error)
{
	FILE *out = print->out;
	const struct kataimg_node *dir = tree->nodes[0];
	const struct kataimg_entry *entry = dir->entries;

	for (;;) {
		if (cancel_requested())
			return cancel_check(error);
		if (entry == dir->entries + dir->entry_count) {
			fputs("..\n", out);
			if (dir->parent == dir)
				return 0;
			entry = entry_behind(dir);
			dir = dir->parent;
			continue;
		}
		mtree_put_escaped(out, entry->name, entry->name_len);
		print_keywords(entry->node, print);
		if (entry->node->type == KATAIMG_DIR) {
			dir = entry->node;
			entry = dir->entries;
		} else {
			entry++;
		}
	}
}

static bool is_deep(const struct kataimg_node *node)
{
	unsigned int depth = 0;

	for (; node->parent != node && depth <= MTREE_PATH_DEPTH; node = node->parent)
		depth++;
	return depth > MTREE_PATH_DEPTH;
}

static bool has_deep(const struct kataimg_tree *tree)
{
	for (uint64_t i = 0; i < tree->node_count; i++)
		if (tree->nodes[i]->type == KATAIMG_DIR && is_deep(tree->nodes[i]))
			return true;
	return false;
}

int mtree_print(const struct tree *tree, const struct mtree_digest *digests, FILE *out,
		struct error *error)
{
	const struct print print = { digests, out };
	const struct kataimg_tree *pub = tree_public(tree);

	fputs(MTREE_SIGNATURE "\n.", out);
	print_keywords(pub->nodes[0], &print);
	return has_deep(pub) ? print_names(pub, &print, error) : print_paths(pub, &print, error);
}
