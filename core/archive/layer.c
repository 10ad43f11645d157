/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer is read twice. The first time gives its shape: a tree of its names alone, in which the
 * whiteouts are files as they are in the archive. What the shape hides of the layers below is then
 * taken out of the tree, before anything of the layer is in it, so that the order of the archive's
 * entries decides nothing. The second time puts the entries in.
 */
#include "core/archive/layer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/unpack.h"
#include "core/archive/whiteout.h"
#include "core/base/log.h"
#include "lib/array.h"

/* A hard link's target as the layers below have it. */
struct saved_target {
	uint64_t entry;
	struct tree_node *node;
};

/* A directory of the shape, and the one of the tree that it lies over. */
struct match {
	const struct kataimg_node *over;
	struct tree_node *dir;
	/* A link that nothing of the layer replaces stands where the shape has a directory: dir is
	 * where the link is, and what lies under the directory is what the link leads to. NULL:
	 * dir is it. */
	const struct tree_node *link;
	bool is_behind_link;
};

struct layer {
	struct tree *shape;     /* owned */
	struct tree_edit *edit; /* owned; of the shape */
	uint64_t entry;         /* how many were met in this reading */
	bool has_warned;
	ARRAY(struct saved_target) saved; /* owned; ascending */
	/* Paths of names that are AUFS' own, to be taken out at the end. */
	ARRAY(char *) aufs; /* owned, and its items */
};

/* What is still to be hidden. */
struct hiding {
	struct tree_edit *edit;
	ARRAY(struct match) direct, linked; /* with link NULL; with a link */
};

static bool is_nowhere(int ret)
{
	return ret == -ENOENT || ret == -ENOTDIR;
}

/* ---- The shape ---- */

static int save_target(struct unpack *unpack, const char *target, struct error *error)
{
	struct layer *layer = unpack->layer;
	autoerror struct error nowhere = ERROR_INIT;
	struct saved_target *saved;
	struct tree_place place;
	int ret = unpack_locate(unpack, target, TREE_PARENTS_NEEDED, &place, &nowhere);

	/* Other faults of the target are found, and told of, when the link is made. */
	if (ret == -ENOMEM)
		return error_nomem(error);
	if (ret < 0 || !place.node)
		return 0;
	saved = array_add(&layer->saved);
	if (!saved)
		return error_nomem(error);
	*saved = (struct saved_target){ layer->entry, place.node };
	return 0;
}

static int shape_entry(struct layer *layer, struct archive_entry *entry,
		       const struct tree_place *place)
{
	bool is_link = archive_entry_hardlink(entry) != NULL;
	const char *target = archive_entry_symlink(entry);
	enum kataimg_type type = KATAIMG_REG;
	struct tree_node *node = place->node;

	if (!is_link && archive_entry_filetype(entry) == AE_IFDIR)
		type = KATAIMG_DIR;
	else if (!is_link && archive_entry_filetype(entry) == AE_IFLNK && target)
		type = KATAIMG_LNK;
	if (place->len > 0 && (!node || node->pub.type != KATAIMG_DIR || type != KATAIMG_DIR)) {
		node = tree_add_node(layer->shape, type);
		if (!node || tree_edit_put(layer->edit, place->dir, place->name, place->len, node))
			return -ENOMEM;
	}
	node->implied = 0;
	return type == KATAIMG_LNK && node->pub.type == KATAIMG_LNK
		       ? tree_set_target(layer->shape, node, target, strlen(target))
		       : 0;
}

static int shape_whiteout(struct layer *layer, const char *path, size_t len, struct error *error)
{
	const unsigned int parents = TREE_PARENTS_IMPLIED | TREE_PARENTS_FOLLOWED;
	autofree char *marker = strndup(path, len);
	autoerror struct error nowhere = ERROR_INIT;
	struct tree_place place;
	struct tree_node *node;
	int ret;

	if (!marker)
		return error_nomem(error);
	ret = tree_edit_locate(layer->edit, marker, parents, &place, &nowhere);
	/* Below a file of the layer itself nothing of others is left. */
	if (is_nowhere(ret) || (ret == 0 && place.node))
		return 0;
	if (ret < 0)
		return error_take(error, &nowhere);
	node = tree_add_node(layer->shape, KATAIMG_REG);
	if (!node || tree_edit_put(layer->edit, place.dir, place.name, place.len, node) < 0)
		return error_nomem(error);
	return 0;
}

static int shape_path(struct layer *layer, struct archive_entry *entry, const char *path,
		      struct error *error)
{
	const unsigned int parents = TREE_PARENTS_IMPLIED | TREE_PARENTS_FOLLOWED;
	struct tree_place place;
	size_t len;
	int ret;

