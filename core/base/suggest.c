/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/suggest.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 63

static unsigned int minimum(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Upper and lower case count as the same: who writes EXT4 means ext4. */
static bool is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

unsigned int suggest_distance(const char *a, const char *b)
{
	unsigned int row[NAME_MAX_BYTES + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > NAME_MAX_BYTES || b_len > NAME_MAX_BYTES)
		return UINT_MAX;
	for (unsigned int j = 0; j <= b_len; j++)
		row[j] = j;
	for (unsigned int i = 1; i <= a_len; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (unsigned int j = 1; j <= b_len; j++) {
			unsigned int replaced = diagonal + !is_same(a[i - 1], b[j - 1]);

			diagonal = row[j];
			row[j] = minimum(replaced, minimum(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_len];
}

void suggest_offer(struct suggestion *suggestion, const char *candidate)
{
	unsigned int distance = suggest_distance(suggestion->word, candidate);

	/* Where more than half of the name would have to change, it is another word and not a
	 * slip. */
	if (distance > strlen(candidate) / 2)
		return;
	if (!suggestion->nearest || distance < suggestion->distance) {
		suggestion->nearest = candidate;
		suggestion->distance = distance;
	}
}

const char *suggest_hint(const struct suggestion *suggestion, char hint[SUGGEST_HINT_BYTES])
{
	hint[0] = '\0';
	if (suggestion->nearest)
		snprintf(hint, SUGGEST_HINT_BYTES, "; did you mean %s?", suggestion->nearest);
	return hint;
}
