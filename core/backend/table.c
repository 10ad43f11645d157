/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a table acceptable, and the copy that evens out header versions. */
#include <stdlib.h>
#include <string.h>

#include "core/backend/loader.h"

#include "lib/calloc64.h"

/* Everything up to and with probe is in the first header; walk is reserved. */
#define TABLE_MIN_BYTES (offsetof(struct kataimg_backend, probe) + sizeof(void (*)(void)))
#define PROGRAMS_END (offsetof(struct kataimg_backend, programs) + sizeof(const char *const *))
#define OPTION_MIN_BYTES (offsetof(struct kataimg_option, type) + sizeof(uint32_t))

static int check_header(const struct kataimg_backend *table, const char *file, struct error *error)
{
	if (table->abi_version != KATAIMG_ABI_VERSION)
		return error_usage(error,
				   "%s: made for version %u of the backend interface, this kataimg "
				   "has version %u: rebuild the backend or use the kataimg it came "
				   "with",
				   file, table->abi_version, KATAIMG_ABI_VERSION);
	if (table->struct_size < TABLE_MIN_BYTES)
		return error_usage(error,
				   "%s: its table is truncated: %zu bytes, at least %zu are "
				   "needed: rebuild the backend",
				   file, table->struct_size, (size_t)TABLE_MIN_BYTES);
	return 0;
}

static const char *missing_callback(const struct kataimg_backend *table)
{
	if (!table->open)
		return "open";
	if (!table->plan)
		return "plan";
	if (!table->describe)
		return "describe";
	if (!table->write)
		return "write";
	if (!table->verify)
		return "verify";
	if (!table->close)
		return "close";
	if (!table->probe)
		return "probe";
	return NULL;
}

static int check_names(const struct kataimg_backend *table, const char *file,
		       const char *expected_name, struct error *error)
{
	if (!table->name || !backend_name_valid(table->name, strlen(table->name)))
		return error_usage(
			error, "%s: its table has a bad name: names are [a-z0-9][a-z0-9-]{0,31}",
			file);
	if (strcmp(table->name, expected_name) != 0)
		return error_usage(error,
				   "%s: its table says '%s', the file name says '%s': rename the "
				   "file to kataimg-%s-backend.so",
				   file, table->name, expected_name, table->name);
	if (!table->version || !table->summary)
		return error_usage(error, "%s: its table lacks a version or a summary", file);
	return 0;
}

static int check_option(const struct kataimg_option *option, const char *file, struct error *error)
{
	if (!option->name || !backend_name_valid(option->name, strlen(option->name)))
		return error_usage(error, "%s: an option has a bad name", file);
	if (option->type < KATAIMG_OPT_BOOL || option->type > KATAIMG_OPT_STRING)
		return error_usage(error, "%s: option %s has the unknown type %u", file,
				   option->name, option->type);
	if (option->type == KATAIMG_OPT_ENUM && (!option->choices || !option->choices[0]))
		return error_usage(error, "%s: option %s has no choices", file, option->name);
	return 0;
}

/* A backend that has no member to say it with may run what it will. */
static const char *const any_program[] = { "*", NULL };

static void copy_prefix(void *to, size_t to_size, const void *from, size_t from_size)
{
	memset(to, 0, to_size);
	memcpy(to, from, from_size < to_size ? from_size : to_size);
}

static int copy_options(const struct kataimg_backend *table, const char *file,
			struct kataimg_backend *copy, struct error *error)
{
	autofree struct kataimg_option *options = NULL;
	int ret = 0;

	if (table->option_count == 0)
		return 0;
	if (!table->options || table->option_size < OPTION_MIN_BYTES)
		return error_usage(error, "%s: its option table is missing or truncated", file);
	options = calloc64(table->option_count, sizeof(*options));
	if (!options)
		return error_nomem(error);
	for (uint64_t i = 0; ret == 0 && i < table->option_count; i++) {
		copy_prefix(&options[i], sizeof(*options),
			    (const char *)table->options + i * table->option_size,
			    table->option_size);
		if (!options[i].help)
			options[i].help = "";
		ret = check_option(&options[i], file, error);
	}
	if (ret == 0)
		copy->options = steal_ptr(&options);
	return ret;
}

int backend_check_table(const struct kataimg_backend *table, const char *file,
			const char *expected_name, struct kataimg_backend *copy,
			struct error *error)
{
	const char *missing;
	int ret = check_header(table, file, error);

	if (ret < 0)
		return ret;
	copy_prefix(copy, sizeof(*copy), table, table->struct_size);
	copy->struct_size = sizeof(*copy);
	copy->option_size = sizeof(struct kataimg_option);
	copy->options = NULL;
	if (table->struct_size < PROGRAMS_END)
		copy->programs = any_program;
	ret = check_names(copy, file, expected_name, error);
	if (ret < 0)
		return ret;
	missing = missing_callback(copy);
	if (missing)
		return error_usage(error, "%s: the required callback '%s' is missing", file,
				   missing);
	return copy_options(table, file, copy, error);
}
