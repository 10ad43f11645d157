/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens the bytes of a tree's regular files. A reader belongs to one thread; it keeps the directory
 * of the last file open, because neighbours are read one after the other.
 */
#ifndef TREE_READER_H
#define TREE_READER_H

#include "core/base/cleanup.h"
#include "core/tree/tree.h"

struct tree_reader;

struct tree_reader *tree_reader_new(const struct tree *tree); /* NULL when memory is out */
void tree_reader_free(struct tree_reader *reader);
DEFINE_CLEANUP(struct tree_reader, tree_reader_free)

/*
 * *fd is the reader's, good until the next call. A file that is gone, that is another one by now,
 * or whose size or mtime differ from the scan's is an error that names it.
 */
int tree_reader_open(struct tree_reader *reader, const struct kataimg_node *node, int *fd,
		     struct error *error);

/*
 * Where the file's bytes from off on are in that descriptor: *len, at most what was asked for, is
 * how far the answer goes. 1: at *fd_off. 0: nowhere, they are zeros.
 */
int tree_reader_map(const struct kataimg_node *node, uint64_t off, uint64_t *fd_off, uint64_t *len);

/* The error of a file that turned out shorter than it was. */
int tree_reader_fail_short(const struct kataimg_node *node, struct error *error);

#endif
