/* SPDX-License-Identifier: Apache-2.0 */
/* What the text and the JSON of an inspection have in common. */
#ifndef INSPECT_PRINT_H
#define INSPECT_PRINT_H

#include "core/inspect/inspect.h"

/* "sound", "unsound" or "unchecked". */
const char *inspect_verdict(const struct inspection *inspection);

/* The second table is one only when an info block leads to it. */
bool inspect_shows_view(const struct inspection *inspection, int number);

/* A GPT of which one copy is whole. */
bool inspect_shows_gpt(const struct inspection *inspection);

/* Both texts, at once, so that what goes wrong is known: 0 or -errno. */
int inspect_put(FILE *out, const char *text, const char *end);

#endif
