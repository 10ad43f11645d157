/* SPDX-License-Identifier: Apache-2.0 */
#include "core/mtree/apply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int mtree_apply_begin(struct mtree_apply *apply, struct tree *tree, const char *mtree_path,
		      enum tree_holes holes, struct error *error)
{
	const char *slash = strrchr(mtree_path, '/');

	*apply = (struct mtree_apply){
		.tree = tree,
		.edit = tree_edit_new(tree),
		.holes = holes,
		.directory = strndup(mtree_path, slash ? (size_t)(slash - mtree_path) + 1 : 0),
	};
	return apply->edit && apply->directory ? 0 : error_nomem(error);
}

void mtree_apply_end(struct mtree_apply *apply)
{
	tree_edit_free(apply->edit);
	links_free(&apply->links);
	free(apply->directory);
}

static bool has(const struct mtree_words *words, enum mtree_bit bit)
{
	return words->set & bit;
}

static int check_words(const struct mtree_words *words, struct error *error)
{
	if (has(words, MTREE_UNAME) && !has(words, MTREE_UID))
		return error_set(error, EINVAL, "uname=%s: names are not looked up: give uid",
				 words->uname);
	if (has(words, MTREE_GNAME) && !has(words, MTREE_GID))
		return error_set(error, EINVAL, "gname=%s: names are not looked up: give gid",
				 words->gname);
	return 0;
}

/* Sets of a new node what no word says. */
static void set_defaults(struct tree_node *node)
{
	static const uint16_t modes[] = { [KATAIMG_DIR] = 0755, [KATAIMG_LNK] = 0777 };
	size_t type = node->pub.type;

	node->pub.mode =
		type < sizeof(modes) / sizeof(modes[0]) && modes[type] ? modes[type] : 0644;
	node->implied = 1;
}

static int check_new(const struct mtree_words *words, struct error *error)
{
	if (!has(words, MTREE_TYPE))
		return error_set(error, ENOENT,
				 "it is not in the tree, and no type= says what to "
				 "make");
	if (words->type == KATAIMG_LNK && !has(words, MTREE_LINK))
		return error_set(error, EINVAL, "a symbolic link needs link=");
	if ((words->type == KATAIMG_CHR || words->type == KATAIMG_BLK) && !has(words, MTREE_DEVICE))
		return error_set(error, EINVAL, "a device needs device=");
	return 0;
}

static bool is_linked(const struct mtree_words *words)
{
	return has(words, MTREE_INODE) && has(words, MTREE_NLINK) && words->nlink > 1 &&
	       words->type != KATAIMG_DIR;
}

/* A scanned file is opened by its name in the source, where the new one does not exist. */
static int check_linkable(const struct tree_node *node, struct error *error)
{
	if (tree_is_scanned(node) && node->pub.size > 0)
		return error_set(error, EINVAL,
				 "a new hard link to a file of the source: make it there");
	return 0;
}

static int make_node(struct mtree_apply *apply, const struct mtree_words *words,
		     struct tree_node **node, struct error *error)
{
	int ret = check_new(words, error);

	if (ret < 0)
		return ret;
	*node = is_linked(words) ? links_find(&apply->links, 0, words->inode) : NULL;
	if (*node)
		return check_linkable(*node, error);
	*node = tree_add_node(apply->tree, words->type);
	if (!*node)
		return error_nomem(error);
	set_defaults(*node);
	return 0;
}

static int place_node(struct mtree_apply *apply, struct tree_place *place,
		      const struct mtree_words *words, struct error *error)
{
	struct tree_node *old = place->node;
	int ret;

	if (old && (!has(words, MTREE_TYPE) || old->pub.type == words->type))
		return 0;
	if (place->len == 0)
		return error_set(error, EINVAL, "the root can only be a directory");
	if (old && old->pub.type == KATAIMG_DIR && !tree_edit_is_empty(old))
		return error_set(error, ENOTEMPTY,
				 "it would replace a directory that is not empty");
	ret = make_node(apply, words, &place->node, error);
	if (ret < 0)
		return ret;
	ret = tree_edit_put(apply->edit, place->dir, place->name, place->len, place->node);
	return ret < 0 ? error_nomem(error) : 0;
}

