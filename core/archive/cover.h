/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a layer of a container image hides of the files of those below it, by names alone. Links are
 * not followed, so that it is a guess: of a file that is hidden the data need not be kept, and is
 * fetched if it turns out to be needed.
 */
#ifndef ARCHIVE_COVER_H
#define ARCHIVE_COVER_H

#include <stdbool.h>

#include "core/archive/reader.h"
#include "core/base/arena.h"
#include "lib/array.h"
#include "lib/hashtable.h"

struct cover {
	struct arena names;
	ARRAY(struct cover_name) items;
	struct hashtable table; /* of items, by their names */
};

/* Takes the member's name, of a layer. -ENOMEM. */
int cover_add(struct cover *cover, const struct archive_member *member);

/* Does it hide a file at the path, pathname_plain of which it is? */
bool cover_hides(const struct cover *cover, const char *plain);

void cover_release(struct cover *cover);

#endif
