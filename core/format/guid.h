/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GUIDs and UUIDs, as text and as bytes in the order of the text. A GPT stores the first three
 * fields little-endian (UEFI specification, appendix A).
 */
#ifndef FORMAT_GUID_H
#define FORMAT_GUID_H

#include <stdint.h>

#define GUID_BYTES 16
#define GUID_TEXT_BYTES 37 /* 8-4-4-4-12 digits and a NUL */

/* Small letters. Returns text. */
const char *guid_format(const uint8_t guid[GUID_BYTES], char text[GUID_TEXT_BYTES]);

/* Letters of either case; -EINVAL when the text is anything else. */
int guid_parse(const char *text, uint8_t guid[GUID_BYTES]);

/* From the order of a GPT to that of the text; the way back is the same. */
void guid_swap(const uint8_t from[GUID_BYTES], uint8_t to[GUID_BYTES]);

#endif
