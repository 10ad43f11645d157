/* SPDX-License-Identifier: Apache-2.0 */
#include "docs/generate/generate.h"

#include <stdbool.h>
#include <string.h>

#include "core/cli/table.h"
#include "core/config/keys.h"

/* What completes an argument, by the word that the table has for it. */
static const struct {
	const char *argument, *bash, *zsh;
} actions[] = {
	{ "DIR", "compgen -d -- \"$current\"", "_files -/" },
	{ "FILE", "compgen -f -- \"$current\"", "_files" },
	{ "IMAGE", "compgen -f -- \"$current\"", "_files" },
	{ "SOURCE", "compgen -f -- \"$current\"", "_files" },
	{ "[SOURCE]", "compgen -f -- \"$current\"", "_files" },
	{ "BACKEND", "compgen -W \"$(_kataimg_backends)\" -- \"$current\"", "_kataimg_backends" },
	{ "[COMMAND]", "compgen -W \"$(_kataimg_commands)\" -- \"$current\"", "_kataimg_commands" },
	{ "[NAME]", "compgen -W \"$(_kataimg_backends)\" -- \"$current\"", "_kataimg_backends" },
};

/* Of several arguments the first is completed, and so are the others. */
static bool is_action(size_t i, const char *argument)
{
	size_t len = strcspn(argument, " ");

	return strlen(actions[i].argument) == len &&
	       strncmp(actions[i].argument, argument, len) == 0;
}

static const char *bash_action(const char *argument)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (is_action(i, argument))
			return actions[i].bash;
	return NULL;
}

static const char *zsh_action(const char *argument)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (is_action(i, argument))
			return actions[i].zsh;
	return NULL;
}

static void print_setting_words(FILE *out)
{
	for (size_t i = 0; i < config_key_count; i++)
		fprintf(out, "%s%s.%s=", i ? " " : "", config_keys[i].section, config_keys[i].name);
}

void setting_words(FILE *out, const char *argument, const struct kataimg_backend *backend)
{
	(void)argument;
	(void)backend;
	print_setting_words(out);
	fputc('\n', out);
}

/* The values that a key may have, by its type; NULL: anything. */
static const char *const *values_of(const struct config_key *key)
{
	static const char *const booleans[] = { "yes", "no", NULL };

	if (key->type == CONFIG_BOOL)
		return booleans;
	return key->type == CONFIG_ENUM ? key->choices : NULL;
}

static bool is_path(const struct config_key *key)
{
	return key->type == CONFIG_PATH || key->type == CONFIG_OUTPUT ||
	       key->type == CONFIG_PATHS || key->type == CONFIG_SOURCE;
}

static void print_choices(FILE *out, const char *const *choices)
{
	for (size_t i = 0; choices[i]; i++)
		fprintf(out, "%s%s", i ? " " : "", choices[i]);
}

/* One key's case of a shell: its values between two texts, or what the shell does of itself. */
static void print_values(FILE *out, const struct config_key *key, const char *before,
			 const char *behind, const char *(*action)(const char *argument))
{
	const char *const *values = values_of(key);

	fprintf(out, "\t%s.%s)\n\t\t", key->section, key->name);
	if (values) {
		fputs(before, out);
		print_choices(out, values);
		fputs(behind, out);
	} else if (key->type == CONFIG_BACKEND) {
		fputs(action("BACKEND"), out);
	} else {
		fputs(is_path(key) ? action("FILE") : ":", out);
	}
	fputs("\n\t\t;;\n", out);
}

void bash_values(FILE *out, const char *argument, const struct kataimg_backend *backend)
{
	(void)argument;
	(void)backend;
	for (size_t i = 0; i < config_key_count; i++)
		print_values(out, &config_keys[i], "compgen -W '", "' -- \"$current\"",
			     bash_action);
}

void zsh_values(FILE *out, const char *argument, const struct kataimg_backend *backend)
{
	(void)argument;
	(void)backend;
	for (size_t i = 0; i < config_key_count; i++)
		print_values(out, &config_keys[i], "compadd -- ", "", zsh_action);
}

static void print_command_words(FILE *out)
{
	for (size_t i = 1; i < cli_command_count; i++)
		fprintf(out, "%s%s", i > 1 ? " " : "", cli_commands[i].name);
}

void command_words(FILE *out, const char *argument, const struct kataimg_backend *backend)
{
	(void)argument;
	(void)backend;
	print_command_words(out);
	fputc('\n', out);
}

