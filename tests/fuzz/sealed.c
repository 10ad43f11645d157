/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/sealed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 512u
#define SUM_OFF 148u
#define SUM_BYTES 8u
#define MAGIC_OFF 257u

static void seal(uint8_t *block)
{
	unsigned int sum = 0;
	char text[SUM_BYTES];

	memset(block + SUM_OFF, ' ', SUM_BYTES);
	for (size_t i = 0; i < BLOCK_BYTES; i++)
		sum += block[i];
	snprintf(text, sizeof(text), "%06o", sum & 0777777);
	memcpy(block + SUM_OFF, text, SUM_BYTES - 1);
}

struct fuzz_file fuzz_open_sealed(const uint8_t *bytes, size_t len)
{
	uint8_t *archive = malloc(len + 1);
	struct fuzz_file file;

	if (!archive)
		fuzz_fail("out of memory");
	memcpy(archive, bytes, len);
	for (size_t at = 0; at + BLOCK_BYTES <= len; at += BLOCK_BYTES)
		if (memcmp(archive + at + MAGIC_OFF, "ustar", 5) == 0)
			seal(archive + at);
	file = fuzz_open(archive, len);
	free(archive);
	return file;
}
