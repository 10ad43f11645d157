/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines: one argument a line. They are parsed, and their settings configure. No file is
 * read. */
#include <stdlib.h>
#include <string.h>

#include "core/cli/cli.h"
#include "tests/fuzz/target.h"

#define ARGUMENTS_MAX 64

static void parse(int argc, char **argv)
{
	autoerror struct error error = ERROR_INIT;
	struct config_set set = { 0 };
	struct cli cli;
	int ret = cli_parse(argc, argv, &cli, &error);

	if (ret < 0 && !error.message)
		fuzz_fail("a command line is refused without a word");
	if (ret == 0 && cli.config_paths.count == 0) {
		ret = cli_find_images(&cli, &set, &error);
		for (size_t i = 0; ret == 0 && i < set.count; i++)
			ret = cli_configure(&cli, &set, i, &error);
		if (ret < 0 && !error.message)
			fuzz_fail("settings are refused without a word");
		config_set_free(&set);
	}
	cli_free(&cli);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char program[] = "kataimg", *argv[ARGUMENTS_MAX + 2] = { program };
	char *text = malloc(len + 1), *rest = text;
	int argc = 1;

	if (!text)
		fuzz_fail("out of memory");
	memcpy(text, bytes, len);
	text[len] = '\0';
	while (rest && argc <= ARGUMENTS_MAX)
		argv[argc++] = strsep(&rest, "\n");
	parse(argc, argv);
	free(text);
	return 0;
}
