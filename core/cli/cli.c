/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/cli.h"

#include <errno.h>
#include <string.h>

#include "core/base/cancel.h"
#include "core/base/log.h"

static enum log_level log_level_of(const struct cli *cli)
{
	if (cli->verbose)
		return LOG_DEBUG;
	return cli->quiet ? LOG_WARNING : LOG_INFO;
}

static int run(const struct cli *cli, struct error *error)
{
	int ret = 0;

	if (cli->help) {
		cli_print_help(cli, stdout);
	} else if (cli->version) {
		puts("kataimg " KATAIMG_VERSION);
	} else {
		log_set_level(log_level_of(cli));
		cancel_install_handlers();
		ret = cli->command->run(cli, error);
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		return error_errno(error, errno, "standard output");
	return ret;
}

static int exit_code(const struct error *error)
{
	if (error->code == 0)
		return 0;
	return error->kind == ERROR_USAGE ? 2 : 1;
}

int cli_main(int argc, char **argv)
{
	autoerror struct error error = ERROR_INIT;
	struct cli cli;

	if (cli_parse(argc, argv, &cli, &error) < 0)
		error_append(&error, " (kataimg --help lists all)");
	else
		run(&cli, &error);
	cli_free(&cli);
	if (error.code != 0)
		log_error("%s", error.message ? error.message : strerrordesc_np(error.code));
	return exit_code(&error);
}
