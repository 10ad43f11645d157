/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file while it is being made, the image before all. It has no name until it is right: built as
 * an unnamed file in the output's directory (or, where the filesystem has none, under a temporary
 * name), it takes the output's name in one rename (image/publish.h). Until then an earlier image
 * stays as it was.
 */
#ifndef IMAGE_OUTPUT_H
#define IMAGE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/error.h"
#include "lib/cleanup.h"

struct output;

/*
 * Finds the place: path is a regular file to make or replace, behind all symbolic links but those
 * that another user made where everybody may, which are an error. Makes nothing yet. what is a
 * static text that messages call it by: "the image". Errors: a directory or device, no such
 * directory, the file source itself, or a place inside the directory source (NULL: not checked).
 */
int output_open(const char *what, const char *path, const char *source, struct output **output,
		struct error *error);

/*
 * As output_open, of what belongs to another output that is open (NULL: to none): a path that names
 * the other's directory by the words that this was named by, or was found under, leads into that
 * very directory, whatever has been put in its place meanwhile.
 */
int output_open_together(const char *what, const char *path, const char *source,
			 const struct output *other, struct output **output, struct error *error);
/* Does it name the other's directory so? */
bool output_is_together(const struct output *other, const char *path);

/* Refuses to replace the file path, or to lie inside the directory path; what messages call that:
 * "its own source". One that is not there is in nobody's way. */
int output_keep(const struct output *output, const char *path, const char *what,
		struct error *error);

/* Makes the file, of so many bytes: it reads as zeros and is sparse. Its mode is that of the file
 * that it will replace; of another user's file, and where there is none, umask's, which another
 * user's file can only make narrower. Removes what killed builds of it left behind. */
int output_create(struct output *output, uint64_t bytes, struct error *error);

/* One more file in the same place, which nothing is made of yet: for what output_move gives other
 * names. */
int output_open_beside(const char *what, const struct output *beside, struct output **output,
		       struct error *error);

/* -1 before output_create. */
int output_fd(const struct output *output);
/* Absolute, symbolic links resolved: two that are different are different files. */
const char *output_path(const struct output *output);
const char *output_what(const struct output *output);

/* Into the file that was made. */
int output_write(struct output *output, const void *bytes, size_t len, uint64_t off,
		 struct error *error);

/* -1 leaves owner or group as they are. */
int output_set_owner(struct output *output, uid_t owner, gid_t group, struct error *error);

/* An unnamed file in the output's directory, for scratch. A descriptor of the caller's, or -errno.
 */
int output_scratch(const struct output *output);

/* Waits until the file is on the disk. */
int output_sync(struct output *output, struct error *error);

/* Gives the file, instead of the output's name, this one in another directory of its filesystem;
 * what has it there is replaced. */
int output_move(struct output *output, int dir, const char *name, struct error *error);

/* Removes what was not published. */
void output_close(struct output *output);
DEFINE_CLEANUP(struct output, output_close)

#endif
