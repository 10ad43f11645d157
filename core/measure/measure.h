/* SPDX-License-Identifier: Apache-2.0 */
/* Hash trees over a part of a file: a build writes them, inspect checks them. All threads hash. */
#ifndef MEASURE_MEASURE_H
#define MEASURE_MEASURE_H

#include "core/format/verity.h"

struct measure_area {
	int data_fd, tree_fd; /* the image; the tree may be in a file of its own */
	uint64_t data_off;    /* of the filesystem, params.data_blocks long */
	uint64_t area_off;    /* of the hash area, in tree_fd */
	unsigned int threads;
	void (*progress)(void *arg, uint64_t done_bytes, uint64_t total_bytes); /* may be NULL */
	void *progress_arg;
};

/* Reads the data, writes the tree, and gives the root digest; the superblock is somebody else's. */
int measure_write(const struct measure_area *area, const struct verity_params *params,
		  uint8_t root[VERITY_DIGEST_MAX_BYTES], struct error *error);

/* The root digest of the tree that is there: that of the block on top. */
int measure_root(const struct measure_area *area, const struct verity_params *params,
		 uint8_t root[VERITY_DIGEST_MAX_BYTES], struct error *error);

/* Blocks of one kind that are not what the digests above them say. */
struct measure_wrong {
	uint64_t count;
	uint64_t first;     /* counted from the first of the data, or of its level of the tree */
	uint64_t first_off; /* in the file that they are in */
};

/* What a check has found. What is below a wrong block of the tree is not judged. */
struct measure_findings {
	struct measure_wrong data, tree;
	bool root_right;
	uint8_t root[VERITY_DIGEST_MAX_BYTES]; /* of the tree that is there */
};

/* Reads all data and the tree. Fails when something cannot be read, not when it is wrong. */
int measure_check(const struct measure_area *area, const struct verity_params *params,
		  const uint8_t *root, struct measure_findings *findings, struct error *error);

#endif
