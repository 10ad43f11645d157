/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dm-verity hash trees, of hash type 1: a digest is that of salt and block; a hash block holds as
 * many of them as fit, both being powers of two; the level with one block comes first in the tree,
 * the digests of the data last (Linux, Documentation/admin-guide/device-mapper/verity.rst).
 *
 * A hash area is what lies in one place for a guest: veritysetup's superblock, if it is wanted, and
 * at the next multiple of a hash block the tree.
 */
#ifndef FORMAT_VERITY_H
#define FORMAT_VERITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/digest.h"
#include "core/base/error.h"

#define VERITY_BLOCK_BYTES 4096u /* of data and tree, unless something else is asked for */
#define VERITY_BLOCK_MIN_BYTES 512u
#define VERITY_BLOCK_MAX_BYTES 4096u /* no kernel takes more than its pages have */
#define VERITY_SALT_MAX_BYTES 256
#define VERITY_DIGEST_MAX_BYTES 64
#define VERITY_LEVELS_MAX 20 /* of 8 digests a block, and more data blocks than there can be */

enum verity_hash { VERITY_SHA256, VERITY_SHA512 };

struct verity_params {
	enum verity_hash hash;
	/* Powers of two, VERITY_BLOCK_MIN_BYTES .. VERITY_BLOCK_MAX_BYTES. */
	uint32_t data_block_bytes, hash_block_bytes;
	uint8_t salt[VERITY_SALT_MAX_BYTES];
	size_t salt_len;
	uint64_t data_blocks; /* of a tree: at least 2 */
	bool superblock;      /* is in front of the tree */
};

/* SHA-256 and blocks of 4096 bytes, nothing else. */
struct verity_params verity_default_params(void);

/* "sha256", as the kernel calls it; NULL-terminated, by enum verity_hash. */
extern const char *const verity_hash_names[];

size_t verity_digest_bytes(enum verity_hash hash);

/* Can a block of data or tree have so many bytes? */
bool verity_block_is_valid(uint64_t block_bytes);

/* Where each level's hash blocks are in the tree; level 0 has the digests of the data. */
struct verity_layout {
	unsigned int levels;
	uint64_t first_block[VERITY_LEVELS_MAX];
	uint64_t blocks[VERITY_LEVELS_MAX];
	uint64_t total_blocks;
};

void verity_layout(const struct verity_params *params, struct verity_layout *layout);

/* So many bytes of the block on top are digests; zeros follow. */
size_t verity_top_bytes(const struct verity_params *params);

/* How many digests a hash block holds. */
uint64_t verity_digests_per_block(const struct verity_params *params);

/* From the start of the hash area to that of the tree, a multiple of a hash block. */
uint64_t verity_tree_start(const struct verity_params *params);

/* The bytes from the start of the hash area to the end of the tree. */
uint64_t verity_used_bytes(const struct verity_params *params);

/* The bytes of the hash area for so many bytes of data, whatever data_blocks is: a multiple of
 * 4096, 0 where the data are too few for a tree. */
uint64_t verity_area_bytes(const struct verity_params *params, uint64_t data_bytes);

/* Hashes blocks with one salt; for one thread. */
struct verity_hasher;
struct verity_hasher *verity_hasher_new(const struct verity_params *params); /* NULL: no memory */
void verity_hasher_free(struct verity_hasher *hasher);
DEFINE_CLEANUP(struct verity_hasher, verity_hasher_free)
/* 0 or -EIO; as many bytes of digest as the hash has. */
int verity_hash_block(struct verity_hasher *hasher, const uint8_t *block, size_t len,
		      uint8_t *digest);

/*
 * The line that Kata's runtime reads, as far as its newline:
 * root_hash=HEX,salt=HEX,data_blocks=N,data_block_size=4096,hash_block_size=4096
 * and, only where that is not what the runtime takes for granted: ,hash=sha512 and
 * ,hash_start_block=N, from the start of the device that has the tree.
 */
#define VERITY_LINE_BYTES (2 * VERITY_DIGEST_MAX_BYTES + 2 * VERITY_SALT_MAX_BYTES + 192)
void verity_format_line(const struct verity_params *params, const uint8_t *root,
			uint64_t hash_start_block, char line[VERITY_LINE_BYTES]);

/*
 * Reads such a line, its fields in any order, as far as its end or a newline; root_hash= may be
 * missing in front of the first. salt may be missing: then *salted is false. data_blocks may, then
 * it is 0, and block sizes, which are 4096 then. Without hash= the length of the root hash tells
 * it. -EINVAL: something else.
 */
int verity_parse_line(const char *line, struct verity_params *params,
		      uint8_t root[VERITY_DIGEST_MAX_BYTES], bool *salted);

/*
 * The device that a guest makes, as the kernel's dm-mod.create= takes it; data and hash_device are
 * words like /dev/vda1. The first block of the tree is the hash_start_block-th of hash_device.
 */
#define VERITY_TABLE_BYTES (VERITY_LINE_BYTES + 512)
void verity_format_table(const struct verity_params *params, const uint8_t *root, const char *data,
			 const char *hash_device, uint64_t hash_start_block,
			 char table[VERITY_TABLE_BYTES]);

/*
 * veritysetup's superblock (cryptsetup's wiki, DMVerity: "Verity superblock format"; all numbers
 * little-endian):
 *
 *     0  "verity\0\0"       8  u32 version, 1      12  u32 hash type, 1
 *    16  UUID              32  name of the hash    64  u32 bytes of a data block
 *    68  u32 of a hash block                       72  u64 data blocks
 *    80  u16 bytes of salt 88  salt               344  zeros up to 512
 */
#define VERITY_SUPERBLOCK_BYTES 512u
void verity_superblock_encode(const struct verity_params *params, const uint8_t uuid[16],
			      uint8_t bytes[VERITY_SUPERBLOCK_BYTES]);

/* -ENODATA: there is none. -ENOTSUP: one of a kind that nothing here makes; *why says of which.
 * -EINVAL: one that contradicts itself; the same. */
int verity_superblock_decode(const uint8_t bytes[VERITY_SUPERBLOCK_BYTES],
			     struct verity_params *params, uint8_t uuid[16], const char **why);

#endif