	switch (whiteout_of(path, &len)) {
	case WHITEOUT_AUFS:
		return 0;
	case WHITEOUT_BAD:
		return error_set(error, EBADMSG, "a whiteout without a name");
	case WHITEOUT_NAME:
	case WHITEOUT_OPAQUE:
		return shape_whiteout(layer, path, len, error);
	default:
		ret = tree_edit_locate(layer->edit, path, parents, &place, error);
		if (ret < 0)
			return ret;
		return shape_entry(layer, entry, &place) < 0 ? error_nomem(error) : 0;
	}
}

/* overlayfs' own whiteouts, which a layer should not have. */
static bool is_of_overlayfs(struct archive_entry *entry)
{
	const char *name;
	const void *value;
	size_t len;

	if (archive_entry_filetype(entry) == AE_IFCHR && !archive_entry_hardlink(entry))
		return archive_entry_rdevmajor(entry) == 0 && archive_entry_rdevminor(entry) == 0;
	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &len) == ARCHIVE_OK)
		if (name && (strcmp(name, "trusted.overlay.opaque") == 0 ||
			     strcmp(name, "user.overlay.opaque") == 0))
			return true;
	return false;
}

static void warn_of_overlayfs(struct unpack *unpack, struct archive_entry *entry, const char *path)
{
	struct layer *layer = unpack->layer;

	if (layer->has_warned || !is_of_overlayfs(entry))
		return;
	log_warning("%s: %s: overlayfs' own form of a whiteout hides nothing here: a layer says it "
		    "by names (.wh.NAME, .wh..wh..opq)",
		    unpack->input->label, path);
	layer->has_warned = true;
}

static int take_shape(struct unpack *unpack, struct archive_entry *entry, const char *path,
		      struct error *error)
{
	struct layer *layer = unpack->layer;
	const char *target = archive_entry_hardlink(entry);
	int ret;

	layer->entry++;
	warn_of_overlayfs(unpack, entry, path);
	ret = target ? save_target(unpack, target, error) : 0;
	if (ret == 0)
		ret = shape_path(layer, entry, path, error);
	return ret < 0 ? error_prefix(error, "%s: %s", unpack->input->label, path) : 0;
}

/* ---- What it hides ---- */

static void hide_names(struct tree_edit *edit, const struct match *match)
{
	for (uint32_t i = 0; i < match->over->entry_count; i++) {
		const struct kataimg_entry *entry = &match->over->entries[i];

		switch (whiteout_of_name(entry->name, entry->name_len)) {
		case WHITEOUT_OPAQUE:
			tree_edit_clear(edit, match->dir);
			break;
		case WHITEOUT_NAME:
			tree_edit_remove(edit, match->dir, entry->name + WHITEOUT_PREFIX_LEN,
					 entry->name_len - WHITEOUT_PREFIX_LEN);
			break;
		default:
			break;
		}
	}
}

/* The tree has an entry where the shape has a directory. */
static int match_directory(struct hiding *hiding, const struct match *match,
			   const struct kataimg_entry *entry, struct tree_node *below)
{
	bool is_link = below->pub.type == KATAIMG_LNK;
	struct match *added;

	if (is_link && !tree_node(entry->node)->implied) {
		/* The layer replaces the link: nothing of it goes where the link led. Behind
		 * another link it may be its own way that the link is on. */
		if (!match->is_behind_link)
			tree_edit_remove(hiding->edit, match->dir, entry->name, entry->name_len);
		return 0;
	}
	added = is_link ? array_add(&hiding->linked) : array_add(&hiding->direct);
	if (!added)
		return -ENOMEM;
	*added = (struct match){ .over = entry->node,
				 .dir = is_link ? match->dir : below,
				 .link = is_link ? below : NULL,
				 .is_behind_link = is_link || match->is_behind_link };
	return 0;
}

static int match_entry(struct hiding *hiding, const struct match *match,
		       const struct kataimg_entry *entry)
{
	struct tree_node *below =
		tree_edit_find(hiding->edit, match->dir, entry->name, entry->name_len);

	if (!below || entry->node->type != KATAIMG_DIR)
		return 0;
	return below->pub.type == KATAIMG_DIR || below->pub.type == KATAIMG_LNK
		       ? match_directory(hiding, match, entry, below)
		       : 0;
}

static int hide_match(struct hiding *hiding, const struct match *match)
{
	int ret = 0;

	hide_names(hiding->edit, match);
	for (uint32_t i = 0; ret == 0 && i < match->over->entry_count; i++)
		ret = match_entry(hiding, match, &match->over->entries[i]);
	return ret;
}

