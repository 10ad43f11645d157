/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cleanup.h"

#define ARGUMENTS_MAX 16

/* A command line of words that end with NULL, in a copy that getopt may permute. */
struct fixture {
	char *argv[ARGUMENTS_MAX];
	int argc;
	struct cli cli;
	struct config_set set;
	struct error error;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return 0;
}

static void clear(struct fixture *fixture)
{
	for (int i = 0; i < fixture->argc; i++)
		free(fixture->argv[i]);
	fixture->argc = 0;
	cli_free(&fixture->cli);
	config_set_free(&fixture->set);
	error_clear(&fixture->error);
}

static int tear_down(void **state)
{
	clear(*state);
	free(*state);
	return 0;
}

static int parse_words(struct fixture *fixture, const char *const *words)
{
	clear(fixture);
	for (; *words; words++)
		fixture->argv[fixture->argc++] = strdup(*words);
	fixture->argv[fixture->argc] = NULL;
	return cli_parse(fixture->argc, fixture->argv, &fixture->cli, &fixture->error);
}

#define PARSE(fixture, ...) \
	parse_words(fixture, (const char *const[]){ "kataimg", __VA_ARGS__, NULL })

static void check_refused(struct fixture *fixture, int ret, const char *message)
{
	assert_int_equal(ret, -EINVAL);
	assert_string_equal(fixture->error.message, message);
	assert_int_equal(fixture->error.kind, ERROR_USAGE);
}

#define REFUSES(fixture, message, ...) check_refused(fixture, PARSE(fixture, __VA_ARGS__), message)

static void check_accepted(struct fixture *fixture, int ret)
{
	if (ret < 0)
		fail_msg("%s", fixture->error.message);
}

#define ACCEPTS(fixture, ...) check_accepted(fixture, PARSE(fixture, __VA_ARGS__))

static void no_argument_is_a_build(void **state)
{
	struct fixture *fixture = *state;

	check_accepted(fixture, parse_words(fixture, (const char *const[]){ "kataimg", NULL }));
	assert_int_equal(fixture->cli.command->bit, CLI_BUILD);
	assert_null(fixture->cli.argument);
	/* Nor has a caller to say what the program's name is. */
	check_accepted(fixture, parse_words(fixture, (const char *const[]){ NULL }));
	assert_int_equal(fixture->cli.command->bit, CLI_BUILD);
}

static void options_of_a_build(void **state)
{
	struct fixture *fixture = *state;
	const struct cli *cli = &fixture->cli;

	ACCEPTS(fixture, "-c", "b.ini", "--backend-dir", "d1", "--backend-dir=d2", "--dry-run",
		"--report", "-", "--no-sync", "--no-reflink", "-qv", "--progress=json", "rootfs");
	assert_int_equal(cli->config_paths.count, 1);
	assert_string_equal(cli->config_paths.items[0], "b.ini");
	assert_int_equal(cli->backend_dirs.count, 2);
	assert_string_equal(cli->backend_dirs.items[1], "d2");
	assert_true(cli->dry_run && cli->no_sync && cli->no_reflink && cli->quiet && cli->verbose);
	assert_string_equal(cli->report, "-");
	assert_int_equal(cli->progress, 4);
	assert_string_equal(cli->argument, "rootfs");
}

static void arguments_may_stand_anywhere(void **state)
{
	struct fixture *fixture = *state;

	setenv("POSIXLY_CORRECT", "1", 1);
	ACCEPTS(fixture, "rootfs", "--dry-run");
	unsetenv("POSIXLY_CORRECT");
	assert_true(fixture->cli.dry_run);
	ACCEPTS(fixture, "--", "--dry-run");
	assert_false(fixture->cli.dry_run);
	assert_string_equal(fixture->cli.argument, "--dry-run");
}

static void commands_are_the_first_word(void **state)
{
	struct fixture *fixture = *state;

	ACCEPTS(fixture, "inspect", "a.img", "--json");
	assert_int_equal(fixture->cli.command->bit, CLI_INSPECT);
	assert_true(fixture->cli.json);
	assert_string_equal(fixture->cli.argument, "a.img");
	ACCEPTS(fixture, "backends");
	assert_int_equal(fixture->cli.command->bit, CLI_BACKENDS);
	ACCEPTS(fixture, "backends", "ext4");
	assert_string_equal(fixture->cli.argument, "ext4");
	ACCEPTS(fixture, "cat", "a", "--", "-b");
	assert_string_equal(fixture->cli.argument, "a");
	assert_int_equal(fixture->cli.more.count, 1);
	assert_string_equal(fixture->cli.more.items[0], "-b");
	ACCEPTS(fixture, "ls", "-lR", "a");
	assert_true(fixture->cli.details && fixture->cli.recursive);
	ACCEPTS(fixture, "./inspect");
	assert_int_equal(fixture->cli.command->bit, CLI_BUILD);
	ACCEPTS(fixture, "inspect", "--help");
	assert_true(fixture->cli.help);
}

