/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key of an image before it is made: SHA-256 of a text that has all that can decide a byte of
 * it and of what is published with it. Equal keys mean equal images.
 *
 * Lines are NAME VALUE, a text as "LENGTH:bytes" so that no two lists read the same. First come the
 * versions of what makes the image, then the configuration as it was settled, the backend's
 * options, and at last the finished tree's metadata and its files' data as a digest each. A tree is
 * what it is wherever it came from: where the source lies, and whether it is a directory or packed,
 * is not in it, and nothing of the places that the image and what speaks of it go to.
 */
#ifndef BUILDER_KEY_H
#define BUILDER_KEY_H

#include <stdio.h>

#include "core/base/error.h"

struct build;

void key_print_text(FILE *out, const char *name, const char *text);

/* The text, of an image whose tree is loaded: build->key_text. */
int build_make_key(struct build *build, struct error *error);

/* On stdout the key, of a named image with its name behind it; or text, all that it is the digest
 * of. */
int key_print(const struct build *build, bool text, struct error *error);

#endif
