/* SPDX-License-Identifier: Apache-2.0 */
/* Where hash trees may be: in a partition, behind the filesystem, in a file beside the image. */
#ifndef INSPECT_HASHTREE_H
#define INSPECT_HASHTREE_H

#include "core/inspect/hashfile.h"
#include "core/inspect/inspect.h"

/*
 * Looks for a tree: by its superblock, by the root hashes' files, or by what its first block looks
 * like. Sets has_hash_tree, and hash_tree but for what a check finds out; or adds a note about what
 * was nearly one.
 */
int hash_tree_find(int fd, const char *path, const struct hash_files *files,
		   struct inspection *inspection, struct error *error);

/* Looks for room for a tree of just these parameters, whatever is there. true: area and place are
 * set. data_blocks 0 becomes as many as the root filesystem's place has. */
int hash_tree_place(int fd, const char *path, struct verity_params *params,
		    struct inspection *inspection, bool *found, struct error *error);

/* The area as a measurement reads it; data are the image's. The descriptor of a tree's file is the
 * caller's to close, -1: it is the image. */
int hash_tree_open(int fd, const struct inspection *inspection, struct measure_area *area,
		   int *tree_fd, struct error *error);

/* "partition 2", "what is behind the filesystem", "FILE": for sentences. Returns name. */
#define HASH_TREE_NAME_BYTES 512
const char *hash_tree_name(const struct inspect_hash_tree *tree, char name[HASH_TREE_NAME_BYTES]);

#endif
