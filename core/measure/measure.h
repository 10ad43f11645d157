/* SPDX-License-Identifier: Apache-2.0 */
/* Hash trees of what is in a file: written for a build, checked for inspect. On all threads. */
#ifndef MEASURE_MEASURE_H
#define MEASURE_MEASURE_H

#include "core/format/verity.h"

struct measure_area {
	int fd;
	uint64_t data_off; /* of the file system, params.data_blocks long */
	uint64_t tree_off; /* of the hash area */
	unsigned int threads;
	void (*progress)(void *arg, uint64_t done_bytes, uint64_t total_bytes); /* may be NULL */
	void *progress_arg;
};

/* Reads the data, writes the tree, and gives the root digest. */
int measure_write(const struct measure_area *area, const struct verity_params *params,
		  uint8_t root[DIGEST_BYTES], struct error *error);

/* Reads data and tree: the first block that contradicts root is named. -EBADMSG. */
int measure_check(const struct measure_area *area, const struct verity_params *params,
		  const uint8_t root[DIGEST_BYTES], struct error *error);

#endif