/* 1: the link leads to match->dir now; 0: to nothing that anything could be hidden of. */
static int follow_link(struct unpack *unpack, struct match *match, struct error *error)
{
	autoerror struct error found = ERROR_INIT;
	char path[1024];
	int ret = tree_edit_follow(unpack->edit, match->link, &match->dir, &found);

	if (ret == 0)
		return 1;
	if (is_nowhere(ret))
		return 0;
	error_take(error, &found);
	return error_prefix(error, "%s: %s", unpack->input->label,
			    tree_path(match->over, path, sizeof(path)));
}

static bool next_match(struct hiding *hiding, struct match *match)
{
	if (hiding->direct.count > 0)
		*match = hiding->direct.items[--hiding->direct.count];
	else if (hiding->linked.count > 0)
		*match = hiding->linked.items[--hiding->linked.count];
	else
		return false;
	return true;
}

/* Links are followed when all that lies on no link has been hidden: what they lead to is then what
 * the layer leaves of it. */
static int hide_all(struct unpack *unpack, struct hiding *hiding, struct error *error)
{
	struct match match = { .over = tree_public(unpack->layer->shape)->nodes[0],
			       .dir = tree_root(unpack->tree) };

	do {
		int ret = match.link ? follow_link(unpack, &match, error) : 1;

		if (ret > 0 && hide_match(hiding, &match) < 0)
			ret = error_nomem(error);
		if (ret < 0)
			return ret;
	} while (next_match(hiding, &match));
	return 0;
}

static int hide(struct unpack *unpack, struct error *error)
{
	struct hiding hiding = { .edit = unpack->edit };
	int ret = tree_edit_finish(unpack->layer->edit, error);

	if (ret == 0)
		ret = hide_all(unpack, &hiding, error);
	array_free(&hiding.direct);
	array_free(&hiding.linked);
	return ret;
}

/* ---- For the second reading ---- */

static bool is_last_aufs(const struct layer *layer, const char *path, size_t len)
{
	const char *last = layer->aufs.count > 0 ? layer->aufs.items[layer->aufs.count - 1] : "";

	return strncmp(path, last, len) == 0 && last[len] == '\0';
}

static int remember_aufs(struct layer *layer, const char *path, size_t len)
{
	char **added;

	if (is_last_aufs(layer, path, len))
		return 0;
	added = array_add(&layer->aufs);
	if (added)
		*added = strndup(path, len);
	return added && *added ? 0 : -ENOMEM;
}

int layer_admit(struct layer *layer, const char *path, struct error *error)
{
	size_t len;

	layer->entry++;
	switch (whiteout_of(path, &len)) {
	case WHITEOUT_NONE:
		return 1;
	case WHITEOUT_AUFS:
		return remember_aufs(layer, path, len) < 0 ? error_nomem(error) : 1;
	default:
		return 0;
	}
}

static int compare_saved(const void *key, const void *item)
{
	const uint64_t *entry = key;
	const struct saved_target *saved = item;

	return (*entry > saved->entry) - (*entry < saved->entry);
}

struct tree_node *layer_hidden_target(const struct layer *layer)
{
	const struct saved_target *saved =
		layer->saved.count ? bsearch(&layer->entry, layer->saved.items, layer->saved.count,
					     sizeof(*saved), compare_saved)
				   : NULL;

	return saved ? saved->node : NULL;
}

static int remove_aufs(struct unpack *unpack, struct error *error)
{
	for (size_t i = 0; i < unpack->layer->aufs.count; i++) {
		const char *path = unpack->layer->aufs.items[i];
		autoerror struct error nowhere = ERROR_INIT;
		struct tree_place place;
		int ret = unpack_locate(unpack, path, TREE_PARENTS_NEEDED, &place, &nowhere);

		if (ret == 0)
			tree_edit_remove(unpack->edit, place.dir, place.name, place.len);
		else if (!is_nowhere(ret))
			return error_take(error, &nowhere);
	}
	return 0;
}

static void release(struct layer *layer)
{
	for (size_t i = 0; i < layer->aufs.count; i++)
		free(layer->aufs.items[i]);
	array_free(&layer->aufs);
	array_free(&layer->saved);
	tree_edit_free(layer->edit);
	tree_free(layer->shape);
}

int unpack_layer(struct unpack *unpack, struct error *error)
{
	struct layer layer autocall(release) = { .shape = tree_new_implied() };
	int ret;

	unpack->layer = &layer;
	layer.edit = layer.shape ? tree_edit_new(layer.shape) : NULL;
	if (!layer.edit)
		return error_nomem(error);
	ret = unpack_each(unpack, take_shape, error);
	if (ret == 0)
		ret = hide(unpack, error);
	layer.entry = 0;
	if (ret == 0)
		ret = unpack_archive(unpack, error);
	return ret < 0 ? ret : remove_aufs(unpack, error);
}
