/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hex.h"

static const char separator[] = "\n--\n";

static void write_all(FILE *out, const void *bytes, size_t len)
{
	if (len && fwrite(bytes, len, 1, out) != 1)
		fuzz_fail("out of memory");
}

/* The part's text with what it says of others. */
static void resolve(struct fuzz_parts *parts, struct fuzz_part *part, const uint8_t *bytes,
		    size_t len)
{
	FILE *out = open_memstream((char **)&part->bytes, &part->len);

	if (!out)
		fuzz_fail("out of memory");
	for (size_t i = 0; i < len; i++) {
		size_t number = i + 1 < len ? (size_t)(bytes[i + 1] - '0') : FUZZ_PARTS_MAX;
		const struct fuzz_part *other =
			number < parts->count ? &parts->items[number] : NULL;

		if (!other || !other->bytes || (bytes[i] != '@' && bytes[i] != '#')) {
			write_all(out, &bytes[i], 1);
			continue;
		}
		if (bytes[i] == '@')
			fprintf(out, "%s", other->digest);
		else
			fprintf(out, "%zu", other->len);
		i++;
	}
	if (fclose(out) != 0)
		fuzz_fail("out of memory");
}

static void name(struct fuzz_part *part)
{
	struct digest *digest autocall(cleanup_digest_free) = digest_new();
	uint8_t sum[DIGEST_BYTES];

	if (!digest || digest_update(digest, part->bytes, part->len) < 0 ||
	    digest_final(digest, sum) < 0)
		fuzz_fail("SHA-256 failed");
	hex_format(sum, sizeof(sum), part->digest);
}

/* The last part first, as others name it. */
void fuzz_parts_split(struct fuzz_parts *parts, const uint8_t *bytes, size_t len)
{
	const uint8_t *starts[FUZZ_PARTS_MAX + 1] = { bytes };

	*parts = (struct fuzz_parts){ .count = 1 };
	while (parts->count < FUZZ_PARTS_MAX) {
		const uint8_t *from = starts[parts->count - 1];
		const uint8_t *end = memmem(from, len - (size_t)(from - bytes), separator,
					    sizeof(separator) - 1);

		if (!end)
			break;
		starts[parts->count++] = end + sizeof(separator) - 1;
	}
	starts[parts->count] = bytes + len + sizeof(separator) - 1;
	for (size_t i = parts->count; i-- > 0;) {
		size_t part_len = (size_t)(starts[i + 1] - starts[i]) - (sizeof(separator) - 1);

		resolve(parts, &parts->items[i], starts[i], part_len);
		name(&parts->items[i]);
	}
}

void fuzz_parts_free(struct fuzz_parts *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		free(parts->items[i].bytes);
}
