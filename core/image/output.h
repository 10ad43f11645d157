/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image file while it is being made. It has no name until it is right: built as an unnamed file
 * in the output's directory (or, where the filesystem has none, under a temporary name), it takes
 * the output's name in one rename. Until then an earlier image stays as it was.
 */
#ifndef IMAGE_OUTPUT_H
#define IMAGE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/cleanup.h"
#include "core/base/error.h"

struct output;

/*
 * Finds the place: path is a regular file to make or replace (through a symbolic link too). Makes
 * nothing yet. Errors: a directory or device, no such directory, source_dir itself, when it is a
 * file, or a place inside it (NULL: not checked).
 */
int output_open(const char *path, const char *source_dir, struct output **output,
		struct error *error);

/* Makes the file, of so many bytes: it reads as zeros and is sparse. */
int output_create(struct output *output, uint64_t bytes, struct error *error);

/* -1 before output_create. */
int output_fd(const struct output *output);
const char *output_path(const struct output *output);

/* -1 leaves owner or group as they are. */
int output_set_owner(struct output *output, uid_t owner, gid_t group, struct error *error);

/* Makes it durable when sync is set, and gives it its name. */
int output_publish(struct output *output, bool sync, struct error *error);

/* An unnamed file in the output's directory, for scratch. A descriptor of the caller's, or -errno.
 */
int output_scratch(const struct output *output);

/* Removes what was not published. */
void output_close(struct output *output);
DEFINE_CLEANUP(struct output, output_close)

#endif
