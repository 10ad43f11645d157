/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/suggest.h"
#include "core/cli/cli.h"
#include "core/config/value.h"
#include "core/guest/dropin.h"

/* getopt's value for the i-th option of the table; above every character. */
#define OPTION_VALUE(i) (256 + (int)(i))

/* The table in getopt's shape, for one command. */
struct getopt_tables {
	struct option longs[CLI_OPTIONS_MAX + 1];
	char shorts[2 + 2 * CLI_OPTIONS_MAX + 1];
};

static void make_tables(const struct cli_command *command, struct getopt_tables *tables)
{
	struct option *next = tables->longs;
	char *letter = tables->shorts;

	*tables = (struct getopt_tables){ 0 };
	/* '-': arguments come in order, whatever POSIXLY_CORRECT says; ':': errors are ours. */
	*letter++ = '-';
	*letter++ = ':';
	for (size_t i = 0; i < cli_option_count; i++) {
		const struct cli_option *option = &cli_options[i];

		if (!(option->commands & command->bit))
			continue;
		*next++ = (struct option){ option->name + strlen("--"),
					   option->argument ? required_argument : no_argument, NULL,
					   OPTION_VALUE(i) };
		if (option->short_name)
			*letter++ = option->short_name;
		if (option->short_name && option->argument)
			*letter++ = ':';
	}
}

static const struct cli_option *find_option(const struct cli_command *command, int value)
{
	if (value >= OPTION_VALUE(0))
		return &cli_options[value - OPTION_VALUE(0)];
	for (size_t i = 0; i < cli_option_count; i++)
		if ((cli_options[i].commands & command->bit) && cli_options[i].short_name == value)
			return &cli_options[i];
	return NULL;
}

/* getopt leaves in optopt a letter that is unknown, the value of an option that takes no argument,
 * or 0 for an unknown word. */
static int fail_option(const struct cli_command *command, const char *word, struct error *error)
{
	struct suggestion suggestion = { .word = word + strlen("--") };

	if (optopt >= OPTION_VALUE(0))
		return error_usage(error, "%s takes no argument",
				   find_option(command, optopt)->name);
	if (optopt != 0)
		return error_usage(error, "unknown option -%c", optopt);
	for (size_t i = 0; i < cli_option_count; i++)
		if (cli_options[i].commands & command->bit)
			suggest_offer(&suggestion, cli_options[i].name + strlen("--"));
	if (!suggestion.nearest)
		return error_usage(error, "unknown option %s", word);
	return error_usage(error, "unknown option %s; did you mean --%s?", word,
			   suggestion.nearest);
}

static int add_setting(struct cli *cli, const struct cli_option *option, const char *value,
		       struct error *error)
{
	struct cli_setting *setting = array_add(&cli->settings);

	if (!setting)
		return error_nomem(error);
	*setting = (struct cli_setting){ option, value };
	return 0;
}

static int add_item(struct cli_list *list, const char *item, struct error *error)
{
	const char **added = array_add(list);

	if (!added)
		return error_nomem(error);
	*added = item;
	return 0;
}

static int set_choice(const struct cli_option *option, unsigned int *member, const char *value,
		      struct error *error)
{
	if (value_parse_choice(value, option->choices, member, error) < 0)
		return error_prefix(error, "%s %s", option->name, value);
	return 0;
}

static int set_text(const struct cli_option *option, const char **member, const char *value,
		    struct error *error)
{
	if (option->once && *member)
		return error_usage(error, "%s %s: %s was given already", option->name, value,
				   *member);
	*member = value;
	return 0;
}

static int apply_option(struct cli *cli, const struct cli_option *option, const char *value,
			struct error *error)
{
	void *member = (char *)cli + option->offset;

	switch (option->action) {
	case CLI_FLAG:
		*(bool *)member = true;
		return 0;
	case CLI_TEXT:
		return set_text(option, member, value, error);
	case CLI_CHOICE:
		return set_choice(option, member, value, error);
	case CLI_LIST:
		return add_item(member, value, error);
	case CLI_KEY:
	case CLI_KEY_MIB:
	case CLI_SETTING:
		return add_setting(cli, option, value, error);
	}
	return 0;
}

