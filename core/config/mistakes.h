/* SPDX-License-Identifier: Apache-2.0 */
/* Mistakes of a configuration, gathered, so that one run tells all of them. */
#ifndef CONFIG_MISTAKES_H
#define CONFIG_MISTAKES_H

#include <stddef.h>

#include "core/base/error.h"

#define MISTAKES_SHOWN 10 /* further ones are counted */

/* Zeros at the start. */
struct mistakes {
	struct mistake {
		char *text;        /* owned */
		unsigned int line; /* of the file; 0: it comes from elsewhere */
	} shown[MISTAKES_SHOWN];
	size_t count;
};

/*
 * What a check returned, with its error. One of kind ERROR_USAGE is taken over, with the line that
 * it is about: the result is 0, and error is as new. Any other stays and is the result.
 */
int mistakes_take(struct mistakes *mistakes, int ret, unsigned int line, struct error *error);

/* All of them in one error of kind ERROR_USAGE, by line, which forgets them; 0 when there are none.
 */
int mistakes_report(struct mistakes *mistakes, struct error *error);

void mistakes_clear(struct mistakes *mistakes);

#endif
