/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of any value in a line of words: names as vis(3) has them, attribute values in base64. */
#ifndef MTREE_TEXT_H
#define MTREE_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* What would end a word or could be taken for something else becomes \ooo. */
void mtree_put_escaped(FILE *out, const char *bytes, size_t len);

/* Undoes it in place, and the letters of C too; -EINVAL: a sequence that means nothing, or NUL. */
int mtree_unescape(char *text);

void mtree_put_base64(FILE *out, const void *bytes, size_t len);

/* In place; *len: how many bytes there are. -EINVAL. */
int mtree_decode_base64(char *text, size_t *len);

#endif