const struct cli_command *cli_find_command(const char *name)
{
	for (size_t i = 1; i < cli_command_count; i++)
		if (strcmp(cli_commands[i].name, name) == 0)
			return &cli_commands[i];
	return NULL;
}

const char *cli_guess_command(const char *word)
{
	struct suggestion suggestion = { .word = word };

	for (size_t i = 1; i < cli_command_count; i++)
		suggest_offer(&suggestion, cli_commands[i].name);
	return suggestion.nearest;
}

int cli_fail_late_command(const char *name, struct error *error)
{
	return error_usage(error, "a command comes before its options: kataimg %s ...", name);
}

/* With a second argument the first was probably meant as a command. */
static int fail_argument(const struct cli *cli, const char *argument, struct error *error)
{
	const char *guess = NULL;

	if (cli->argument && !cli->command->name)
		guess = cli_guess_command(cli->argument);
	if (!guess)
		return error_usage(error, "unexpected argument %s", argument);
	if (cli_find_command(cli->argument))
		return cli_fail_late_command(cli->argument, error);
	return error_usage(error, "unexpected argument %s: unknown command %s; did you mean %s?",
			   argument, cli->argument, guess);
}

/* How many arguments there may be, and of them have to be. */
static void count_arguments(const char *wanted, size_t *least, size_t *most)
{
	*least = *most = 0;
	for (; *wanted; wanted += strspn(wanted, " ")) {
		size_t len = strcspn(wanted, " ");

		++*most;
		*least += *wanted != '[';
		if (wanted[len - 1] == '.')
			*most = SIZE_MAX;
		wanted += len;
	}
}

static size_t given_arguments(const struct cli *cli)
{
	return cli->argument ? 1 + cli->more.count : 0;
}

static int take_argument(struct cli *cli, const char *argument, struct error *error)
{
	size_t least, most;

	count_arguments(cli->command->argument, &least, &most);
	if (given_arguments(cli) >= most)
		return fail_argument(cli, argument, error);
	if (cli->argument)
		return add_item(&cli->more, argument, error);
	cli->argument = argument;
	return 0;
}

static int take_result(struct cli *cli, int value, char **argv, struct error *error)
{
	const struct cli_option *option;

	if (value == 1)
		return take_argument(cli, optarg, error);
	if (value == '?')
		return fail_option(cli->command, argv[optind - 1], error);
	option = find_option(cli->command, value == ':' ? optopt : value);
	if (value == ':')
		return error_usage(error, "%s needs %s", option->name, option->argument);
	return apply_option(cli, option, optarg, error);
}

static int check_argument(const struct cli *cli, struct error *error)
{
	const char *wanted = cli->command->argument;
	size_t least, most;

	count_arguments(wanted, &least, &most);
	if (cli->help || cli->version || given_arguments(cli) >= least)
		return 0;
	return error_usage(error, "%s needs %s", cli->command->name, wanted);
}

int cli_parse(int argc, char **argv, struct cli *cli, struct error *error)
{
	struct getopt_tables tables;
	int value, ret = 0;

	*cli = (struct cli){ .command = &cli_commands[0],
			     .script = argc > 0 ? dropin_find_script(argv[0]) : DROPIN_NONE };
	if (!cli->script && argc > 1 && cli_find_command(argv[1])) {
		cli->command = cli_find_command(argv[1]);
		argc--;
		argv++;
	}
	make_tables(cli->command, &tables);
	optind = 0;
	while (ret == 0 &&
	       (value = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1)
		ret = take_result(cli, value, argv, error);
	for (int i = optind; ret == 0 && i < argc; i++)
		ret = take_argument(cli, argv[i], error);
	return ret < 0 ? ret : check_argument(cli, error);
}

void cli_free(struct cli *cli)
{
	array_free(&cli->settings);
	free(cli->backend_dirs.items);
	free(cli->config_paths.items);
	free(cli->only.items);
	free(cli->more.items);
	*cli = (struct cli){ 0 };
}
