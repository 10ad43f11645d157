/* SPDX-License-Identifier: Apache-2.0 */
/* The dm-verity hash tree of a measured image: is there one, in partition 2, behind the filesystem
 * or beside the image, and do the data and the tree belong to a root hash? */
#ifndef INSPECT_MEASURED_H
#define INSPECT_MEASURED_H

#include "core/inspect/inspect.h"

struct measured_request {
	const char *path; /* of the image */
	const char
		*root_hash; /* hexadecimal, a line root_hash=HEX,salt=HEX..., or a file with one */
	const char *salt;   /* hexadecimal; NULL: as root_hash has it, the superblock, or the file
			       beside the image that has this root hash */
	unsigned int threads;
	void (*progress)(void *arg, uint64_t done_bytes, uint64_t total_bytes); /* may be NULL */
	void *progress_arg;
};

/* Is there a tree, and which root_hash*.txt beside the image is of it? Superblocks and blocks on
 * top are read, the rest is not checked. */
int measured_find(int fd, const char *path, struct inspection *inspection, struct error *error);

/*
 * Reads every block. What is wrong becomes a problem of the inspection. Fails when nothing can be
 * said: kind ERROR_USAGE for a bad or missing value.
 */
int measured_check(int fd, const struct measured_request *request, struct inspection *inspection,
		   struct error *error);

#endif
