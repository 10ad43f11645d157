/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/cli/cli.h"
#include "core/guest/dropin.h"

#define NAME_COLUMN_BYTES 26

static void print_item(FILE *out, const char *name, const char *help)
{
	if (strlen(name) > NAME_COLUMN_BYTES - 2)
		fprintf(out, "  %s\n  %*s%s", name, NAME_COLUMN_BYTES, "", help);
	else
		fprintf(out, "  %-*s%s", NAME_COLUMN_BYTES, name, help);
}

static void print_usage(const struct cli_command *command, FILE *out)
{
	fprintf(out, "Usage: kataimg %s%s[OPTION]... %s\n", command->name ? command->name : "",
		command->name ? " " : "", command->argument);
	fprintf(out, "%c%s.\n", command->summary[0] - 'a' + 'A', command->summary + 1);
}

static void print_options(const struct cli_command *command, FILE *out)
{
	fputs("\nOptions:\n", out);
	for (size_t i = 0; i < cli_option_count; i++) {
		const struct cli_option *option = &cli_options[i];
		char name[64];

		if (!(option->commands & command->bit))
			continue;
		snprintf(name, sizeof(name), "%c%c%s%s%s%s", option->short_name ? '-' : ' ',
			 option->short_name ? option->short_name : ' ',
			 option->short_name ? ", " : "  ", option->name,
			 option->argument ? " " : "", option->argument ? option->argument : "");
		print_item(out, name, option->help);
		fputc('\n', out);
	}
}

static void print_commands(FILE *out)
{
	fputs("\nOther commands (kataimg COMMAND --help):\n", out);
	for (size_t i = 1; i < cli_command_count; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s %s", cli_commands[i].name,
			 cli_commands[i].argument);
		print_item(out, name, cli_commands[i].summary);
		fputc('\n', out);
	}
}

static void print_keys(FILE *out)
{
	const char *section = "";

	fputs("\nKeys of the configuration:\n", out);
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		char type[64], name[128];

		if (strcmp(section, key->section) != 0)
			fprintf(out, " [%s]\n", key->section);
		section = key->section;
		snprintf(name, sizeof(name), "%s = %s", key->name,
			 config_describe_type(key, type, sizeof(type)));
		print_item(out, name, key->help);
		if (key->default_value)
			fprintf(out, " (%s)", key->default_value);
		if (config_is_list(key))
			fputs("; may be given again", out);
		fputc('\n', out);
	}
	fputs("Each backend has a section of its own: kataimg backends NAME shows its keys.\n",
	      out);
}

void cli_print_help(const struct cli *cli, FILE *out)
{
	print_usage(cli->command, out);
	print_options(cli->command, out);
	if (cli->command->name)
		return;
	print_commands(out);
	print_keys(out);
}

void cli_print_script_help(FILE *out)
{
	fputs("Usage: " DROPIN_NAME " [options] <rootfs-dir>\n"
	      "Makes a Kata Containers image out of a directory (this is kataimg " KATAIMG_VERSION
	      ").\n"
	      "\nOptions:\n"
	      "  -h          print this text\n"
	      "  -o IMAGE    the image to make (IMAGE, kata-containers.img)\n"
	      "  -r MB       free space in MiB (ROOT_FREE_SPACE)\n"
	      "  -f FS       ext4, xfs or erofs (FS_TYPE, ext4)\n"
	      "\nEnvironment:\n",
	      out);
	for (size_t i = 0; i < dropin_variable_count; i++)
		fprintf(out, "  %-24s  %s\n", dropin_variables[i].name, dropin_variables[i].help);
	fputs("  USER, GROUP               the image's owner, when both are set and the caller is "
	      "root\n",
	      out);
}
