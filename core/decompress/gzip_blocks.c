/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blocks of bgzip: gzip members of at most 64 KiB of content, whose header says in a field "BC"
 * how long they are. SAM/BAM format specification, "The BGZF compression format".
 */
#include <string.h>

#include "core/decompress/codec.h"
#include "lib/byteorder.h"

/* Without a name or other fields the header is always the same, but for time and system. */
struct gzip_block {
	uint8_t magic[4]; /* with flags, of which there is one: extra fields */
	uint8_t time[4], level, system;
	le16 extra_len;
	uint8_t id[2];
	le16 id_len, block_len; /* of the whole block, less one */
};

#define CONTENT_BYTES_MAX 65536

bool gzip_measure_block(const uint8_t *bytes, size_t len, size_t *in_len, size_t *out_len)
{
	struct gzip_block block;
	le32 content_len;

	if (len < sizeof(block))
		return false;
	memcpy(&block, bytes, sizeof(block));
	*in_len = (size_t)from_le16(block.block_len) + 1;
	if (memcmp(block.magic, "\x1f\x8b\x08\x04", 4) != 0 || from_le16(block.extra_len) != 6 ||
	    memcmp(block.id, "BC", 2) != 0 || from_le16(block.id_len) != 2 || *in_len > len ||
	    *in_len < sizeof(block) + sizeof(content_len))
		return false;
	memcpy(&content_len, bytes + *in_len - sizeof(content_len), sizeof(content_len));
	*out_len = from_le32(content_len);
	return *out_len <= CONTENT_BYTES_MAX;
}
