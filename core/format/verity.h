/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dm-verity hash trees: hash type 1, SHA-256, 4096-byte data and hash blocks, no superblock. A
 * digest is SHA-256(salt, block); a hash block holds 128 of them; the level with one block comes
 * first in the hash area, the digests of the data last (Linux,
 * Documentation/admin-guide/device-mapper/verity.rst).
 */
#ifndef FORMAT_VERITY_H
#define FORMAT_VERITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/digest.h"
#include "core/base/error.h"

#define VERITY_BLOCK_BYTES 4096u
#define VERITY_DIGESTS_PER_BLOCK (VERITY_BLOCK_BYTES / DIGEST_BYTES)
#define VERITY_SALT_MAX_BYTES 256
#define VERITY_LEVELS_MAX 8

struct verity_params {
	uint8_t salt[VERITY_SALT_MAX_BYTES];
	size_t salt_len;
	uint64_t data_blocks; /* at least 1 */
};

/* Where each level's hash blocks are in the hash area; level 0 has the digests of the data. */
struct verity_layout {
	unsigned int levels;
	uint64_t first_block[VERITY_LEVELS_MAX];
	uint64_t blocks[VERITY_LEVELS_MAX];
	uint64_t total_blocks;
};

void verity_layout(uint64_t data_blocks, struct verity_layout *layout);

/* The bytes of the hash area for so many bytes of data, a multiple of 4096. */
uint64_t verity_tree_bytes(uint64_t data_bytes);

/* Hashes blocks with one salt; for one thread. */
struct verity_hasher;
struct verity_hasher *verity_hasher_new(const struct verity_params *params); /* NULL: no memory */
void verity_hasher_free(struct verity_hasher *hasher);
int verity_hash_block(struct verity_hasher *hasher, const uint8_t block[VERITY_BLOCK_BYTES],
		      uint8_t digest[DIGEST_BYTES]); /* 0 or -EIO */

/*
 * The line that Kata's runtime reads, as far as its newline:
 * root_hash=HEX,salt=HEX,data_blocks=N,data_block_size=4096,hash_block_size=4096
 */
#define VERITY_LINE_BYTES (2 * DIGEST_BYTES + 2 * VERITY_SALT_MAX_BYTES + 128)
void verity_format_line(const struct verity_params *params, const uint8_t root[DIGEST_BYTES],
			char line[VERITY_LINE_BYTES]);

/*
 * Reads such a line, its fields in any order, as far as its end or a newline; root_hash= may be
 * missing in front of the first. salt may be missing: then *salted is false. data_blocks may, then
 * it is 0. -EINVAL: something else, or other block sizes.
 */
int verity_parse_line(const char *line, struct verity_params *params, uint8_t root[DIGEST_BYTES],
		      bool *salted);

#endif
