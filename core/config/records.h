/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration's file as it was written: what its lines say, before it is known of which image.
 */
#ifndef CONFIG_RECORDS_H
#define CONFIG_RECORDS_H

#include <stdbool.h>

#include "core/config/mistakes.h"
#include "lib/array.h"

#define RECORD_NAME_MAX 64 /* bytes of an image's name */

/* One [section] or, with a name and value, a key in one. All owned. */
struct record {
	char *section;
	char *image; /* of [section IMAGE]; NULL: a plain one */
	char *name, *value;
	unsigned int line;
};

struct records {
	char *path;      /* owned: for messages */
	char *directory; /* owned: of the file; NULL: the working directory */
	ARRAY(struct record) all;
};

/* Reads a file, "-": standard input. What is wrong in its syntax is gathered; a file that cannot be
 * read is an error. records_free is to be called in any case. */
int records_read(struct records *records, const char *path, struct mistakes *mistakes,
		 struct error *error);
void records_free(struct records *records);

/* May an image be called so? Letters, digits and "._-", the first none of these. */
bool record_name_valid(const char *name);

#endif
