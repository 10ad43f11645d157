/* SPDX-License-Identifier: Apache-2.0 */
/* What the stages of attesting share: what has differed so far. */
#ifndef BUILDER_ATTEST_H
#define BUILDER_ATTEST_H

#include <pthread.h>

#include "core/builder/private.h"
#include "lib/array.h"

/* Of what is not in the image, or has its place in its name. */
#define ATTEST_NO_OFFSET UINT64_MAX

struct attest_place {
	uint64_t image_off;
	char *what; /* owned */
};

struct attest {
	struct build *build;
	const char *path;                  /* of the image */
	struct copy *copy;                 /* what belongs where */
	ARRAY(struct attest_place) places; /* that differ */
	bool out_of_memory;
	pthread_mutex_t lock; /* guards both */
};

void attest_add_place(struct attest *attest, uint64_t image_off, const char *what);

/* Of a measured image: the hash tree wherever it is, and the signature of its root hash. */
int attest_hash_tree(struct attest *attest, struct error *error);
int attest_signature(struct attest *attest, struct error *error);

#endif
