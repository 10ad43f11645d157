/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/verity.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void verity_layout(uint64_t data_blocks, struct verity_layout *layout)
{
	uint64_t below = data_blocks, at = 0;

	*layout = (struct verity_layout){ 0 };
	while (below > 1 && layout->levels < VERITY_LEVELS_MAX) {
		below = (below - 1) / VERITY_DIGESTS_PER_BLOCK + 1;
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

	at = digest_format_hex(root, DIGEST_BYTES, at);
	at += sprintf(at, ",salt=");
	at = digest_format_hex(params->salt, params->salt_len, at);
	sprintf(at, ",data_blocks=%" PRIu64 ",data_block_size=%u,hash_block_size=%u",
		params->data_blocks, VERITY_BLOCK_BYTES, VERITY_BLOCK_BYTES);
}

static int hex_digit(char digit)
{
	const char digits[] = "0123456789abcdef";
	const char *at = digit ? strchr(digits, digit | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

int verity_parse_hex(const char *text, uint8_t *bytes, size_t max_len, size_t *len)
{
	size_t digits = strlen(text);

	if (digits % 2 != 0 || digits / 2 > max_len)
		return -EINVAL;
	for (size_t i = 0; i < digits / 2; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	*len = digits / 2;
	return 0;
}
