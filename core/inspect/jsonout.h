/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as kataimg prints it, for inspections and reports alike: docs/json.md says what every
 * program may rely on. Objects that memory has no room for come out as null.
 */
#ifndef INSPECT_JSONOUT_H
#define INSPECT_JSONOUT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kataimg/backend.h"

/* Grows by one when a member is taken away or means something else, not when one is added. */
#define JSON_SCHEMA_VERSION 1

/* A document: its version, its kind, the program's version. */
json_object *json_begin(const char *kind);

/* Bytes that are no UTF-8 become \xNN; NULL becomes null. */
json_object *json_of_text(const char *text);
void json_add_text(json_object *object, const char *key, const char *text);

void json_add_number(json_object *object, const char *key, uint64_t value);
void json_add_flag(json_object *object, const char *key, bool value);
void json_add_hex(json_object *object, const char *key, const uint8_t *bytes, size_t len);
void json_add_uuid(json_object *object, const char *key, const uint8_t uuid[16]);

/* What a filesystem says of itself, but for its facts; what it does not count is null. */
void json_add_filesystem(json_object *object, const struct kataimg_fs_info *info);

/* Two spaces a level, no newline at the end; no control character but ends of lines is in it raw,
 * so that it can be shown. To be freed; NULL when memory is out. */
char *json_print(json_object *object);

/* 8-4-4-4-12 digits. */
#define UUID_TEXT_BYTES 37
const char *uuid_format(const uint8_t uuid[16], char text[UUID_TEXT_BYTES]);

#endif
