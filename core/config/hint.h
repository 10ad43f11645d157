/* SPDX-License-Identifier: Apache-2.0 */
/* How messages show values, and what one that is refused was probably meant to be, when it looks
 * like another syntax. */
#ifndef CONFIG_HINT_H
#define CONFIG_HINT_H

#define VALUE_SHOWN_BYTES 200 /* a value's beginning is enough in a message */

/* A text to go behind a message: quotes, a shell's ~ and $, a # comment; else "". */
const char *value_hint(const char *value);

#endif
