/* SPDX-License-Identifier: Apache-2.0 */
#include "docs/generate/generate.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "core/base/size.h"
#include "core/cli/table.h"
#include "core/config/keys.h"
#include "core/config/options.h"
#include "core/guest/dropin.h"

/* The text with roff's own characters escaped. */
static void roff_print(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '-' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

/* A help line as a sentence; what begins with a value ("dax: ...") keeps its letter. */
static void print_sentence(FILE *out, const char *help)
{
	bool starts_with_word = help[strcspn(help, " :,")] == ' ';
	char first[2] = { *help, '\0' };

	if (starts_with_word)
		first[0] = (char)toupper((unsigned char)*help);
	roff_print(out, first);
	roff_print(out, help + 1);
	fputs(".\n", out);
}

void man_version(FILE *out, const char *argument, const struct kataimg_backend *backend)
{
	(void)backend;
	fprintf(out, ".TH %s \"\" \"kataimg " KATAIMG_VERSION "\"\n", argument);
}

void man_synopsis(FILE *out, const char *argument, const struct kataimg_backend *backend)
{
	(void)argument;
	(void)backend;
	for (size_t i = 0; i < cli_command_count; i++) {
		const struct cli_command *command = &cli_commands[i];

		fprintf(out, "%s.B kataimg%s%s\n", i ? ".br\n" : "", command->name ? " " : "",
			command->name ? command->name : "");
		fprintf(out, ".RI [ OPTION ].\\|.\\|.\\& \" %s\"\n", command->argument);
	}
}

static const struct cli_command *find_command(const char *name)
{
	for (size_t i = 1; i < cli_command_count; i++)
		if (strcmp(cli_commands[i].name, name) == 0)
			return &cli_commands[i];
	return &cli_commands[0];
}

static void print_option(FILE *out, const struct cli_option *option)
{
	fputs(".TP\n", out);
	if (option->short_name)
		fprintf(out, "\\fB\\-%c\\fR, ", option->short_name);
	fputs("\\fB", out);
	roff_print(out, option->name);
	fprintf(out, "\\fR%s%s%s\n", option->argument ? " \\fI" : "",
		option->argument ? option->argument : "", option->argument ? "\\fR" : "");
	print_sentence(out, option->help);
	if (option->key)
		fprintf(out, "The same as the key\n.B %s\nof the section [%s].\n", option->key,
			option->section);
}

void man_options(FILE *out, const char *argument, const struct kataimg_backend *backend)
{
	const struct cli_command *command = find_command(argument);

	(void)backend;
	for (size_t i = 0; i < cli_option_count; i++)
		if (cli_options[i].commands & command->bit)
			print_option(out, &cli_options[i]);
}

void man_environment(FILE *out, const char *argument, const struct kataimg_backend *backend)
{
	(void)argument;
	(void)backend;
	for (size_t i = 0; i < dropin_variable_count; i++) {
		fprintf(out, ".TP\n.B %s\n", dropin_variables[i].name);
		print_sentence(out, dropin_variables[i].help);
	}
}

static void print_item(FILE *out, const char *name, const char *type, const char *help)
{
	fputs(".TP\n\\fB", out);
	roff_print(out, name);
	fputs("\\fR = \\fI", out);
	roff_print(out, type);
	fputs("\\fR\n", out);
	print_sentence(out, help);
}

static void print_default(FILE *out, const char *value)
{
	if (!value || !*value)
		return;
	fputs("Default:\n.BR ", out);
	roff_print(out, value);
	fputs(" .\n", out);
}

static void print_bounds(FILE *out, uint64_t min, uint64_t max)
{
	if (min != 0 || max != 0)
		fprintf(out, "From %" PRIu64 " to %" PRIu64 ".\n", min, max);
}

static void print_size_bounds(FILE *out, uint64_t min, uint64_t max)
{
	char low[SIZE_TEXT_BYTES], high[SIZE_TEXT_BYTES];

	if (min != 0 || max != 0)
		fprintf(out, "From %s to %s.\n", size_format(min, low, sizeof(low)),
			size_format(max, high, sizeof(high)));
}

static void print_key(FILE *out, const struct config_key *key)
{
	char type[128];

	print_item(out, key->name, config_describe_type(key, type, sizeof(type)), key->help);
	if (key->type == CONFIG_U64)
		print_bounds(out, key->min, key->max);
	else if (key->type == CONFIG_SIZE)
		print_size_bounds(out, key->min, key->max);
	print_default(out, key->default_value);
	if (config_is_list(key))
		fputs("May be given again.\n", out);
	if (key->environment)
		fprintf(out, "The environment variable\n.B %s\noverrides the default.\n",
			key->environment);
}

void man_sections(FILE *out, const char *argument, const struct kataimg_backend *backend)
{
	const char *section = "";

	(void)argument;
	(void)backend;
	for (size_t i = 0; i < config_key_count; i++) {
		if (strcmp(section, config_keys[i].section) != 0)
			fprintf(out, ".SH \"SECTION [%s]\"\n", config_keys[i].section);
		section = config_keys[i].section;
		print_key(out, &config_keys[i]);
	}
}

void man_backend_title(FILE *out, const char *argument, const struct kataimg_backend *backend)
{
	(void)argument;
	fputs(".TH KATAIMG\\-", out);
	for (const char *name = backend->name; *name; name++)
		if (*name == '-')
			fputs("\\-", out);
		else
			fputc(toupper((unsigned char)*name), out);
	fputs(" 5 \"\" \"kataimg " KATAIMG_VERSION "\"\n.SH NAME\nkataimg\\-", out);
	roff_print(out, backend->name);
	fputs(" \\- ", out);
	roff_print(out, backend->summary);
	fputc('\n', out);
}

static void print_backend_option(FILE *out, const struct kataimg_option *option)
{
	char type[128];

	print_item(out, option->name, option_describe_type(option, type, sizeof(type)),
		   option->help);
	if (option->type == KATAIMG_OPT_STRING && option->max != 0)
		fprintf(out, "At most %" PRIu64 " bytes.\n", option->max);
	else if (option->type == KATAIMG_OPT_SIZE)
		print_size_bounds(out, option->min, option->max);
	else
		print_bounds(out, option->min, option->max);
	print_default(out, option->default_value);
}

void man_backend_options(FILE *out, const char *argument, const struct kataimg_backend *backend)
{
	(void)argument;
	for (uint64_t i = 0; i < backend->option_count; i++)
		print_backend_option(out, &backend->options[i]);
}
