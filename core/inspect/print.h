/* SPDX-License-Identifier: Apache-2.0 */
/* What the text and the JSON of an inspection have in common. */
#ifndef INSPECT_PRINT_H
#define INSPECT_PRINT_H

#include "core/inspect/inspect.h"

/* An image's label can be any bytes: what is not plain text becomes \xNN. */
#define INSPECT_LABEL_BYTES (4 * 64 + 1)
const char *inspect_format_label(const char *label, char text[INSPECT_LABEL_BYTES]);

/* "sound", "unsound" or "unchecked". */
const char *inspect_verdict(const struct inspection *inspection);

/* 0 when a damaged one has more free bytes than it has. */
uint64_t inspect_used_bytes(const struct kataimg_fs_info *info);

/* The second table is one only when an info block leads to it. */
bool inspect_shows_view(const struct inspection *inspection, int number);

/* Both texts, at once, so that what goes wrong is known: 0 or -errno. */
int inspect_put(FILE *out, const char *text, const char *end);

#endif
