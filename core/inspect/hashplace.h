/* SPDX-License-Identifier: Apache-2.0 */
/* Is there a hash tree in a place, and which one? The places are hashtree.c's. */
#ifndef INSPECT_HASHPLACE_H
#define INSPECT_HASHPLACE_H

#include "core/inspect/hashtree.h"

/* One place that a tree may be in. */
struct candidate {
	int fd;
	enum hash_place place;
	struct region area;
	const struct hash_files *files;
	struct inspection *inspection;
};

/* Is there as much data as the parameters say, and room for its tree? A tree behind the data
 * begins where they end. */
bool candidate_fits(const struct candidate *candidate, const struct verity_params *params);

/* The place and these parameters become the inspection's. salted: the salt is known. */
void candidate_take(const struct candidate *candidate, const struct verity_params *params,
		    bool salted);

/* Each looks for a tree by what says it best, and takes it or leaves all as it was; what only
 * nearly is one becomes a note. */
int candidate_by_superblock(const struct candidate *candidate, struct error *error);
int candidate_by_file(const struct candidate *candidate, struct error *error);

/* All ways, and in the end by what the first block looks like. */
int candidate_try(const struct candidate *candidate, struct error *error);

#endif
