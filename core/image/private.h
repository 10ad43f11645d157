/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of an output, for those who publish it. */
#ifndef IMAGE_PRIVATE_H
#define IMAGE_PRIVATE_H

#include "core/image/output.h"

struct output {
	const char *what; /* static: what messages call it */
	char *given;      /* the path as it was given; NULL: none was, or it is that of a link */
	char *path;       /* absolute, symbolic links resolved */
	const char *file; /* its last component, inside path */
	char *temporary;  /* the name in dir while there is one */
	int dir;
	int fd;
};

/* An unnamed file gets a temporary name. */
int output_stage(struct output *output, struct error *error);

/* Waits until the name is on the disk. */
int output_sync_name(struct output *output, struct error *error);

#endif
