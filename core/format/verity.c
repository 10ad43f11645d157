/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/verity.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
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

static int parse_number(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno || *end || *text < '0' || *text > '9' ? -EINVAL : 0;
}

/* What a line says, in the order of its fields. */
struct parsed_line {
	struct verity_params *params;
	uint8_t *root;
	bool rooted, *salted;
};

static int parse_root(struct parsed_line *parsed, const char *text)
{
	size_t len;
	int ret = hex_parse(text, parsed->root, DIGEST_BYTES, &len);

	parsed->rooted = true;
	return ret == 0 && len != DIGEST_BYTES ? -EINVAL : ret;
}

static int parse_salt(struct parsed_line *parsed, const char *text)
{
	struct verity_params *params = parsed->params;

	*parsed->salted = true;
	return hex_parse(text, params->salt, sizeof(params->salt), &params->salt_len);
}

static int parse_field(struct parsed_line *parsed, const char *field)
{
	const char *value = strchr(field, '=');
	uint64_t block_bytes;

	if (!value)
		return parsed->rooted ? -EINVAL : parse_root(parsed, field);
	value++;
	if (strncmp(field, "root_hash=", (size_t)(value - field)) == 0)
		return parse_root(parsed, value);
	if (strncmp(field, "salt=", (size_t)(value - field)) == 0)
		return parse_salt(parsed, value);
	if (strncmp(field, "data_blocks=", (size_t)(value - field)) == 0)
		return parse_number(value, &parsed->params->data_blocks);
	if (strncmp(field, "data_block_size=", (size_t)(value - field)) != 0 &&
	    strncmp(field, "hash_block_size=", (size_t)(value - field)) != 0)
		return -EINVAL;
	return parse_number(value, &block_bytes) < 0 || block_bytes != VERITY_BLOCK_BYTES ? -EINVAL
											  : 0;
}

int verity_parse_line(const char *line, struct verity_params *params, uint8_t root[DIGEST_BYTES],
		      bool *salted)
{
	struct parsed_line parsed = { .params = params, .root = root, .salted = salted };
	autofree char *fields = strndup(line, strcspn(line, "\r\n"));
	char *rest = NULL, *field = fields ? strtok_r(fields, ",", &rest) : NULL;
	int ret = fields ? 0 : -ENOMEM;

	*params = (struct verity_params){ 0 };
	*salted = false;
	for (; ret == 0 && field; field = strtok_r(NULL, ",", &rest))
		ret = parse_field(&parsed, field);
	return ret == 0 && !parsed.rooted ? -EINVAL : ret;
}
