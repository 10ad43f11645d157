/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/verity.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hex.h"
#include "lib/round.h"

void verity_layout(uint64_t data_blocks, struct verity_layout *layout)
{
	uint64_t below = data_blocks, at = 0;

	*layout = (struct verity_layout){ 0 };
	while (below > 1 && layout->levels < VERITY_LEVELS_MAX) {
		below = div_up(below, VERITY_DIGESTS_PER_BLOCK);
		layout->blocks[layout->levels++] = below;
		layout->total_blocks += below;
	}
	for (unsigned int level = layout->levels; level > 0; level--) {
		layout->first_block[level - 1] = at;
		at += layout->blocks[level - 1];
	}
}

uint64_t verity_tree_bytes(uint64_t data_bytes)
{
	struct verity_layout layout;

	verity_layout(data_bytes / VERITY_BLOCK_BYTES, &layout);
	return layout.total_blocks * VERITY_BLOCK_BYTES;
}

struct verity_hasher {
	EVP_MD_CTX *md;
	uint8_t salt[VERITY_SALT_MAX_BYTES];
	size_t salt_len;
};

struct verity_hasher *verity_hasher_new(const struct verity_params *params)
{
	struct verity_hasher *hasher = calloc(1, sizeof(*hasher));

	if (!hasher)
		return NULL;
	memcpy(hasher->salt, params->salt, params->salt_len);
	hasher->salt_len = params->salt_len;
	hasher->md = EVP_MD_CTX_new();
	if (!hasher->md || !EVP_DigestInit_ex(hasher->md, EVP_sha256(), NULL)) {
		verity_hasher_free(hasher);
		return NULL;
	}
	return hasher;
}

void verity_hasher_free(struct verity_hasher *hasher)
{
	if (hasher)
		EVP_MD_CTX_free(hasher->md);
	free(hasher);
}

int verity_hash_block(struct verity_hasher *hasher, const uint8_t block[VERITY_BLOCK_BYTES],
		      uint8_t digest[DIGEST_BYTES])
{
	if (!EVP_DigestInit_ex(hasher->md, NULL, NULL) ||
	    !EVP_DigestUpdate(hasher->md, hasher->salt, hasher->salt_len) ||
	    !EVP_DigestUpdate(hasher->md, block, VERITY_BLOCK_BYTES) ||
	    !EVP_DigestFinal_ex(hasher->md, digest, NULL))
		return -EIO;
	return 0;
}

void verity_format_line(const struct verity_params *params, const uint8_t root[DIGEST_BYTES],
			char line[VERITY_LINE_BYTES])
{
	char *at = line + sprintf(line, "root_hash=");

	at = hex_format(root, DIGEST_BYTES, at);
	at += sprintf(at, ",salt=");
	at = hex_format(params->salt, params->salt_len, at);
	sprintf(at, ",data_blocks=%" PRIu64 ",data_block_size=%u,hash_block_size=%u",
		params->data_blocks, VERITY_BLOCK_BYTES, VERITY_BLOCK_BYTES);
}
