/* SPDX-License-Identifier: Apache-2.0 */
/* A backend's own section, typed by the option table that the backend declares. */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/error.h"
#include "core/config/config.h"
#include "kataimg/backend.h"

/*
 * Reads all pairs of the backend's section. table's options are in the shape of this program's
 * header. *values has table->option_count members and is to be freed; its strings belong to the
 * configuration and the table. Errors as in config/config.h.
 */
int options_parse(const struct config *config, const struct kataimg_backend *table,
		  struct kataimg_value **values, struct error *error);

/* Is the value, as options_parse gives it, the one that the option of this number has by itself? */
bool options_is_default(const struct kataimg_backend *table, uint64_t index,
			const struct kataimg_value *value);

/*
 * Are they all right? What is not is gathered in the configuration. *values, as of options_parse,
 * is what can be tried all the same: a number or text that is wrong is as if it had not been given;
 * NULL when it is a choice, on which others may depend.
 */
int options_check(struct config *config, const struct kataimg_backend *table,
		  struct kataimg_value **values, struct error *error);

/* A backend's refusal of its option of this number, with its place: of kind ERROR_USAGE. */
void options_refuse(const struct config *config, const struct kataimg_backend *table,
		    uint64_t index, const char *why, struct error *error);

/* How a man page calls a value of the option, as config_describe_type. */
const char *option_describe_type(const struct kataimg_option *option, char *buf, size_t size);

#endif
