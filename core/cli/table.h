/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: ONE table of commands and ONE of options, from which parsing, --help, the man
 * page and shell completion come.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/error.h"

struct cli;

enum cli_command_bit {
	CLI_BUILD = 1 << 0,
	CLI_INSPECT = 1 << 1,
	CLI_BACKENDS = 1 << 2,
	CLI_TREE = 1 << 3,
	CLI_HELP = 1 << 4,
	CLI_ATTEST = 1 << 5,
	CLI_LS = 1 << 6,
	CLI_CAT = 1 << 7,
	CLI_EXTRACT = 1 << 8,
	CLI_DIFF = 1 << 9,
	CLI_DIGEST = 1 << 10, /* kataimg key */
	/* what a configuration is read for */
	CLI_CONFIGURED = CLI_BUILD | CLI_TREE | CLI_ATTEST | CLI_DIGEST,
	/* of these the argument is the configuration's source */
	CLI_TAKES_SOURCE = CLI_BUILD | CLI_TREE | CLI_DIGEST,
	/* what reads a source, and makes no image of it */
	CLI_VIEW = CLI_LS | CLI_CAT | CLI_EXTRACT | CLI_DIFF,
	CLI_ALL = CLI_CONFIGURED | CLI_INSPECT | CLI_BACKENDS | CLI_VIEW
};

struct cli_command {
	const char *name; /* NULL: the command when none is named */
	enum cli_command_bit bit;
	/* "[NAME]", "SOURCE [PATH]...": brackets mean that it may be missing, dots that there may
	 * be more of the last one */
	const char *argument;
	const char *summary; /* one line, no full stop */
	int (*run)(const struct cli *cli, struct error *error);
};

/* What an option does. */
enum cli_action {
	CLI_FLAG,    /* sets the bool at offset */
	CLI_TEXT,    /* sets the const char * at offset */
	CLI_CHOICE,  /* sets the unsigned int at offset: the place in choices */
	CLI_LIST,    /* appends to the struct cli_list at offset */
	CLI_KEY,     /* sets the configuration's key */
	CLI_KEY_MIB, /* the same, with a number of MiB */
	CLI_SETTING  /* sets the key that its argument names */
};

struct cli_option {
	char short_name;       /* 0: none */
	const char *name;      /* the long name, "--output" */
	const char *argument;  /* NULL: takes none */
	const char *help;      /* one line, no full stop */
	unsigned int commands; /* enum cli_command_bit */
	enum cli_action action;
	size_t offset; /* of the member in struct cli */
	const char *section, *key;
	const char *const *choices; /* of a CHOICE, NULL-terminated */
	bool once;                  /* TEXT: a second one is a mistake, not an override */
};

#define CLI_OPTIONS_MAX 48

/* The first is the one without a name. */
extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;

extern const struct cli_option cli_options[];
extern const size_t cli_option_count; /* at most CLI_OPTIONS_MAX */

int cmd_build(const struct cli *cli, struct error *error);
int cmd_inspect(const struct cli *cli, struct error *error);
int cmd_attest(const struct cli *cli, struct error *error);
int cmd_key(const struct cli *cli, struct error *error);
int cmd_tree(const struct cli *cli, struct error *error);
int cmd_extract(const struct cli *cli, struct error *error);
int cmd_diff(const struct cli *cli, struct error *error);
int cmd_ls(const struct cli *cli, struct error *error);
int cmd_cat(const struct cli *cli, struct error *error);
int cmd_help(const struct cli *cli, struct error *error);
int cmd_backends(const struct cli *cli, struct error *error);

#endif
