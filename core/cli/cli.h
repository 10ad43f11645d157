/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, parsed, and the way from there to the configuration. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/backend/search.h"
#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/cli/table.h"
#include "core/config/set.h"
#include "core/guest/dropin.h"
#include "core/tree/tree.h"
#include "lib/array.h"

struct cli_list {
	const char **items; /* an array (lib/array.h); the strings are the command line's */
	size_t count, room;
};

/* A key of the configuration that an option gives. */
struct cli_setting {
	const struct cli_option *option;
	const char *value;
};

/* Strings are those of argv, which must outlive it. */
struct cli {
	const struct cli_command *command;
	const char *argument; /* SOURCE, IMAGE or NAME; NULL: not given */
	struct cli_list more; /* those behind it */
	struct cli_list config_paths, only;
	ARRAY(struct cli_setting) settings; /* in the order given */
	struct cli_list backend_dirs;
	const char *threads;
	const char *report, *manifest, *toml;
	const char *root_hash, *salt; /* of inspect */
	const char *partition;
	unsigned int hash;               /* of tree: 0: none, 1: sha256 */
	const char *directory, *archive; /* of extract */
	unsigned int progress;           /* 0: what suits stderr; else 1 + enum progress_mode */
	enum dropin_script script;       /* under whose name it was started */
	bool details, recursive;         /* of ls */
	bool blocks;                     /* of diff */
	bool force;                      /* of extract */
	bool text;                       /* of key */
	bool dry_run, explain, no_sandbox, no_sync, no_reflink, strict_backend, quiet, verbose,
		json, version, help, help_keys;
};

/* Runs the command line, prints the error there is, and returns the exit code: 0, 1, 2. */
int cli_main(int argc, char **argv);

/* Parses; errors are of kind ERROR_USAGE. cli_free is to be called after an error too. */
int cli_parse(int argc, char **argv, struct cli *cli, struct error *error);
void cli_free(struct cli *cli);

/* Without -c the environment of the script that kataimg replaces counts (guest/dropin.h). */
bool cli_is_dropin(const struct cli *cli);

/* Finds the images that there are, and which are meant; their configurations are left to do. */
int cli_find_images(const struct cli *cli, struct config_set *set, struct error *error);

/* Initialises one of the configurations and fills it from environment, file and options;
 * config_finish is left to do. */
int cli_configure(const struct cli *cli, struct config_set *set, size_t number,
		  struct error *error);

/* Both for all images, finished: config_set_report is left to do. */
int cli_prepare(const struct cli *cli, struct config_set *set, const struct backend_search *search,
		struct error *error);

/* The only image of a command that is about one. */
int cli_single(const struct config_set *set, struct config **config, struct error *error);

/* Runs a command with an empty set, for cli_prepare, and where backends are looked for. */
int cli_with_configs(const struct cli *cli,
		     int (*run)(const struct cli *cli, struct config_set *set,
				const struct backend_search *search, struct error *error),
		     struct error *error);

/* Does an option's argument "SECTION:NAME.KEY=VALUE" name an image? *name and *len: it. */
bool cli_names_image(const struct cli_setting *setting, const char **name, size_t *len);

/* --progress and --quiet, or what suits stderr. */
enum progress_mode cli_progress_mode(const struct cli *cli);
/* The same for what is no build: who asked for no progress sees one where it does not stay. */
enum progress_mode cli_passing_progress_mode(const struct cli *cli);

/*
 * The tree of any source, an image without its prefix too. content_later: of few files, or of none,
 * will bytes be read.
 */
int cli_read_source(const struct cli *cli, const char *source, bool content_later,
		    struct tree **tree, struct error *error);

/* Sources, as given, and where a command may write. */
struct cli_places {
	const char *sources[2];
	size_t count;
	const char *made; /* a directory: all may be made in it; NULL */
	const char *file; /* made, or replaced; NULL */
	bool beside;      /* and of root_hash*.txt beside the first source, and --root-hash */
};

/* Gives up what a command that looks at these places does not need: confine/confine.h. */
int cli_confine(const struct cli *cli, const struct cli_places *places, struct error *error);

/* --partition; 0: none was given. */
int cli_partition(const struct cli *cli, unsigned int *partition, struct error *error);

/* --threads, or what suits this machine. */
int cli_threads(const struct cli *cli, unsigned int *threads, struct error *error);

/* The text of --help for the command of cli. */
void cli_print_help(const struct cli_command *command, FILE *out);

/* The text of --help-keys. */
void cli_print_keys(FILE *out);

/* NULL: there is none of this name. */
const struct cli_command *cli_find_command(const char *name);

/* The command that a word was probably meant to be; NULL: none. */
const char *cli_guess_command(const char *word);

/* Of a command that stands where a source would. */
int cli_fail_late_command(const char *name, struct error *error);

/* The help of a script, under its name. */
void cli_print_script_help(enum dropin_script script, FILE *out);

#endif
