/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/format/verity.h"
#include "lib/byteorder.h"
#include "lib/checked.h"

#define MAGIC "verity\0" /* and its NUL */
#define VERSION 1
#define HASH_TYPE 1
#define DATA_MAX_BYTES ((uint64_t)INT64_MAX)

struct superblock {
	uint8_t magic[8];
	le32 version;
	le32 hash_type;
	uint8_t uuid[16];
	char algorithm[32];
	le32 data_block_bytes;
	le32 hash_block_bytes;
	le64 data_blocks;
	le16 salt_len;
	uint8_t reserved[6];
	uint8_t salt[VERITY_SALT_MAX_BYTES];
	uint8_t rest[168];
};

static_assert(sizeof(struct superblock) == VERITY_SUPERBLOCK_BYTES, "as on disk");

const char *const verity_hash_names[] = { "sha256", "sha512", NULL };

void verity_superblock_encode(const struct verity_params *params, const uint8_t uuid[16],
			      uint8_t bytes[VERITY_SUPERBLOCK_BYTES])
{
	const char *name = verity_hash_names[params->hash];
	struct superblock superblock = {
		.version = to_le32(VERSION),
		.hash_type = to_le32(HASH_TYPE),
		.data_block_bytes = to_le32(params->data_block_bytes),
		.hash_block_bytes = to_le32(params->hash_block_bytes),
		.data_blocks = to_le64(params->data_blocks),
		.salt_len = to_le16((uint16_t)params->salt_len),
	};

	memcpy(superblock.magic, MAGIC, sizeof(superblock.magic));
	memcpy(superblock.uuid, uuid, sizeof(superblock.uuid));
	memcpy(superblock.algorithm, name, strlen(name));
	memcpy(superblock.salt, params->salt, params->salt_len);
	memcpy(bytes, &superblock, sizeof(superblock));
}

static int decode_hash(const struct superblock *superblock, enum verity_hash *hash)
{
	for (unsigned int i = 0; verity_hash_names[i]; i++)
		if (strncmp(superblock->algorithm, verity_hash_names[i],
			    sizeof(superblock->algorithm)) == 0) {
			*hash = (enum verity_hash)i;
			return 0;
		}
	return -ENOTSUP;
}

static int fail(int code, const char *what, const char **why)
{
	*why = what;
	return -code;
}

static int decode_blocks(const struct superblock *superblock, struct verity_params *params,
			 const char **why)
{
	uint64_t bytes;

	params->data_block_bytes = from_le32(superblock->data_block_bytes);
	params->hash_block_bytes = from_le32(superblock->hash_block_bytes);
	params->data_blocks = from_le64(superblock->data_blocks);
	if (!verity_block_is_valid(params->data_block_bytes) ||
	    !verity_block_is_valid(params->hash_block_bytes))
		return fail(ENOTSUP, "its blocks are not of 512 to 4096 bytes", why);
	if (checked_mul(params->data_blocks, params->data_block_bytes, &bytes) < 0 ||
	    bytes > DATA_MAX_BYTES || params->data_blocks < 2)
		return fail(EINVAL, "its number of data blocks cannot be", why);
	return 0;
}

static int decode_salt(const struct superblock *superblock, struct verity_params *params,
		       const char **why)
{
	params->salt_len = from_le16(superblock->salt_len);
	if (params->salt_len > sizeof(params->salt))
		return fail(EINVAL, "its salt is longer than the room for it", why);
	memcpy(params->salt, superblock->salt, params->salt_len);
	return 0;
}

int verity_superblock_decode(const uint8_t bytes[VERITY_SUPERBLOCK_BYTES],
			     struct verity_params *params, uint8_t uuid[16], const char **why)
{
	struct superblock superblock;
	int ret;

	memcpy(&superblock, bytes, sizeof(superblock));
	if (memcmp(superblock.magic, MAGIC, sizeof(superblock.magic)) != 0)
		return -ENODATA;
	*params = verity_default_params();
	params->superblock = true;
	memcpy(uuid, superblock.uuid, sizeof(superblock.uuid));
	if (from_le32(superblock.version) != VERSION)
		return fail(ENOTSUP, "its version is not 1", why);
	if (from_le32(superblock.hash_type) != HASH_TYPE)
		return fail(ENOTSUP, "its hash type is not 1", why);
	if (decode_hash(&superblock, &params->hash) < 0)
		return fail(ENOTSUP, "its hash is neither sha256 nor sha512", why);
	ret = decode_blocks(&superblock, params, why);
	return ret < 0 ? ret : decode_salt(&superblock, params, why);
}
