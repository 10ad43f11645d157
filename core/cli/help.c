/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/cli/cli.h"
#include "core/guest/dropin.h"

#define INDENT 2
#define NAME_COLUMN_BYTES 26
#define LINE_COLUMNS 100

/* Words up to the last column, below each other behind the name. */
static void print_wrapped(FILE *out, const char *text)
{
	size_t column = INDENT + NAME_COLUMN_BYTES;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (column > INDENT + NAME_COLUMN_BYTES && column + 1 + len > LINE_COLUMNS) {
			fprintf(out, "\n%*s", INDENT + NAME_COLUMN_BYTES, "");
			column = INDENT + NAME_COLUMN_BYTES;
		} else if (column > INDENT + NAME_COLUMN_BYTES) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", (int)len, text);
		column += len;
		text += len + strspn(text + len, " ");
	}
	fputc('\n', out);
}

static void print_item(FILE *out, const char *name, const char *help)
{
	fprintf(out, "%*s%-*s", INDENT, "", NAME_COLUMN_BYTES, name);
	if (strlen(name) > NAME_COLUMN_BYTES - 2)
		fprintf(out, "\n%*s", INDENT + NAME_COLUMN_BYTES, "");
	print_wrapped(out, help);
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
	}
}

static void print_key(FILE *out, const struct config_key *key)
{
	char type[64], name[128], help[512];

	snprintf(name, sizeof(name), "%s = %s", key->name,
		 config_describe_type(key, type, sizeof(type)));
	snprintf(help, sizeof(help), "%s%s%s%s%s", key->help, key->default_value ? " (" : "",
		 key->default_value ? key->default_value : "", key->default_value ? ")" : "",
		 config_is_list(key) ? "; may be given again" : "");
	print_item(out, name, help);
}

void cli_print_keys(FILE *out)
{
	const char *section = "";

	fputs("Keys of the configuration, an INI file; --set SECTION.KEY=VALUE gives one:\n", out);
	for (size_t i = 0; i < config_key_count; i++) {
		if (strcmp(section, config_keys[i].section) != 0)
			fprintf(out, "\n[%s]\n", config_keys[i].section);
		section = config_keys[i].section;
		print_key(out, &config_keys[i]);
	}
	fputs("\nEach backend has a section of its own: kataimg backends NAME shows its keys.\n",
	      out);
}

static void print_uses(FILE *out)
{
	fputs("\nThe commonest uses:\n"
	      "  kataimg -c build.ini                     build what an INI file says\n"
	      "  kataimg -o guest.img -f erofs ./rootfs   build from a directory or an archive\n"
	      "  kataimg inspect guest.img                show what is in an image\n",
	      out);
}

void cli_print_help(const struct cli_command *command, FILE *out)
{
	print_usage(command, out);
	if (!command->name)
		print_uses(out);
	print_options(command, out);
	if (command->name)
		return;
	print_commands(out);
	fputs("\nkataimg --help-keys lists all keys of the configuration.\n", out);
}

int cmd_help(const struct cli *cli, struct error *error)
{
	const char *name = cli->argument;
	const struct cli_command *command = name ? cli_find_command(name) : &cli_commands[0];
	const char *guess = command ? NULL : cli_guess_command(name);

	if (!command && guess)
		return error_usage(error, "unknown command %s; did you mean %s?", name, guess);
	if (!command)
		return error_usage(error, "unknown command %s; kataimg help lists all", name);
	cli_print_help(command, stdout);
	return 0;
}

static void print_variables(const struct dropin_variable *variables, size_t count, FILE *out)
{
	fputs("\nEnvironment:\n", out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "  %-24s  %s\n", variables[i].name, variables[i].help);
}

static void print_initrd_help(FILE *out)
{
	fputs("Makes a Kata Containers initrd out of a directory (this is kataimg " KATAIMG_VERSION
	      ").\n"
	      "\nOptions:\n"
	      "  -h          print this text\n"
	      "  -o IMAGE    the initrd to make (INITRD_IMAGE, kata-containers-initrd.img)\n",
	      out);
	print_variables(dropin_initrd_variables, dropin_initrd_variable_count, out);
}

static void print_image_help(FILE *out)
{
	fputs("Makes a Kata Containers image out of a directory (this is kataimg " KATAIMG_VERSION
	      ").\n"
	      "\nOptions:\n"
	      "  -h          print this text\n"
	      "  -o IMAGE    the image to make (IMAGE, kata-containers.img)\n"
	      "  -r MB       free space in MiB (ROOT_FREE_SPACE)\n"
	      "  -f FS       ext4, xfs or erofs (FS_TYPE, ext4)\n",
	      out);
	print_variables(dropin_variables, dropin_variable_count, out);
	fputs("  USER, GROUP               the image's owner, when both are set and the caller is "
	      "root\n",
	      out);
}

void cli_print_script_help(enum dropin_script script, FILE *out)
{
	fprintf(out, "Usage: %s [options] <rootfs-dir>\n", dropin_script_name(script));
	if (script == DROPIN_INITRD)
		print_initrd_help(out);
	else
		print_image_help(out);
}
