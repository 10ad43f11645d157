/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean": the known name that is nearest to a mistyped one. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#define SUGGEST_HINT_BYTES 96

/* Starts as { .word = the mistyped name }; the candidates must live as long. */
struct suggestion {
	const char *word;
	const char *nearest; /* NULL: nothing is near enough */
	unsigned int distance;
};

void suggest_offer(struct suggestion *suggestion, const char *candidate);

/* "; did you mean NAME?", or "" when nothing was near. Returns hint. */
const char *suggest_hint(const struct suggestion *suggestion, char hint[SUGGEST_HINT_BYTES]);

/* Levenshtein's distance of two names, upper and lower case the same; what is longer than 63 bytes
 * is far from everything. */
unsigned int suggest_distance(const char *a, const char *b);

#endif
