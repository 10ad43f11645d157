/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/cancel.h"
#include "core/base/log.h"
#include "core/base/process.h"
#include "core/confine/confine.h"
#include "core/guest/dropin.h"
#include "lib/libc.h"
#include "lib/samefile.h"

static enum log_level log_level_of(const struct cli *cli)
{
	if (cli->verbose)
		return LOG_DEBUG;
	return cli->quiet ? LOG_WARNING : LOG_INFO;
}

static int run_command(const struct cli *cli, struct error *error)
{
	log_set_level(log_level_of(cli));
	cancel_install_handlers();
	if (cli->no_sandbox)
		confine_switch_off();
	return cli->command->run(cli, error);
}

/* Returns ret, or the error of standard output. What was found and cannot be printed is no
 * result. */
static int flush_output(int ret, struct error *error)
{
	int code;

	if (fflush(stdout) == 0 && !ferror(stdout))
		return ret;
	code = errno;
	if (error->kind == ERROR_DIFFERS || error->kind == ERROR_UNCHECKED)
		error_clear(error);
	return error_errno(error, code, "standard output");
}

static int run(const struct cli *cli, struct error *error)
{
	int ret = 0;

	if (cli->script && (cli->help || !cli->argument))
		cli_print_script_help(cli->script, stdout);
	else if (cli->help)
		cli_print_help(cli->command, stdout);
	else if (cli->help_keys)
		cli_print_keys(stdout);
	else if (cli->version)
		puts("kataimg " KATAIMG_VERSION);
	else
		ret = run_command(cli, error);
	return flush_output(ret, error);
}

/* The script knew one way to fail. */
static int exit_code(const struct cli *cli, const struct error *error)
{
	if (error->code == 0)
		return 0;
	/* That it failed is not to be taken for a difference. */
	if (cli->command->bit == CLI_DIFF && error->kind == ERROR_FAILED)
		return 2;
	return cli->script ? 1 : error_exit_code(error->kind);
}

/* By whatever name it is called: the report has it for itself. */
static bool is_stdout(const char *path)
{
	struct stat named, out;

	if (strcmp(path, "-") == 0)
		return true;
	return stat(path, &named) == 0 && fstat(STDOUT_FILENO, &out) == 0 &&
	       same_file(&named, &out);
}

int cli_main(int argc, char **argv)
{
	autoerror struct error error = ERROR_INIT;
	struct cli cli;
	int ret = cli_parse(argc, argv, &cli, &error);

	/* Its informations go to stdout, where --explain prints a file. */
	if (cli.script && !cli.explain)
		log_use_script_style();
	if (cli.report && is_stdout(cli.report)) {
		cli.report = "-";
		log_leave_stdout();
	}
	if (ret < 0)
		error_append(&error, " (%s -h lists all)", dropin_script_name(cli.script));
	else
		run(&cli, &error);
	confine_explain(&error);
	if (error.code == EPIPE && ferror(stdout))
		process_end_for_broken_pipe();
	if (error.kind == ERROR_UNCHECKED && error.message)
		log_warning("%s", error.message);
	else if (error.code != 0 && error.kind != ERROR_DIFFERS)
		log_error(error.message ? error.message : errno_text(error.code));
	ret = exit_code(&cli, &error);
	cli_free(&cli);
	return ret;
}
