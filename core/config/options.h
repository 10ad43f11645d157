/* SPDX-License-Identifier: Apache-2.0 */
/* A backend's own section, typed by the option table that the backend declares. */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/config/config.h"
#include "kataimg/backend.h"

/* A backend's table as its binary has it. */
struct option_table {
	const char *section; /* the backend's name */
	const struct kataimg_option *options;
	uint64_t count;
	uint32_t stride; /* sizeof(struct kataimg_option) when the backend was compiled */
};

/* The i-th option; members that the backend does not know are 0. */
struct kataimg_option option_at(const struct option_table *table, uint64_t i);

/*
 * Reads all pairs of the table's section. *values has table->count members and is to be freed; its
 * strings belong to the configuration and the backend. Errors as in config/config.h.
 */
int options_parse(const struct option_table *table, const struct config *config,
		  struct kataimg_value **values, struct error *error);

/* How a man page calls a value of the option, as config_describe_type. */
const char *option_describe_type(const struct kataimg_option *option, char *buf, size_t size);

#endif
