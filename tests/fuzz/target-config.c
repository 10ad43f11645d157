/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations, with the sections of all backends. What was accepted can be printed, and what
 * was printed is accepted again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend/loader.h"
#include "core/base/textstream.h"
#include "core/builder/build.h"
#include "core/cli/cli.h"
#include "core/config/absolute.h"
#include "core/config/print.h"
#include "tests/fuzz/target.h"

static int load(struct config_set *set, char *path, struct error *error)
{
	char program[] = "kataimg", option[] = "-c", *argv[] = { program, option, path, NULL };
	struct cli cli;
	int ret = cli_parse(3, argv, &cli, error);

	if (ret == 0)
		ret = cli_prepare(&cli, set, fuzz_backends(), error);
	for (size_t i = 0; ret == 0 && i < set->count; i++)
		ret = build_check_backend(&set->items[i], fuzz_backends(), error);
	if (ret == 0)
		ret = config_set_report(set, error);
	cli_free(&cli);
	return ret;
}

static char *print(const struct config *config, const struct backend *backend)
{
	struct text_stream stream;
	char *text = NULL;

	if (text_stream_open(&stream) < 0)
		fuzz_fail("out of memory");
	config_print(config, stream.out);
	config_print_backend(config, &backend->table, stream.out);
	if (text_stream_close(&stream, &text) < 0)
		fuzz_fail("out of memory");
	return text;
}

/* Comments say where a value came from, which is elsewhere the second time. */
static void cut_comments(char *text)
{
	char *to = text;
	bool comment = false;

	for (const char *from = text; *from; from++) {
		comment = *from != '\n' && (comment || (*from == ' ' && from[1] == ';'));
		if (!comment && *from != ' ')
			*to++ = *from;
	}
	*to = '\0';
}

static void check_printed(struct config *config)
{
	autoerror struct error error = ERROR_INIT;
	struct backend *backend autocall(cleanup_backend_free) = NULL;
	autofree char *text = NULL, *again = NULL;
	struct config_set other = { 0 };
	struct fuzz_file file;

	if (backend_load(fuzz_backends(), config->image.filesystem, &backend, &error) < 0)
		fuzz_fail("a backend that was there is not: %s", error.message);
	if (config_make_absolute(config, &error) < 0 ||
	    config_check_printable(config, &backend->table, &error) < 0)
		return;
	text = print(config, backend);
	file = fuzz_open(text, strlen(text));
	if (load(&other, file.path, &error) < 0)
		fuzz_fail("what was printed is refused: %s\n%s", error.message, text);
	again = print(&other.items[0], backend);
	cut_comments(text);
	cut_comments(again);
	if (strcmp(text, again) != 0)
		fuzz_fail("printed again it is another one:\n%s\n%s", text, again);
	config_set_free(&other);
	fuzz_close(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_file file = fuzz_open(bytes, len);
	autoerror struct error error = ERROR_INIT;
	struct config_set set = { 0 };
	int ret = load(&set, file.path, &error);

	for (size_t i = 0; ret == 0 && i < set.count; i++)
		check_printed(&set.items[i]);
	if (ret < 0 && !error.message)
		fuzz_fail("a configuration is refused without a word");
	config_set_free(&set);
	fuzz_close(&file);
	return 0;
}