static void mistakes_are_named(void **state)
{
	struct fixture *fixture = *state;

	REFUSES(fixture, "unknown option --dryrun; did you mean --dry-run?", "--dryrun");
	REFUSES(fixture, "unknown option --xyzzy", "--xyzzy");
	REFUSES(fixture, "unknown option -x", "--dry-run", "-xq");
	REFUSES(fixture, "unknown option --json", "--json");
	REFUSES(fixture, "unknown option --dry-run", "inspect", "--dry-run", "a.img");
	REFUSES(fixture, "--dry-run takes no argument", "--dry-run=yes");
	REFUSES(fixture, "--output needs IMAGE", "-o");
	REFUSES(fixture, "--report needs FILE", "--report");
	REFUSES(fixture, "unexpected argument b", "a", "b");
	REFUSES(fixture, "inspect needs IMAGE", "inspect");
	REFUSES(fixture, "cat needs SOURCE PATH", "cat", "a");
	REFUSES(fixture, "unexpected argument c", "cat", "a", "b", "c");
	REFUSES(fixture, "unknown option -l", "cat", "-l", "a", "b");
	REFUSES(fixture, "--progress loud: not one of auto, off, plain, bar, json", "--progress",
		"loud");
}

static int configure(struct fixture *fixture)
{
	int ret = cli_find_images(&fixture->cli, &fixture->set, &fixture->error);

	if (ret == 0)
		ret = cli_configure(&fixture->cli, &fixture->set, 0, &fixture->error);
	return ret < 0 ? ret : config_set_report(&fixture->set, &fixture->error);
}

static void options_reach_the_configuration(void **state)
{
	struct fixture *fixture = *state;
	const struct config *config;

	ACCEPTS(fixture, "-o", "a.img", "-f", "xfs", "-r", "64", "--set", "image.align=2M", "--set",
		"xfs.label=x", "-o", "b.img", "rootfs");
	assert_int_equal(configure(fixture), 0);
	config = fixture->set.items;
	assert_string_equal(config->image.output, "b.img");
	assert_string_equal(config->image.filesystem, "xfs");
	assert_string_equal(config->image.source, "rootfs");
	assert_int_equal(config->image.free_space_bytes, 64 << 20);
	assert_int_equal(config->image.align_bytes, 2 << 20);
	assert_string_equal(config->pairs[0].value, "x");
}

static void bad_values_name_their_option(void **state)
{
	struct fixture *fixture = *state;

	ACCEPTS(fixture, "-r", "12Q", "x");
	check_refused(fixture, configure(fixture), "--free-mib 12Q: not a number");
	ACCEPTS(fixture, "-r", "64M", "x");
	check_refused(fixture, configure(fixture),
		      "--free-mib 64M: not a number: MiB without a unit; try 64");
	ACCEPTS(fixture, "-r", "17592186044416", "x");
	check_refused(fixture, configure(fixture),
		      "--free-mib: [image] free-space = 17592186044416M: too large a size");
	ACCEPTS(fixture, "--set", "image=1", "x");
	check_refused(fixture, configure(fixture), "--set: image=1: not SECTION.KEY=VALUE");
	ACCEPTS(fixture, "-o", "", "x");
	check_refused(fixture, configure(fixture), "--output: [image] output = : an empty path");
	ACCEPTS(fixture, "-c", "/nonexistent/b.ini");
	check_refused(fixture, configure(fixture), "/nonexistent/b.ini: No such file or directory");
}

static void threads_are_counted(void **state)
{
	struct fixture *fixture = *state;
	unsigned int threads;

	ACCEPTS(fixture, "x");
	assert_int_equal(cli_threads(&fixture->cli, &threads, &fixture->error), 0);
	assert_true(threads >= 1);
	ACCEPTS(fixture, "--threads", "3", "x");
	assert_int_equal(cli_threads(&fixture->cli, &threads, &fixture->error), 0);
	assert_int_equal(threads, 3);
	ACCEPTS(fixture, "--threads", "0", "x");
	check_refused(fixture, cli_threads(&fixture->cli, &threads, &fixture->error),
		      "--threads 0: not between 1 and 1024");
}

