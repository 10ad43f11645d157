/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/unpack.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cancel.h"
#include "core/base/log.h"
#include "lib/bytes.h"
#include "lib/filetype.h"

int unpack_fail(const struct unpack *unpack, const char *path, struct error *error, const char *fmt,
		...)
{
	va_list args;

	va_start(args, fmt);
	error_vset(error, EBADMSG, fmt, args);
	va_end(args);
	return error_prefix(error, "%s: %s", unpack->input->label, path);
}

/* libarchive has the type bits of stat(2) as its own. */
static_assert(AE_IFMT == S_IFMT && AE_IFREG == S_IFREG && AE_IFDIR == S_IFDIR &&
		      AE_IFLNK == S_IFLNK && AE_IFCHR == S_IFCHR && AE_IFBLK == S_IFBLK &&
		      AE_IFIFO == S_IFIFO && AE_IFSOCK == S_IFSOCK,
	      "filetype_of_mode reads them");

static int set_target(struct unpack *unpack, struct archive_entry *entry, const char *path,
		      struct tree_node *node, struct error *error)
{
	const char *target = archive_entry_symlink(entry);

	if (!target || !*target)
		return unpack_fail(unpack, path, error, "a symbolic link without a target");
	if (tree_set_target(unpack->tree, node, target, strlen(target)) < 0)
		return error_nomem(error);
	return 0;
}

int unpack_locate(struct unpack *unpack, const char *path, unsigned int parents,
		  struct tree_place *place, struct error *error)
{
	if (unpack->layer)
		parents |= TREE_PARENTS_FOLLOWED | TREE_PARENTS_REPLACED;
	return tree_edit_locate(unpack->edit, path, parents, place, error);
}

/* A directory goes only when it is empty, as rmdir has it. */
static int check_replaceable(struct unpack *unpack, const char *path,
			     const struct tree_place *place, struct error *error)
{
	if (place->len == 0)
		return unpack_fail(unpack, path, error, "the root can only be a directory");
	if (!unpack->layer && place->node && place->node->pub.type == KATAIMG_DIR &&
	    !tree_edit_is_empty(place->node))
		return unpack_fail(unpack, path, error,
				   "it would replace a directory that is not empty");
	return 0;
}

static int put(struct unpack *unpack, const struct tree_place *place, struct tree_node *node,
	       struct error *error)
{
	int ret = tree_edit_put(unpack->edit, place->dir, place->name, place->len, node);

	return ret < 0 ? error_nomem(error) : 0;
}

/* A layer's whiteouts hide nothing of what the layer itself has, its links' targets neither. *node
 * NULL: there is none. */
static int locate_target(struct unpack *unpack, const char *target, struct tree_node **node,
			 struct error *error)
{
	autoerror struct error found = ERROR_INIT;
	struct tree_place place;
	int ret = unpack_locate(unpack, target, TREE_PARENTS_NEEDED, &place, &found);

	*node = ret == 0 ? place.node : NULL;
	if (!*node && unpack->layer && (ret == 0 || ret == -ENOENT || ret == -ENOTDIR))
		*node = layer_hidden_target(unpack->layer);
	if (*node || ret == 0)
		return 0;
	error_take(error, &found);
	return error_prefix(error, "hard link to %s", target);
}

static int unpack_hard_link(struct unpack *unpack, struct archive_entry *entry, const char *path,
			    const struct tree_place *place, struct error *error)
{
	const char *target = archive_entry_hardlink(entry);
	struct tree_node *linked;
	int ret;

	if (*target == '\0')
		return unpack_fail(unpack, path, error, "a hard link to an empty name");
	ret = locate_target(unpack, target, &linked, error);
	if (ret < 0)
		return error_prefix(error, "%s: %s", unpack->input->label, path);
	if (!linked)
		return unpack_fail(unpack, path, error, "a hard link to %s, which is not there",
				   target);
	if (linked->pub.type == KATAIMG_DIR)
		return unpack_fail(unpack, path, error, "a hard link to %s, which is a directory",
				   target);
	if (linked != place->node) {
		ret = check_replaceable(unpack, path, place, error);
		if (ret == 0)
			ret = put(unpack, place, linked, error);
	}
	/* In a cpio the data of a file with several names comes with the last of them. */
	if (ret == 0 && linked->pub.type == KATAIMG_REG && archive_entry_size_is_set(entry) &&
	    archive_entry_size(entry) > 0)
		ret = unpack_data(unpack, linked, error);
	return ret;
}

