/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shell patterns over bytes, whatever the locale: * and ? match anything but '/', [a-z] and [!a-z]
 * one byte that is not '/', \ takes the next byte as it is, and a component ** any number of
 * directories, none too.
 */
#ifndef LIB_GLOB_H
#define LIB_GLOB_H

#include <stdbool.h>

/* Does the pattern match the whole text? */
bool glob_match(const char *pattern, const char *text);

#endif