static char *text_of(void (*print)(const struct cli_command *command, FILE *out),
		     const struct cli_command *command)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (print)
		print(command, out);
	else
		cli_print_keys(out);
	fclose(out);
	return text;
}

/* Does a line have words in the column that is wrapped, behind a name or below the line before? */
static bool is_wrapped(const char *line, size_t len)
{
	return len > 28 && strncmp(line + 26, "  ", 2) == 0 && line[28] != ' ';
}

/* And no line ends where another word has room. */
static void fits_a_terminal(const char *text)
{
	size_t before = 100;

	while (*text) {
		size_t len = strcspn(text, "\n");
		bool goes_on = len > 28 && strspn(text, " ") == 28;

		if (len > 100 || (goes_on && before + 1 + strcspn(text + 28, " \n") <= 100))
			fail_msg("%zu columns: %.*s", len, (int)len, text);
		before = is_wrapped(text, len) ? len : 100;
		text += len + (text[len] == '\n');
	}
}

static void help_names_every_option_and_key(void **state)
{
	autofree char *text = text_of(cli_print_help, &cli_commands[0]);
	autofree char *keys = text_of(NULL, NULL);

	(void)state;
	for (size_t i = 0; i < cli_option_count; i++)
		if (cli_options[i].commands & CLI_BUILD)
			assert_non_null(strstr(text, cli_options[i].name));
	for (size_t i = 0; i < config_key_count; i++)
		assert_non_null(strstr(keys, config_keys[i].name));
	assert_non_null(strstr(text, "inspect IMAGE"));
	assert_true(strstr(text, "kataimg -c build.ini") < strstr(text, "Options:"));
	assert_non_null(strstr(text, "kataimg --help-keys"));
	fits_a_terminal(text);
	fits_a_terminal(keys);
}

static void help_begins_with_a_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < cli_command_count; i++) {
		const struct cli_command *command = &cli_commands[i];
		autofree char *text = text_of(cli_print_help, command);
		char sentence[200];

		assert_in_range(command->summary[0], 'a', 'z');
		snprintf(sentence, sizeof(sentence), "\n%c%s.\n", toupper(command->summary[0]),
			 command->summary + 1);
		assert_non_null(strstr(text, sentence));
	}
}

static void help_is_a_command_too(void **state)
{
	struct fixture *fixture = *state;

	ACCEPTS(fixture, "help");
	assert_int_equal(fixture->cli.command->bit, CLI_HELP);
	ACCEPTS(fixture, "help", "inspect");
	assert_int_equal(cmd_help(&fixture->cli, &fixture->error), 0);
	ACCEPTS(fixture, "help", "inspct");
	check_refused(fixture, cmd_help(&fixture->cli, &fixture->error),
		      "unknown command inspct; did you mean inspect?");
	ACCEPTS(fixture, "help", "me");
	check_refused(fixture, cmd_help(&fixture->cli, &fixture->error),
		      "unknown command me; kataimg help lists all");
	ACCEPTS(fixture, "--help-keys");
	assert_true(fixture->cli.help_keys);
}

static void a_mistyped_command_is_guessed(void **state)
{
	struct fixture *fixture = *state;

	REFUSES(fixture,
		"unexpected argument s.img: unknown command inpsect; did you mean inspect?",
		"inpsect", "s.img");
	REFUSES(fixture, "unexpected argument b", "rootfs", "b");
	REFUSES(fixture, "unexpected argument b", "inspect", "inspct", "b");
}

static void a_second_file_is_no_override(void **state)
{
	struct fixture *fixture = *state;

	REFUSES(fixture, "--report b: a was given already", "--report", "a", "--report", "b");
	ACCEPTS(fixture, "--threads", "1", "--threads", "2");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_argument_is_a_build),
		TEST(options_of_a_build),
		TEST(arguments_may_stand_anywhere),
		TEST(commands_are_the_first_word),
		TEST(mistakes_are_named),
		TEST(options_reach_the_configuration),
		TEST(bad_values_name_their_option),
		TEST(threads_are_counted),
		TEST(help_begins_with_a_sentence),
		TEST(help_is_a_command_too),
		TEST(a_mistyped_command_is_guessed),
		TEST(a_second_file_is_no_override),
		cmocka_unit_test(help_names_every_option_and_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
