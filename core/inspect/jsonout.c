/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/jsonout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "lib/cleanup.h"
#include "lib/hex.h"

json_object *json_begin(const char *kind)
{
	json_object *object = json_object_new_object();

	json_add_number(object, "schema_version", JSON_SCHEMA_VERSION);
	json_add_text(object, "kind", kind);
	json_add_text(object, "kataimg", KATAIMG_VERSION);
	return object;
}

json_object *json_of_text(const char *text)
{
	autofree char *utf8 = text ? text_utf8(text) : NULL;

	return utf8 ? json_object_new_string(utf8) : NULL;
}

void json_add_text(json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_of_text(text));
}

void json_add_number(json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

void json_add_flag(json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

void json_add_hex(json_object *object, const char *key, const uint8_t *bytes, size_t len)
{
	autofree char *text = malloc(2 * len + 1);

	if (text)
		hex_format(bytes, len, text);
	json_add_text(object, key, text);
}

const char *uuid_format(const uint8_t uuid[16], char text[UUID_TEXT_BYTES])
{
	char *end = text;

	for (int i = 0; i < 16; i++)
		end += sprintf(end, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			       uuid[i]);
	return text;
}

void json_add_uuid(json_object *object, const char *key, const uint8_t uuid[16])
{
	char text[UUID_TEXT_BYTES];

	json_add_text(object, key, uuid_format(uuid, text));
}

static void add_inodes(json_object *object, const struct kataimg_fs_info *info)
{
	bool counted = !(info->flags & KATAIMG_FS_INODES_NOT_COUNTED);

	json_object_object_add(object, "inodes",
			       counted ? json_object_new_uint64(info->inodes) : NULL);
	json_object_object_add(object, "free_inodes",
			       counted ? json_object_new_uint64(info->free_inodes) : NULL);
}

void json_add_filesystem(json_object *object, const struct kataimg_fs_info *info)
{
	bool sane = info->size_bytes > info->free_bytes; /* not so in a damaged one */

	json_add_text(object, "type", info->type);
	json_add_number(object, "size_bytes", info->size_bytes);
	json_add_number(object, "used_bytes", sane ? info->size_bytes - info->free_bytes : 0);
	json_add_number(object, "free_bytes", info->free_bytes);
	json_add_number(object, "block_bytes", info->block_bytes);
	add_inodes(object, info);
	json_add_uuid(object, "uuid", info->uuid);
	json_add_text(object, "label", info->label);
	json_add_text(object, "features", info->features);
	json_add_text(object, "min_kernel", info->min_kernel);
}

/* DEL, or a character from U+0080 to U+009f, which json-c leaves as they are: how many bytes. */
static size_t control_bytes(const unsigned char *at)
{
	if (at[0] == 0x7f)
		return 1;
	return at[0] == 0xc2 && at[1] < 0xa0 ? 2 : 0;
}

char *json_print(json_object *object)
{
	const char *text = json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	char *safe = text ? malloc(6 * strlen(text) + 1) : NULL, *to = safe;

	if (!safe)
		return NULL;
	for (const unsigned char *at = (const unsigned char *)text; *at;) {
		size_t len = control_bytes(at);

		if (len > 0)
			to += sprintf(to, "\\u%04x", at[len - 1]);
		else
			*to++ = (char)*at;
		at += len ? len : 1;
	}
	*to = '\0';
	return safe;
}
