/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration as an INI file that gives the same image, each value with a comment that says
 * where it came from. What a backend does when nobody asks is no more than a comment: to give a
 * value that is the default is not always the same as not to give it.
 */
#ifndef CONFIG_PRINT_H
#define CONFIG_PRINT_H

#include <stdio.h>

#include "core/config/config.h"
#include "kataimg/backend.h"

/* Every value that a key has, in the words of an INI file: of a list as many as there are, of text
 * that nobody gave none. */
typedef void config_value_fn(void *arg, const char *text);
void config_each_value(const struct config *config, const struct config_key *key,
		       config_value_fn *take, void *arg);

/* A value that no INI file can hold is an error that names it and what is wrong with it. */
int config_check_printable(const struct config *config, const struct kataimg_backend *table,
			   struct error *error);

/* The core's sections. */
void config_print(const struct config *config, FILE *out);

/* The section of a backend, whose options are in the shape of this program's header. */
void config_print_backend(const struct config *config, const struct kataimg_backend *table,
			  FILE *out);

#endif
