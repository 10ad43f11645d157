/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads files out of an EROFS in a trial's window, as a kernel would: a judge of the writer
 * that shares no code with it. What a kernel would refuse ends the test.
 */
#ifndef SUPPORT_EROFSREAD_H
#define SUPPORT_EROFSREAD_H

#include <stdint.h>

#include "check/support/trial.h"

struct erofsread_inode {
	uint64_t nid;
	uint64_t size;
	uint64_t inode_off, xattr_bytes, inode_bytes; /* where its parts lie in the window */
	uint32_t u;
	uint16_t mode;
	uint8_t layout; /* 0 flat, 2 inline, 3 compressed, 4 chunks */
};

/* By path from the root, without a leading '/'. Ends the test when there is none. */
struct erofsread_inode erofsread_find(const struct trial *trial, const char *path);

/* The whole content, to be freed. */
uint8_t *erofsread_content(const struct trial *trial, const struct erofsread_inode *inode);

/* Compares every regular file of the tree, found by its path, with the window. */
void erofsread_compare(const struct trial *trial, const struct kataimg_tree *tree);

#endif
