/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way back: a tree of any source becomes a directory, or a tar. What is in it is as hostile as
 * an image or archive can be: nothing is ever followed out of the target.
 */
#ifndef EXTRACT_EXTRACT_H
#define EXTRACT_EXTRACT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/tree/tree.h"

struct extract_options {
	const char *source;   /* as given; no target lies inside it when it is a directory */
	unsigned int threads; /* at least 1 */
	bool force;   /* what is there is replaced; directories stay, with what is in them */
	bool partial; /* not all of the source: a directory keeps its own attributes */
	void (*progress)(void *arg, uint64_t done_bytes, uint64_t total_bytes); /* may be NULL */
	void *progress_arg;
};

/* The directory that all goes into. */
struct extract_target {
	const char *path; /* as given */
	int fd;
	bool is_new; /* it was made */
};

/* Makes it, if it is not there, and says what is in its way. */
int extract_target_open(struct extract_target *target, const char *path,
			const struct extract_options *options, struct error *error);
/* One that was made, and that nothing came into, goes again. */
void extract_target_give_up(struct extract_target *target);
void extract_target_close(struct extract_target *target);
#define EXTRACT_NO_TARGET ((struct extract_target){ .fd = -1 })
#define autotarget __attribute__((cleanup(extract_target_close)))

/*
 * Into a directory, which is new or, without force, empty: every entry with its content, holes,
 * hard links, mode, owner, time and extended attributes. What this user or the filesystem may not
 * have (owners, devices, attributes, set-id bits of what is not the owner's) is left out, and one
 * warning says so. Blocks are shared where source and target can. After an error what was made
 * stays, and the message says so.
 */
int extract_to_directory(const struct tree *tree, const struct extract_target *target,
			 const struct extract_options *options, struct error *error);

#endif
