/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/jsonout.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/text.h"
#include "core/format/discoverable.h"

static void print_indent(const struct json *json)
{
	fprintf(json->out, "\n%*s", 2 * (int)json->depth, "");
}

/* One of RFC 8259's short forms, or NULL. */
static const char *short_form(unsigned char byte)
{
	switch (byte) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\b':
		return "\\b";
	case '\f':
		return "\\f";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		return NULL;
	}
}

/* A character, or the \xNN in the place of one. */
static void print_piece(FILE *out, const char *piece)
{
	const unsigned char *at = (const unsigned char *)piece;

	if (at[0] == 0xc2 && at[1] < 0xa0) { /* U+0080 to U+009f: controls as well */
		fprintf(out, "\\u%04x", at[1]);
		return;
	}
	for (; *at; at++)
		if (short_form(*at))
			fputs(short_form(*at), out);
		else if (*at < 0x20 || *at == 0x7f)
			fprintf(out, "\\u%04x", *at);
		else
			fputc(*at, out);
}

static void print_string(FILE *out, const char *text)
{
	char piece[TEXT_PIECE_BYTES];

	fputc('"', out);
	while (*text) {
		text += text_first(text, piece);
		print_piece(out, piece);
	}
	fputc('"', out);
}

/* What stands before each value. */
static void begin_member(struct json *json, const char *key)
{
	if (json->begun)
		fputc(',', json->out);
	if (json->depth > 0)
		print_indent(json);
	if (key) {
		print_string(json->out, key);
		fputc(':', json->out);
	}
	json->begun = true;
}

void json_open(struct json *json, const char *key, char bracket)
{
	begin_member(json, key);
	fputc(bracket, json->out);
	json->depth++;
	json->begun = false;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	print_indent(json);
	fputc(bracket, json->out);
	json->begun = true;
}

void json_begin(struct json *json, FILE *out, const char *kind)
{
	*json = (struct json){ .out = out };
	json_open(json, NULL, '{');
	json_add_number(json, "schema_version", JSON_SCHEMA_VERSION);
	json_add_text(json, "kind", kind);
	json_add_text(json, "kataimg", KATAIMG_VERSION);
}

void json_add_null(struct json *json, const char *key)
{
	begin_member(json, key);
	fputs("null", json->out);
}

void json_add_text(struct json *json, const char *key, const char *text)
{
	if (!text) {
		json_add_null(json, key);
		return;
	}
	begin_member(json, key);
	print_string(json->out, text);
}

void json_add_number(struct json *json, const char *key, uint64_t value)
{
	begin_member(json, key);
	fprintf(json->out, "%" PRIu64, value);
}

void json_add_signed(struct json *json, const char *key, int64_t value)
{
	begin_member(json, key);
	fprintf(json->out, "%" PRId64, value);
}

void json_add_seconds(struct json *json, const char *key, double value)
{
	begin_member(json, key);
	fprintf(json->out, "%.6f", value);
}

void json_add_flag(struct json *json, const char *key, bool value)
{
	begin_member(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_add_hex(struct json *json, const char *key, const uint8_t *bytes, size_t len)
{
	begin_member(json, key);
	fputc('"', json->out);
	for (size_t i = 0; i < len; i++)
		fprintf(json->out, "%02x", bytes[i]);
	fputc('"', json->out);
}

void json_add_uuid(struct json *json, const char *key, const uint8_t uuid[16])
{
	char text[GUID_TEXT_BYTES];

	json_add_text(json, key, guid_format(uuid, text));
}

static void add_gpt_nulls(struct json *json)
{
	static const char *const members[] = { "type_guid",  "type_name", "guid", "name",
					       "attributes", "read_only", "grow" };

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		json_add_null(json, members[i]);
}

void json_add_gpt_label(struct json *json, const struct gpt_label *label)
{
	char type[DISCOVERABLE_NAME_BYTES], attributes[19];

	if (!label) {
		add_gpt_nulls(json);
		return;
	}
	json_add_uuid(json, "type_guid", label->type);
	json_add_text(json, "type_name", discoverable_type_name(label->type, type));
	json_add_uuid(json, "guid", label->guid);
	json_add_text(json, "name", label->name);
	snprintf(attributes, sizeof(attributes), "0x%016" PRIx64, label->attributes);
	json_add_text(json, "attributes", attributes);
	json_add_flag(json, "read_only", label->attributes & GPT_READ_ONLY);
	json_add_flag(json, "grow", label->attributes & GPT_GROW_FILESYSTEM);
}

static void add_inodes(struct json *json, const struct kataimg_fs_info *info)
{
	if (info->flags & KATAIMG_FS_INODES_NOT_COUNTED) {
		json_add_null(json, "inodes");
		json_add_null(json, "free_inodes");
		return;
	}
	json_add_number(json, "inodes", info->inodes);
	json_add_number(json, "free_inodes", info->free_inodes);
}

void json_add_filesystem(struct json *json, const struct kataimg_fs_info *info)
{
	bool sane = info->size_bytes > info->free_bytes; /* not so in a damaged one */

	json_add_text(json, "type", info->type);
	json_add_number(json, "size_bytes", info->size_bytes);
	json_add_number(json, "used_bytes", sane ? info->size_bytes - info->free_bytes : 0);
	json_add_number(json, "free_bytes", info->free_bytes);
	json_add_number(json, "block_bytes", info->block_bytes);
	add_inodes(json, info);
	json_add_uuid(json, "uuid", info->uuid);
	json_add_text(json, "label", info->label);
	json_add_text(json, "features", info->features);
	json_add_text(json, "min_kernel", info->min_kernel);
}