/* An option of another command has the same names, and an argument that is completed alike. */
static bool is_repeated(size_t option)
{
	for (size_t i = 0; i < option; i++)
		if (strcmp(cli_options[i].name, cli_options[option].name) == 0)
			return true;
	return false;
}

void bash_arguments(FILE *out, const char *argument, const struct kataimg_backend *backend)
{
	(void)argument;
	(void)backend;
	for (size_t i = 0; i < cli_option_count; i++) {
		const struct cli_option *option = &cli_options[i];
		const char *action = option->argument ? bash_action(option->argument) : NULL;

		if (!option->argument || is_repeated(i))
			continue;
		fputc('\t', out);
		if (option->short_name)
			fprintf(out, "-%c|", option->short_name);
		fprintf(out, "%s)\n\t\t", option->name);
		if (action) {
			fputs(action, out);
		} else if (option->action == CLI_SETTING || option->choices) {
			fputs("compgen -W '", out);
			if (option->choices)
				print_choices(out, option->choices);
			else
				print_setting_words(out);
			fputs("' -- \"$current\"", out);
			if (!option->choices)
				fputs("\n\t\tcompgen -W \"$(_kataimg_backend_settings)\" -- "
				      "\"$current\"",
				      out);
		} else {
			fputc(':', out);
		}
		fputs("\n\t\t;;\n", out);
	}
}

static void print_bash_command(FILE *out, const struct cli_command *command)
{
	fprintf(out, "\t%s)\n\t\tcompgen -W '", command->name ? command->name : "*");
	for (size_t i = 0; i < cli_option_count; i++)
		if (cli_options[i].commands & command->bit)
			fprintf(out, "%s ", cli_options[i].name);
	fputs("' -- \"$current\"\n", out);
	if (!command->name) {
		fputs("\t\t[[ $2 ]] || compgen -W '", out);
		print_command_words(out);
		fputs("' -- \"$current\"\n", out);
	}
	fprintf(out, "\t\t%s\n\t\t;;\n", bash_action(command->argument));
}

void bash_commands(FILE *out, const char *argument, const struct kataimg_backend *backend)
{
	(void)argument;
	(void)backend;
	for (size_t i = 1; i < cli_command_count; i++)
		print_bash_command(out, &cli_commands[i]);
	print_bash_command(out, &cli_commands[0]);
}

/* Inside '[...]'. */
static void print_zsh_help(FILE *out, const char *help)
{
	for (; *help; help++) {
		if (*help == '\'')
			fputs("'\\'", out);
		fputc(*help, out);
	}
}

static void print_zsh_option(FILE *out, const struct cli_option *option)
{
	const char *action = option->argument ? zsh_action(option->argument) : NULL;
	const char *repeat = option->action == CLI_LIST || option->action == CLI_SETTING ? "*" : "";

	fputs(" \\\n\t\t", out);
	if (option->short_name)
		fprintf(out, "'(-%c %s)'{-%c%s,%s%s}", option->short_name, option->name,
			option->short_name, option->argument ? "+" : "", option->name,
			option->argument ? "=" : "");
	else
		fprintf(out, "'%s%s%s'", repeat, option->name, option->argument ? "=" : "");
	fputs("'[", out);
	print_zsh_help(out, option->help);
	fputc(']', out);
	if (option->argument)
		fprintf(out, ":%s:", option->argument);
	if (option->choices) {
		fputc('(', out);
		print_choices(out, option->choices);
		fputc(')', out);
	} else if (option->action == CLI_SETTING) {
		fputs("_kataimg_settings", out);
	} else if (action) {
		fputs(action, out);
	}
	fputc('\'', out);
}

static void print_zsh_command(FILE *out, const struct cli_command *command)
{
	fprintf(out, "\t%s)\n\t\t_arguments", command->name ? command->name : "*");
	for (size_t i = 0; i < cli_option_count; i++)
		if (cli_options[i].commands & command->bit)
			print_zsh_option(out, &cli_options[i]);
	if (command->name)
		fprintf(out, " \\\n\t\t'%s:%s:%s'\n\t\t;;\n",
			strchr(command->argument, ' ') ? "*" : "2", command->argument,
			zsh_action(command->argument));
	else
		fputs(" \\\n\t\t'1:COMMAND or SOURCE:_kataimg_first'\n\t\t;;\n", out);
}

void zsh_commands(FILE *out, const char *argument, const struct kataimg_backend *backend)
{
	(void)argument;
	(void)backend;
	for (size_t i = 1; i < cli_command_count; i++)
		print_zsh_command(out, &cli_commands[i]);
	print_zsh_command(out, &cli_commands[0]);
}
