/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as kataimg prints it, for inspections and reports alike: docs/json.md says what every
 * program may rely on. It is printed as it is made, member by member, and needs no memory: a stream
 * (base/textstream.h) knows whether all of it could be kept.
 */
#ifndef INSPECT_JSONOUT_H
#define INSPECT_JSONOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/format/gpt.h"
#include "kataimg/backend.h"

/* Grows by one when a member is taken away or means something else, not when one is added. */
#define JSON_SCHEMA_VERSION 1

/* A document on its way: two spaces a level, no newline at the end. */
struct json {
	FILE *out;
	unsigned int depth;
	bool begun; /* what is open has a member */
};

/* Opens a document's object with its version, its kind, the program's version. */
void json_begin(struct json *json, FILE *out, const char *kind);

/* bracket is { or [, and to close it } or ]. key is NULL in an array, here as below. */
void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);

void json_add_null(struct json *json, const char *key);
/* Bytes that are no UTF-8 become \xNN, and no control character is printed raw, so that a document
 * can be shown; NULL becomes null. */
void json_add_text(struct json *json, const char *key, const char *text);
void json_add_number(struct json *json, const char *key, uint64_t value);
void json_add_signed(struct json *json, const char *key, int64_t value);
void json_add_seconds(struct json *json, const char *key, double value);
void json_add_flag(struct json *json, const char *key, bool value);
void json_add_hex(struct json *json, const char *key, const uint8_t *bytes, size_t len);
void json_add_uuid(struct json *json, const char *key, const uint8_t uuid[16]);

/* What a GPT says of a partition, as members of what is open; NULL: nulls. */
void json_add_gpt_label(struct json *json, const struct gpt_label *label);

/* What a filesystem says of itself, but for its facts; what it does not count is null. */
void json_add_filesystem(struct json *json, const struct kataimg_fs_info *info);

#endif
