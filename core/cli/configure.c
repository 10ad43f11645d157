/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/cli/cli.h"
#include "core/config/value.h"
#include "core/guest/dropin.h"

#define THREADS_MAX 1024
#define PARTITION_MAX 1000

/* "64M" is what the configuration takes; here the number alone is meant. */
static int fail_mebibytes(const struct cli_setting *setting, struct error *error)
{
	autoerror struct error other = ERROR_INIT;
	uint64_t bytes;

	if (value_parse_size(setting->value, 0, 0, &bytes, &other) == 0 && bytes % (1u << 20) == 0)
		error_append(error, ": MiB without a unit; try %" PRIu64, bytes >> 20);
	return error_prefix(error, "%s %s", setting->option->name, setting->value);
}

static int set_mebibytes(struct config *config, const struct cli_setting *setting,
			 struct error *error)
{
	const struct cli_option *option = setting->option;
	char size[32];
	uint64_t mebibytes;

	if (value_parse_u64(setting->value, 0, 0, &mebibytes, error) < 0)
		return fail_mebibytes(setting, error);
	snprintf(size, sizeof(size), "%" PRIu64 "M", mebibytes);
	return config_set(config, option->section, option->key, size, option->name, error);
}

/* -r "" of a caller whose variable is empty: to the script, no free space. */
static bool is_empty_for_script(const struct cli *cli, const struct cli_setting *setting)
{
	return cli->script && setting->option->action == CLI_KEY_MIB && *setting->value == '\0';
}

bool cli_names_image(const struct cli_setting *setting, const char **name, size_t *len)
{
	const char *text = setting->value, *end = text + strcspn(text, "=");
	const char *colon = text + strcspn(text, ":.=");
	const char *dot = memrchr(text, '.', (size_t)(end - text));

	if (setting->option->action != CLI_SETTING || *colon != ':' || !dot || dot < colon)
		return false;
	*name = colon + 1;
	*len = (size_t)(dot - *name);
	return true;
}

static int set_assignment(struct config *config, const struct cli_setting *setting,
			  struct error *error)
{
	autofree char *plain = NULL;
	const char *name;
	size_t len;

	if (!cli_names_image(setting, &name, &len))
		return config_set_assignment(config, setting->value, setting->option->name, error);
	if (!config->name || strlen(config->name) != len || memcmp(config->name, name, len) != 0)
		return 0;
	if (asprintf(&plain, "%.*s%s", (int)(name - 1 - setting->value), setting->value,
		     name + len) < 0) {
		plain = NULL;
		return error_nomem(error);
	}
	return config_set_assignment(config, plain, setting->option->name, error);
}

static int apply_setting(struct config *config, const struct cli_setting *setting,
			 struct error *error)
{
	const struct cli_option *option = setting->option;

	if (option->action == CLI_SETTING)
		return set_assignment(config, setting, error);
	if (option->action == CLI_KEY_MIB)
		return set_mebibytes(config, setting, error);
	return config_set(config, option->section, option->key, setting->value, option->name,
			  error);
}

bool cli_is_dropin(const struct cli *cli)
{
	return cli->config_paths.count == 0;
}

int cli_configure(const struct cli *cli, struct config_set *set, size_t number, struct error *error)
{
	struct config *config = &set->items[number];
	int ret = config_set_begin(set, number, error);

	if (ret == 0)
		ret = config_read_environment(config, error);
	if (ret == 0 && cli_is_dropin(cli))
		ret = dropin_read_environment(config, cli->script, error);
	if (ret == 0)
		ret = config_set_fill(set, number, error);
	for (size_t i = 0; ret == 0 && i < cli->settings.count; i++) {
		struct cli_setting setting = cli->settings.items[i];

		if (is_empty_for_script(cli, &setting))
			setting.value = "0";
		ret = config_collect(config, apply_setting(config, &setting, error), error);
	}
	if (ret == 0 && cli->argument && cli->command->bit & CLI_TAKES_SOURCE)
		ret = config_collect(
			config,
			config_set(config, "image", "source", cli->argument, "SOURCE", error),
			error);
	return ret;
}

int cli_partition(const struct cli *cli, unsigned int *partition, struct error *error)
{
	uint64_t number;

	*partition = 0;
	if (!cli->partition)
		return 0;
	if (value_parse_u64(cli->partition, 1, PARTITION_MAX, &number, error) < 0)
		return error_prefix(error, "--partition %s", cli->partition);
	*partition = (unsigned int)number;
	return 0;
}

int cli_threads(const struct cli *cli, unsigned int *threads, struct error *error)
{
	uint64_t number;

	*threads = pool_default_threads();
	if (!cli->threads)
		return 0;
	if (value_parse_u64(cli->threads, 1, THREADS_MAX, &number, error) < 0)
		return error_prefix(error, "--threads %s", cli->threads);
	*threads = (unsigned int)number;
	return 0;
}

enum progress_mode cli_passing_progress_mode(const struct cli *cli)
{
	enum progress_mode mode = cli_progress_mode(cli);

	return cli->progress > 0 || mode == PROGRESS_BAR ? mode : PROGRESS_OFF;
}

enum progress_mode cli_progress_mode(const struct cli *cli)
{
	if (cli->progress > 0)
		return (enum progress_mode)(cli->progress - 1);
	return cli->quiet ? PROGRESS_OFF : progress_default_mode();
}
