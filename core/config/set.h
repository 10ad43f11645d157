/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configurations of one run, one an image. A file without named sections is one image; when it
 * is the only file, the image has no name, else the file's. A file with sections [image NAME] is
 * these images and no other: each has what the plain sections say, and over it what its own say,
 * [image NAME], [verity NAME], [ext4 NAME] and so on. A list in an image's own section replaces the
 * plain one's.
 *
 * Order: config_set_read, config_set_choose, then for each configuration config_set_begin, the
 * environment, config_set_fill and what the command line gives, config_finish.
 */
#ifndef CONFIG_SET_H
#define CONFIG_SET_H

#include "core/config/config.h"

/* Where an image's configuration comes from. */
struct config_place {
	char *name; /* owned; NULL: the only image, without a name */
	size_t file;
	bool is_named; /* it has sections of its own */
};

/* All zeros is an empty one. Owns all. */
struct config_set {
	struct config *items; /* after config_set_choose, empty */
	size_t count;
	ARRAY(struct config_place) places; /* of all images, then of the chosen ones */
	struct records *files;
	size_t file_count;
	struct mistakes mistakes; /* of files, and in the end of all */
};

/* Reads the files; none at all is one image without a name. Mistakes are gathered; a file that
 * cannot be read is an error. */
int config_set_read(struct config_set *set, const char *const *paths, size_t count,
		    struct error *error);

/* Keeps those of these names; none: all. Not a mistake but an error: a name that no image has. */
int config_set_choose(struct config_set *set, const char *const *names, size_t count,
		      struct error *error);

/* One image without a name, with defaults alone: what a failure is about before images are known.
 */
void config_set_default(struct config_set *set);

/* The number of an image; count: there is none of this name. */
size_t config_set_find(const struct config_set *set, const char *name);

/* "base, coco", to be freed; NULL when memory is out. */
char *config_set_names(const struct config_set *set);

/* Initialises a configuration, as config_init does. The output and the variant of an image with a
 * name of its own are made of that. */
int config_set_begin(struct config_set *set, size_t number, struct error *error);

/* What its file says. */
int config_set_fill(struct config_set *set, size_t number, struct error *error);

/* No two images have the same output, as far as their names tell. Gathered. */
int config_set_check(struct config_set *set, struct error *error);

/* All mistakes so far as one error, of kind ERROR_USAGE; 0: there are none. */
int config_set_report(struct config_set *set, struct error *error);

void config_set_free(struct config_set *set);

#endif
