/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an archive's entries to the tree's nodes, as tar -x would make files of them, but for what
 * tar only warns of: an entry that cannot be there as it is described is an error. Names are bytes,
 * ids are numbers. Data is not touched: files get the ranges where it lies.
 */
#ifndef ARCHIVE_UNPACK_H
#define ARCHIVE_UNPACK_H

#include <archive.h>
#include <archive_entry.h>

#include "core/archive/input.h"
#include "core/archive/layer.h"
#include "core/archive/reader.h"
#include "core/tree/edit.h"

/* Behind an archive's end so much at once is looked at, until it is no zeros. */
#define ARCHIVE_REST_BYTES ((size_t)4096)

struct unpack {
	struct tree *tree;
	struct tree_edit *edit;
	struct archive_input *input;
	struct archive_member member; /* the one that is taken */
	uint16_t source;              /* of the tree, for the input's descriptor */
	bool any;                     /* member was seen */
	bool absolute_seen;
	/*
	 * A layer of a container image (archive/layer.h): it lies over what is there, so that
	 * anything may replace a directory, and ways may lead through links of layers below. NULL:
	 * the archive is none.
	 */
	struct layer *layer;
};

/* "LABEL: PATH: what". */
int unpack_fail(const struct unpack *unpack, const char *path, struct error *error, const char *fmt,
		...) __attribute__((format(printf, 4, 5)));

/* Puts all entries of the input into the tree, over what is there. */
int unpack_archive(struct unpack *unpack, struct error *error);

/* Follows an entry's path, in the way that suits the archive. */
int unpack_locate(struct unpack *unpack, const char *path, unsigned int parents,
		  struct tree_place *place, struct error *error);

/* Calls take for all entries. */
int unpack_each(struct unpack *unpack,
		int (*take)(struct unpack *unpack, struct archive_entry *entry, const char *path,
			    struct error *error),
		struct error *error);

/* Mode, owner, time, device and extended attributes; path is for messages. */
int unpack_attributes(struct unpack *unpack, struct archive_entry *entry, const char *path,
		      struct tree_node *node, struct error *error);

/* The member's data is the file's: its size and where it is. */
int unpack_data(struct unpack *unpack, struct tree_node *node, struct error *error);

/* The ACL that the entry has of the type, in the form of its extended attribute; len 0: none. */
int unpack_acl(struct unpack *unpack, struct archive_entry *entry, const char *path, int type,
	       struct kataimg_xattr *xattr, struct error *error);

#endif
