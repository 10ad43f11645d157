/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Man pages and shell completion out of the tables that the program itself is driven by. A template
 * is copied line by line; a line that is the name of an expansion, "@OPTIONS inspect@", is replaced
 * by what it writes.
 */
#ifndef DOCS_GENERATE_H
#define DOCS_GENERATE_H

#include <stdio.h>

#include "kataimg/backend.h"

/* argument is what stands behind the name, "" when nothing does. backend is NULL unless one was
 * named. */
typedef void expansion_fn(FILE *out, const char *argument, const struct kataimg_backend *backend);

/* Man pages: roff. */
expansion_fn man_version;         /* @VERSION TITLE@: .TH */
expansion_fn man_synopsis;        /* @SYNOPSIS@: a line a command */
expansion_fn man_options;         /* @OPTIONS [COMMAND]@ */
expansion_fn man_environment;     /* @ENVIRONMENT@: that of image_builder.sh */
expansion_fn man_sections;        /* @SECTIONS@: all keys of the configuration */
expansion_fn man_backend_title;   /* @BACKEND-TITLE@: .TH and NAME */
expansion_fn man_backend_options; /* @BACKEND-OPTIONS@ */

/* Completion. */
expansion_fn bash_commands;  /* @BASH-COMMANDS@: the options, a case a command */
expansion_fn bash_arguments; /* @BASH-ARGUMENTS@: what follows an option, a case an option */
expansion_fn zsh_commands;   /* @ZSH-COMMANDS@: the options, a case a command */
expansion_fn bash_values;    /* @BASH-VALUES@: the values of the core's keys, a case a key */
expansion_fn zsh_values;     /* @ZSH-VALUES@: the same */
expansion_fn setting_words;  /* @SETTING-WORDS@: "SECTION.KEY=" of the core's keys */
expansion_fn command_words;  /* @COMMAND-WORDS@ */

#endif
