/* SPDX-License-Identifier: Apache-2.0 */
/* Two trees, from whatever sources, and in what they differ; two files, and in which blocks. */
#ifndef DIFF_DIFF_H
#define DIFF_DIFF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/error.h"
#include "core/tree/tree.h"
#include "lib/array.h"

/* In what an entry that both have differs. */
enum diff_bit {
	DIFF_TYPE = 1 << 0,    /* then nothing else was compared */
	DIFF_CONTENT = 1 << 1, /* bytes of a file, target of a link, numbers of a device */
	DIFF_SIZE = 1 << 2,
	DIFF_TIME = 1 << 3,
	DIFF_MODE = 1 << 4,
	DIFF_OWNER = 1 << 5,
	DIFF_GROUP = 1 << 6,
	DIFF_ACL = 1 << 7,
	DIFF_XATTR = 1 << 8, /* any other attribute */
	DIFF_LINK = 1 << 9   /* of which first name it is a hard link, or that it is none */
};

struct diff_item {
	/* NULL: one of the two has no such entry. Of the root: the node alone. */
	const struct kataimg_node *a, *b;
	const struct kataimg_node *dir; /* of the one that has it: b's, else a's */
	const char *name;               /* in dir; "" for the root */
	bool is_link;                   /* in b, or else in a: not the node's first name */
	unsigned int bits;              /* enum diff_bit */
	uint32_t job;                   /* content that is compared, plus 1; 0: none is */
};

struct diff_job {
	const struct kataimg_node *a, *b; /* files of one size */
	bool differs;
};

struct diff {
	const struct tree *a, *b;
	ARRAY(struct diff_item) items; /* in tree order; what is equal is gone after diff_run */
	ARRAY(struct diff_job) jobs;
	uint64_t added, removed, changed;
};

struct diff_options {
	unsigned int threads;                                                   /* at least 1 */
	void (*progress)(void *arg, uint64_t done_bytes, uint64_t total_bytes); /* may be NULL */
	void *progress_arg;
};

/* The trees must outlive diff. What both have at one place of one file is not read. */
int diff_run(const struct tree *a, const struct tree *b, const struct diff_options *options,
	     struct diff *diff, struct error *error);
void diff_free(struct diff *diff);

/* A line an item, as rsync --itemize-changes has them (kataimg(1) explains the letters). */
int diff_print(const struct diff *diff, FILE *out, struct error *error);

/* The path of an item; to be freed; NULL when memory is out. */
char *diff_path(const struct diff_item *item);

/* ---- Blocks ---- */

#define DIFF_BLOCK_BYTES 4096

struct diff_blocks {
	uint64_t a_bytes, b_bytes;
	uint64_t count; /* of the longer file */
	uint64_t *bits; /* owned; one a block: it differs, or one of the two has not got it */
};

/* What makes totals: larger blocks of which some byte differs. */
struct diff_total {
	uint64_t block_bytes, count, differing;
};
#define DIFF_TOTALS 3

/* Paths of regular files or block devices. */
int diff_blocks_run(const char *a, const char *b, const struct diff_options *options,
		    struct diff_blocks *blocks, struct error *error);
void diff_blocks_free(struct diff_blocks *blocks);
/* The next range of blocks that differ, from *first on; false: there is none. */
bool diff_blocks_next(const struct diff_blocks *blocks, uint64_t *first, uint64_t *count);
void diff_blocks_total(const struct diff_blocks *blocks, struct diff_total totals[DIFF_TOTALS]);
void diff_blocks_print(const struct diff_blocks *blocks, FILE *out);

/* ---- Both, as one document (docs/json.md); one of diff and blocks is NULL ---- */

int diff_print_json(const char *a, const char *b, const struct diff *diff,
		    const struct diff_blocks *blocks, FILE *out, struct error *error);

#endif
