/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target is one file, which defines LLVMFuzzerTestOneInput as libFuzzer asks for it. It is
 * linked with libFuzzer, or with driver.c, which needs no particular compiler. Whatever the bytes
 * are, a target returns; a promise that does not hold is fuzz_fail.
 */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

#include "core/backend/search.h"
#include "core/base/digest.h"
#include "core/tree/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Ends the program with a sentence. */
void fuzz_fail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* A file of these bytes that has no name, until fuzz_close; path may be opened meanwhile. */
#define FUZZ_PATH_BYTES 32
struct fuzz_file {
	int fd;
	char path[FUZZ_PATH_BYTES];
};
struct fuzz_file fuzz_open(const void *bytes, size_t len);
void fuzz_close(struct fuzz_file *file);

/* The backends of the build tree, found once. */
const struct backend_search *fuzz_backends(void);

/* For struct tree_scratch; arg is not used. */
int fuzz_scratch(void *arg);

/* SHA-256 of all that a tree is but for its files' content. */
void fuzz_digest_tree(const struct tree *tree, uint8_t sum[DIGEST_BYTES]);

/* Reads all files, of many bytes the first and last of each. Some may be unreadable: that is an
 * error. */
int fuzz_read_files(const struct tree *tree, struct error *error);

/* A tree that was accepted can be told as mtree(5), and what was told changes nothing in it. */
void fuzz_check_printed(struct tree *tree);

/* A tree whose files can be read can be archived, and the archive is the same tree. Where
 * there is what archives have not, or are many bytes, nothing is asked. */
void fuzz_check_archived(const struct tree *tree);

#endif