static int unpack_node(struct unpack *unpack, struct archive_entry *entry, const char *path,
		       const struct tree_place *place, struct error *error)
{
	uint8_t type = filetype_of_mode(archive_entry_filetype(entry));
	int ret = 0;
	struct tree_node *node = place->node;

	if (type == 0)
		return unpack_fail(unpack, path, error, "an entry of an unknown type");
	if (type != KATAIMG_DIR || !node || node->pub.type != KATAIMG_DIR) {
		ret = check_replaceable(unpack, path, place, error);
		if (ret < 0)
			return ret;
		node = tree_add_node(unpack->tree, type);
		ret = node ? put(unpack, place, node, error) : error_nomem(error);
	}
	if (ret == 0 && type == KATAIMG_LNK)
		ret = set_target(unpack, entry, path, node, error);
	if (ret == 0 && type == KATAIMG_REG)
		ret = unpack_data(unpack, node, error);
	return ret < 0 ? ret : unpack_attributes(unpack, entry, path, node, error);
}

static int unpack_entry(struct unpack *unpack, struct archive_entry *entry, const char *path,
			struct error *error)
{
	struct tree_place place;
	int ret;

	if (*path == '/' && !unpack->absolute_seen) {
		log_warning("%s: %s: names with a / in front are taken as the image's",
			    unpack->input->label, path);
		unpack->absolute_seen = true;
	}
	ret = unpack->layer ? layer_admit(unpack->layer, path, error) : 1;
	if (ret <= 0)
		return ret;
	ret = unpack_locate(unpack, path, TREE_PARENTS_IMPLIED, &place, error);
	if (ret < 0)
		return error_prefix(error, "%s: %s", unpack->input->label, path);
	return archive_entry_hardlink(entry) ? unpack_hard_link(unpack, entry, path, &place, error)
					     : unpack_node(unpack, entry, path, &place, error);
}

/* GNU tar says nothing of a missing end mark, but an archive that was cut off between two members
 * looks the same. */
static void warn_without_end(const struct unpack *unpack, uint64_t end, bool marked)
{
	if (!marked && end == unpack->input->bytes)
		log_warning("%s: it has no end mark: is all of it there?", unpack->input->label);
}

/* Archives one behind the other: tar ends at the first end mark. But what has nothing in front of
 * it only begins with zeros, as many a filesystem does. */
static int check_behind_end(const struct unpack *unpack, uint64_t at, struct error *error)
{
	const struct archive_input *input = unpack->input;
	char block[ARCHIVE_REST_BYTES];

	while (at < input->bytes && !cancel_requested()) {
		uint64_t left = input->bytes - at;
		size_t len = left < sizeof(block) ? (size_t)left : sizeof(block);

		if (archive_input_read(input, at, block, len) < 0)
			return 0;
		if (!bytes_are_zero(block, len) && !unpack->any)
			return archive_input_fail_foreign(input, error);
		if (!bytes_are_zero(block, len)) {
			log_warning("%s: what follows its end mark is left out", input->label);
			return 0;
		}
		at += len;
	}
	return 0;
}

typedef int (*take_entry)(struct unpack *unpack, struct archive_entry *entry, const char *path,
			  struct error *error);

static int take_all(struct unpack *unpack, struct archive_reader *reader, take_entry take,
		    struct error *error)
{
	int ret;

	while ((ret = archive_reader_next(reader, &unpack->member, error)) > 0) {
		const struct archive_member *member = &unpack->member;

		unpack->any = true;
		ret = *member->path ? take(unpack, member->entry, member->path, error)
				    : unpack_fail(unpack, "?", error, "an entry without a name");
		if (ret < 0)
			return ret;
	}
	return ret;
}

int unpack_each(struct unpack *unpack, take_entry take, struct error *error)
{
	struct archive_reader *reader autocall(cleanup_archive_reader_free) = NULL;
	/* A layer is read twice (layer.c), and so begins at its front again. */
	const struct archive_reader_options options = {
		.layer = unpack->layer != NULL,
		.quiet = unpack->layer && take == unpack_entry,
	};
	uint64_t end;
	bool marked;
	int ret = archive_reader_open(unpack->input, &options, &reader, error);

	if (ret == 0)
		ret = take_all(unpack, reader, take, error);
	if (ret < 0 || unpack->layer)
		return ret;
	end = archive_reader_end(reader, &marked);
	warn_without_end(unpack, end, marked);
	return check_behind_end(unpack, end, error);
}

int unpack_archive(struct unpack *unpack, struct error *error)
{
	return unpack_each(unpack, unpack_entry, error);
}
