/* SPDX-License-Identifier: Apache-2.0 */
/* A growing list of data segments, and the maps that content alone gives. */
#ifndef TREE_SEGMENTS_H
#define TREE_SEGMENTS_H

#include "core/tree/model.h"

struct segments {
	struct kataimg_segment *items; /* owned */
	uint32_t count;
	size_t room;
};

/* Adds a segment behind all others; one that touches the last makes that one longer. -ENOMEM. */
int segments_add(struct segments *list, uint64_t off, uint64_t len);
void segments_free(struct segments *list);

/* A file's content. */
struct segments_content {
	/* Reads [off, off + len): 0 or -errno. */
	int (*read)(void *arg, uint64_t off, void *buf, size_t len);
	/* All before the result, off or later, is known to be zeros; size at most. */
	uint64_t (*next_data)(void *arg, uint64_t off, uint64_t size);
	void *arg;
};

/* A run of zeros this long, at a multiple of it, is a hole by content alone; 0: content does not
 * matter. */
size_t segments_run_bytes(enum tree_holes holes);

/* Lists all of [0, size) but runs of zeros of run_bytes. What the source knows of its holes saves
 * reading, and changes nothing of the result. -ECANCELED too. */
int segments_detect(struct segments *list, uint64_t size, size_t run_bytes,
		    const struct segments_content *content);

/* The segments of an open file, found in the way that holes asks for. -errno; -ESTALE: the file is
 * shorter than size. */
int segments_of_file(struct segments *list, int fd, uint64_t size, enum tree_holes holes);

#endif