static void set_attributes(struct tree_node *node, const struct mtree_words *words)
{
	if (has(words, MTREE_MODE))
		node->pub.mode = (uint16_t)words->mode;
	if (has(words, MTREE_UID))
		node->pub.uid = words->uid;
	if (has(words, MTREE_GID))
		node->pub.gid = words->gid;
	if (has(words, MTREE_TIME)) {
		node->pub.mtime_sec = words->mtime_sec;
		node->pub.mtime_nsec = words->mtime_nsec;
		node->implied = 0;
	}
	if (has(words, MTREE_DEVICE) &&
	    (node->pub.type == KATAIMG_CHR || node->pub.type == KATAIMG_BLK)) {
		node->pub.rdev_major = words->major;
		node->pub.rdev_minor = words->minor;
	}
}

static int set_content(struct mtree_apply *apply, struct tree_node *node,
		       const struct mtree_words *words, struct error *error)
{
	int ret = 0;

	if (node->pub.type == KATAIMG_LNK && has(words, MTREE_LINK))
		ret = tree_set_target(apply->tree, node, words->link, strlen(words->link));
	if (ret < 0)
		return error_nomem(error);
	if (node->pub.type != KATAIMG_REG)
		return 0;
	if (has(words, MTREE_CONTENTS))
		ret = mtree_set_contents(apply, node, words->contents, error);
	if (ret < 0)
		return ret;
	if (!has(words, MTREE_SIZE) || words->size == node->pub.size)
		return 0;
	if (node->content_kind == TREE_CONTENT_NONE)
		return error_set(error, EINVAL,
				 "size=%" PRIu64
				 ", but nothing says where the bytes are: a printed "
				 "tree alone is no source, contents= gives a file its own",
				 words->size);
	return error_set(error, EINVAL,
			 "size=%" PRIu64 ", but the file has %" PRIu64
			 " bytes: contents= gives it others",
			 words->size, node->pub.size);
}

static struct kataimg_xattr *find_xattr(struct kataimg_xattr *xattrs, uint32_t count,
					const char *name)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(xattrs[i].name, name) == 0)
			return &xattrs[i];
	return NULL;
}

static int copy_xattr(struct arena *arena, const struct kataimg_xattr *from,
		      struct kataimg_xattr *to)
{
	*to = *from;
	to->name = arena_text(arena, from->name, from->name_len);
	to->value = arena_text(arena, from->value, from->value_len);
	return to->name && to->value ? 0 : -ENOMEM;
}

static int set_xattrs(struct mtree_apply *apply, struct tree_node *node,
		      const struct mtree_words *words)
{
	uint32_t count = node->pub.xattr_count, room = count;
	struct kataimg_xattr *xattrs;

	if (!words->xattrs)
		return 0;
	for (const struct mtree_xattr *at = words->xattrs; at; at = at->next)
		room++;
	xattrs = arena_array(tree_arena(apply->tree), room, sizeof(*xattrs));
	if (!xattrs)
		return -ENOMEM;
	if (count > 0)
		memcpy(xattrs, node->pub.xattrs, count * sizeof(*xattrs));
	for (const struct mtree_xattr *at = words->xattrs; at; at = at->next) {
		struct kataimg_xattr *xattr = find_xattr(xattrs, count, at->xattr.name);

		if (!xattr)
			xattr = &xattrs[count++];
		if (copy_xattr(tree_arena(apply->tree), &at->xattr, xattr) < 0)
			return -ENOMEM;
	}
	tree_set_xattrs(node, xattrs, count);
	return 0;
}

int mtree_apply_entry(struct mtree_apply *apply, struct tree_place *place,
		      const struct mtree_words *words, struct error *error)
{
	int ret = check_words(words, error);

	if (ret < 0 || (!place->node && has(words, MTREE_OPTIONAL)))
		return ret;
	ret = place_node(apply, place, words, error);
	if (ret < 0)
		return ret;
	set_attributes(place->node, words);
	ret = set_content(apply, place->node, words, error);
	if (ret < 0)
		return ret;
	if (set_xattrs(apply, place->node, words) < 0)
		return error_nomem(error);
	if (is_linked(words) && !links_find(&apply->links, 0, words->inode) &&
	    links_add(&apply->links, 0, words->inode, place->node) < 0)
		return error_nomem(error);
	apply->changes++;
	return 0;
}
