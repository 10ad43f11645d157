/* SPDX-License-Identifier: Apache-2.0 */
/* Trees that more than one test of a backend builds. */
#ifndef SUPPORT_TREES_H
#define SUPPORT_TREES_H

#include "check/support/memtree.h"

/* A file where stretches that compress and stretches that do not take turns. */
void trees_add_mixed(struct kataimg_node *dir, const char *name, size_t len, uint32_t seed);

/* So many files that are large, each 1000 bytes more than the one before, and so many small ones.
 */
struct memtree *trees_new_large(uint32_t count, uint64_t size, uint32_t small);

#endif
