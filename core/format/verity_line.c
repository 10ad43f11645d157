/* SPDX-License-Identifier: Apache-2.0 */
/* Hash trees as text: the line for Kata's runtime, and the kernel's table. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/format/geometry.h"
#include "core/format/verity.h"
#include "lib/cleanup.h"
#include "lib/hex.h"

void verity_format_line(const struct verity_params *params, const uint8_t *root,
			uint64_t hash_start_block, char line[VERITY_LINE_BYTES])
{
	char *at = line + sprintf(line, "root_hash=");

	at = hex_format(root, verity_digest_bytes(params->hash), at);
	at += sprintf(at, ",salt=");
	at = hex_format(params->salt, params->salt_len, at);
	at += sprintf(
		at, ",data_blocks=%" PRIu64 ",data_block_size=%" PRIu32 ",hash_block_size=%" PRIu32,
		params->data_blocks, params->data_block_bytes, params->hash_block_bytes);
	if (params->hash != VERITY_SHA256)
		at += sprintf(at, ",hash=%s", verity_hash_names[params->hash]);
	if (hash_start_block)
		sprintf(at, ",hash_start_block=%" PRIu64, hash_start_block);
}

void verity_format_table(const struct verity_params *params, const uint8_t *root, const char *data,
			 const char *hash_device, uint64_t hash_start_block,
			 char table[VERITY_TABLE_BYTES])
{
	char digest[2 * VERITY_DIGEST_MAX_BYTES + 1], salt[2 * VERITY_SALT_MAX_BYTES + 1];

	hex_format(root, verity_digest_bytes(params->hash), digest);
	hex_format(params->salt, params->salt_len, salt);
	snprintf(table, VERITY_TABLE_BYTES,
		 "dm-verity,,,ro,0 %" PRIu64 " verity 1 %s %s %" PRIu32 " %" PRIu32 " %" PRIu64
		 " %" PRIu64 " %s %s %s",
		 params->data_blocks * (params->data_block_bytes / SECTOR_BYTES), data, hash_device,
		 params->data_block_bytes, params->hash_block_bytes, params->data_blocks,
		 hash_start_block, verity_hash_names[params->hash], digest, *salt ? salt : "-");
}

static int parse_number(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno || *end || *text < '0' || *text > '9' ? -EINVAL : 0;
}

/* What a line says. */
struct parsed_line {
	struct verity_params *params;
	uint8_t *root;
	size_t root_len; /* 0: not said yet */
	bool named;      /* the hash is */
	bool *salted;
};

static int parse_root(struct parsed_line *parsed, const char *text)
{
	return hex_parse(text, parsed->root, VERITY_DIGEST_MAX_BYTES, &parsed->root_len);
}

static int parse_salt(struct parsed_line *parsed, const char *text)
{
	struct verity_params *params = parsed->params;

	*parsed->salted = true;
	return hex_parse(text, params->salt, sizeof(params->salt), &params->salt_len);
}

static int parse_block(const char *text, uint32_t *block_bytes)
{
	uint64_t number;

	if (parse_number(text, &number) < 0 || !verity_block_is_valid(number))
		return -EINVAL;
	*block_bytes = (uint32_t)number;
	return 0;
}

static int parse_data_block(struct parsed_line *parsed, const char *text)
{
	return parse_block(text, &parsed->params->data_block_bytes);
}

static int parse_hash_block(struct parsed_line *parsed, const char *text)
{
	return parse_block(text, &parsed->params->hash_block_bytes);
}

static int parse_data_blocks(struct parsed_line *parsed, const char *text)
{
	return parse_number(text, &parsed->params->data_blocks);
}

static int parse_hash(struct parsed_line *parsed, const char *text)
{
	parsed->named = true;
	for (unsigned int i = 0; verity_hash_names[i]; i++)
		if (strcmp(text, verity_hash_names[i]) == 0) {
			parsed->params->hash = (enum verity_hash)i;
			return 0;
		}
	return -EINVAL;
}

/* Where the tree is, an image says itself. */
static int parse_start(struct parsed_line *parsed, const char *text)
{
	uint64_t ignored;

	(void)parsed;
	return parse_number(text, &ignored);
}

static int parse_field(struct parsed_line *parsed, const char *field)
{
	static const struct {
		const char *name;
		int (*parse)(struct parsed_line *parsed, const char *text);
	} fields[] = {
		{ "root_hash=", parse_root },
		{ "salt=", parse_salt },
		{ "data_blocks=", parse_data_blocks },
		{ "data_block_size=", parse_data_block },
		{ "hash_block_size=", parse_hash_block },
		{ "hash=", parse_hash },
		{ "hash_start_block=", parse_start },
	};

	if (!strchr(field, '='))
		return parsed->root_len ? -EINVAL : parse_root(parsed, field);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strncmp(field, fields[i].name, strlen(fields[i].name)) == 0)
			return fields[i].parse(parsed, field + strlen(fields[i].name));
	return -EINVAL;
}

static int settle_hash(const struct parsed_line *parsed)
{
	enum verity_hash *hash = &parsed->params->hash;

	if (!parsed->named)
		*hash = parsed->root_len == verity_digest_bytes(VERITY_SHA512) ? VERITY_SHA512
									       : VERITY_SHA256;
	return parsed->root_len == verity_digest_bytes(*hash) ? 0 : -EINVAL;
}

int verity_parse_line(const char *line, struct verity_params *params,
		      uint8_t root[VERITY_DIGEST_MAX_BYTES], bool *salted)
{
	struct parsed_line parsed = { .params = params, .root = root, .salted = salted };
	autofree char *fields = strndup(line, strcspn(line, "\r\n"));
	char *rest = NULL, *field = fields ? strtok_r(fields, ",", &rest) : NULL;
	int ret = fields ? 0 : -ENOMEM;

	*params = verity_default_params();
	*salted = false;
	for (; ret == 0 && field; field = strtok_r(NULL, ",", &rest))
		ret = parse_field(&parsed, field);
	return ret < 0 ? ret : settle_hash(&parsed);
}
