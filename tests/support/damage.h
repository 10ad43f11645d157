/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filesystem that the backend under test has built, damaged in one number at a time and read
 * back. Whatever the number, the reader must end with a tree or one of its refusals; which of them
 * came is kept, to be held against those that there are.
 */
#ifndef SUPPORT_DAMAGE_H
#define SUPPORT_DAMAGE_H

#include "check/support/memtree.h"
#include "check/support/trial.h"

#define DAMAGE_SENTENCES_MAX 256
#define DAMAGE_SENTENCE_BYTES 160

struct damage {
	const struct trial *trial;
	char said[DAMAGE_SENTENCES_MAX][DAMAGE_SENTENCE_BYTES]; /* each number as '#' */
	size_t said_count;
};

/* What a test damages: its tree, and the filesystem that was built of it. */
struct damaged {
	struct memtree *tree;
	struct trial *trial;
	struct damage damage;
};

/* Releases the one that cmocka's state is. */
int damaged_tear_down(void **state);

/* What has a checksum, and how that is made right. */
struct damage_object {
	uint64_t off;
	size_t len;
	void (*seal)(uint8_t *object, size_t len); /* NULL: it has none */
};

/* Damages bytes [from, to) of the object: single bits, and numbers of all widths that are at their
 * ends or one more. */
void damage_walk(struct damage *damage, const struct damage_object *object, size_t from, size_t to);

/* What the reader says of the object with other bytes at `at`: that this is part of it, or NULL: it
 * reads all of it. Ends the test if it says something else. */
void damage_expect(struct damage *damage, const struct damage_object *object, size_t at,
		   const void *bytes, size_t len, const char *text);

/* Was each of the texts part of a sentence? Ends the test with those that were not. */
void damage_check_said(const struct damage *damage, const char *const *texts, size_t count);

#endif
