/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/verity.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/round.h"

struct verity_params verity_default_params(void)
{
	return (struct verity_params){
		.data_block_bytes = VERITY_BLOCK_BYTES,
		.hash_block_bytes = VERITY_BLOCK_BYTES,
	};
}

size_t verity_digest_bytes(enum verity_hash hash)
{
	return hash == VERITY_SHA512 ? 64 : 32;
}

bool verity_block_is_valid(uint64_t block_bytes)
{
	return block_bytes >= VERITY_BLOCK_MIN_BYTES && block_bytes <= VERITY_BLOCK_MAX_BYTES &&
	       (block_bytes & (block_bytes - 1)) == 0;
}

uint64_t verity_digests_per_block(const struct verity_params *params)
{
	return params->hash_block_bytes / verity_digest_bytes(params->hash);
}

void verity_layout(const struct verity_params *params, struct verity_layout *layout)
{
	uint64_t below = params->data_blocks, at = 0;

	*layout = (struct verity_layout){ 0 };
	while (below > 1 && layout->levels < VERITY_LEVELS_MAX) {
		below = div_up(below, verity_digests_per_block(params));
		layout->blocks[layout->levels++] = below;
		layout->total_blocks += below;
	}
	for (unsigned int level = layout->levels; level > 0; level--) {
		layout->first_block[level - 1] = at;
		at += layout->blocks[level - 1];
	}
}

size_t verity_top_bytes(const struct verity_params *params)
{
	struct verity_layout layout;
	uint64_t count;

	verity_layout(params, &layout);
	count = layout.levels > 1 ? layout.blocks[layout.levels - 2] : params->data_blocks;
	return (size_t)count * verity_digest_bytes(params->hash);
}

uint64_t verity_tree_start(const struct verity_params *params)
{
	return params->superblock ? round_up(VERITY_SUPERBLOCK_BYTES, params->hash_block_bytes) : 0;
}

uint64_t verity_used_bytes(const struct verity_params *params)
{
	struct verity_layout layout;

	verity_layout(params, &layout);
	return verity_tree_start(params) + layout.total_blocks * params->hash_block_bytes;
}

uint64_t verity_area_bytes(const struct verity_params *params, uint64_t data_bytes)
{
	struct verity_params of_data = *params;

	of_data.data_blocks = data_bytes / params->data_block_bytes;
	if (of_data.data_blocks < 2)
		return 0;
	return round_up(verity_used_bytes(&of_data), VERITY_BLOCK_BYTES);
}

struct verity_hasher {
	EVP_MD_CTX *md;
	uint8_t salt[VERITY_SALT_MAX_BYTES];
	size_t salt_len;
};

static const EVP_MD *algorithm(enum verity_hash hash)
{
	return hash == VERITY_SHA512 ? EVP_sha512() : EVP_sha256();
}

struct verity_hasher *verity_hasher_new(const struct verity_params *params)
{
	struct verity_hasher *hasher autocall(cleanup_verity_hasher_free) =
		calloc(1, sizeof(*hasher));

	if (!hasher)
		return NULL;
	memcpy(hasher->salt, params->salt, params->salt_len);
	hasher->salt_len = params->salt_len;
	hasher->md = EVP_MD_CTX_new();
	if (!hasher->md || !EVP_DigestInit_ex(hasher->md, algorithm(params->hash), NULL))
		return NULL;
	return steal_ptr(&hasher);
}

void verity_hasher_free(struct verity_hasher *hasher)
{
	if (hasher)
		EVP_MD_CTX_free(hasher->md);
	free(hasher);
}

int verity_hash_block(struct verity_hasher *hasher, const uint8_t *block, size_t len,
		      uint8_t *digest)
{
	if (!EVP_DigestInit_ex(hasher->md, NULL, NULL) ||
	    !EVP_DigestUpdate(hasher->md, hasher->salt, hasher->salt_len) ||
	    !EVP_DigestUpdate(hasher->md, block, len) ||
	    !EVP_DigestFinal_ex(hasher->md, digest, NULL))
		return -EIO;
	return 0;
}
