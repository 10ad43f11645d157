/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The syntax of single values, the same in every section. Each function returns 0, or -EINVAL with
 * an error of kind ERROR_USAGE that says what was expected; callers put the place in front of it.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"

/* yes or no. */
int value_parse_bool(const char *text, bool *result, struct error *error);

/* Decimal, or hexadecimal with 0x. min and max both 0: no bounds. */
int value_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *result,
		    struct error *error);

/* Decimal bytes, or with one of K, M, G, T, in either case, and with iB behind it or a blank in
 * front of it: multiples of 1024. Bounds as above. */
int value_parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *result,
		     struct error *error);

/* One of choices (NULL-terminated); *index is its place. */
int value_parse_choice(const char *text, const char *const *choices, unsigned int *index,
		       struct error *error);

/* "a|b|c", cut to size. Returns buf. */
const char *value_join_choices(const char *const *choices, char *buf, size_t size);

#endif
