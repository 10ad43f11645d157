/* SPDX-License-Identifier: Apache-2.0 */
#ifndef READER_JUDGE_H
#define READER_JUDGE_H

#include "core/base/error.h"
#include "core/reader/found.h"

/*
 * Orders what was found, by id and then by name, offset or attribute, and refuses with -EUCLEAN
 * what is no tree: ids without an inode or with two, a name or an attribute twice, a directory with
 * two parents or in a circle, data that is nobody's, over other data or behind the end of its file.
 * Names the inode, and where it can the path. What nothing names is no error: orphans are left out.
 * Nor are link counts that are wrong: they are counted.
 */
int judge_found(struct found *found, struct error *error);

/* Of a judged one; NULL: there is none. */
struct found_inode *found_inode_of(const struct found *found, uint64_t id);

#endif
