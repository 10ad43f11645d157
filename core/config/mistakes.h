/* SPDX-License-Identifier: Apache-2.0 */
/* Mistakes of a configuration, or of all of a run, gathered, so that one run tells all of them. */
#ifndef CONFIG_MISTAKES_H
#define CONFIG_MISTAKES_H

#include "core/base/error.h"
#include "lib/array.h"

#define MISTAKES_SHOWN 10 /* further ones are counted */

struct mistake {
	char *text;        /* owned */
	unsigned int file; /* its place among those of the run */
	unsigned int line; /* of the file; 0: it comes from elsewhere */
	size_t number;     /* in the order in which they were found */
	const char *image; /* that it is one of; NULL: of all */
};

/* Zeros at the start. */
struct mistakes {
	ARRAY(struct mistake) all;
	unsigned int file; /* of those that are taken now */
	const char *image; /* the same; it must outlive them */
};

/*
 * What a check returned, with its error. One of kind ERROR_USAGE is taken over, with the line that
 * it is about: the result is 0, and error is as new. Any other stays and is the result.
 */
int mistakes_take(struct mistakes *mistakes, int ret, unsigned int line, struct error *error);

/* Those of another, which is empty then. -ENOMEM. */
int mistakes_move(struct mistakes *to, struct mistakes *from);

/*
 * All of them in one error of kind ERROR_USAGE, by line, which forgets them; 0 when there are none.
 * One that several images share is told once; it says which, unless all of images do.
 */
int mistakes_report(struct mistakes *mistakes, size_t images, struct error *error);

void mistakes_clear(struct mistakes *mistakes);

#endif
