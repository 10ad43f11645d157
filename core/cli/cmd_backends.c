/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/backend/loader.h"
#include "core/base/log.h"
#include "core/base/size.h"
#include "core/cli/cli.h"
#include "core/config/options.h"

struct word {
	uint64_t bit;
	const char *text;
};

static const struct word capability_words[] = {
	{ KATAIMG_CAP_SYMLINKS, "symlinks" },
	{ KATAIMG_CAP_HARDLINKS, "hardlinks" },
	{ KATAIMG_CAP_DEVICES, "devices" },
	{ KATAIMG_CAP_FIFOS, "fifos" },
	{ KATAIMG_CAP_SOCKETS, "sockets" },
	{ KATAIMG_CAP_XATTRS, "xattrs" },
	{ KATAIMG_CAP_ACLS, "acls" },
	{ KATAIMG_CAP_NANOSECONDS, "nanoseconds" },
	{ KATAIMG_CAP_SPARSE, "sparse" },
	{ KATAIMG_CAP_DAX, "dax" },
	{ KATAIMG_CAP_FREE_SPACE, "free-space" },
	{ KATAIMG_CAP_WRITE_AGAIN, "write-again" },
	{ KATAIMG_CAP_NO_DISK, "no-disk" },
};

static int print_line(void *arg, const struct backend *backend)
{
	size_t *count = arg;

	++*count;
	printf("%-16s %-10s %s\n", backend->table.name, backend->table.version,
	       backend->table.summary);
	return 0;
}

static void print_capabilities(uint64_t capabilities)
{
	fputs("stores:   ", stdout);
	for (size_t i = 0; i < sizeof(capability_words) / sizeof(capability_words[0]); i++)
		if (capabilities & capability_words[i].bit)
			printf(" %s", capability_words[i].text);
	putchar('\n');
}

static void print_bounds(const struct kataimg_option *option)
{
	char min[SIZE_TEXT_BYTES], max[SIZE_TEXT_BYTES];

	if (option->min == 0 && option->max == 0)
		return;
	if (option->type == KATAIMG_OPT_STRING)
		printf("; at most %" PRIu64 " bytes", option->max);
	else if (option->type == KATAIMG_OPT_SIZE)
		printf("; %s to %s", size_format(option->min, min, sizeof(min)),
		       size_format(option->max, max, sizeof(max)));
	else
		printf("; %" PRIu64 " to %" PRIu64, option->min, option->max);
}

static void print_option(const struct kataimg_option *option)
{
	char type[128];

	printf("  %s = %s\n      %s", option->name,
	       option_describe_type(option, type, sizeof(type)), option->help);
	if (option->default_value && *option->default_value)
		printf(" (%s)", option->default_value);
	print_bounds(option);
	putchar('\n');
}

static void print_backend(const struct backend *backend)
{
	const struct kataimg_backend *table = &backend->table;
	const char *libraries = table->libraries ? table->libraries() : NULL;

	printf("%s %s: %s\n", table->name, table->version, table->summary);
	printf("file:      %s\n", backend->path);
	if (libraries)
		printf("libraries: %s\n", libraries);
	print_capabilities(table->capabilities);
	if (table->option_count > 0)
		printf("\n[%s]\n", table->name);
	for (uint64_t i = 0; i < table->option_count; i++)
		print_option(&table->options[i]);
}

static int list_backends(const struct backend_search *search, struct error *error)
{
	autofree char *where = backend_search_describe(search);
	size_t count = 0;
	int ret = where ? backend_for_each(search, print_line, &count) : -ENOMEM;

	if (ret == -ENOMEM)
		return error_nomem(error);
	if (ret < 0)
		return error_errno(error, -ret, "cannot look for backends in %s", where);
	if (count == 0)
		log_warning("there are no backends in %s; packaged, they are called "
			    "kataimg-backend-NAME",
			    where);
	return 0;
}

int cmd_backends(const struct cli *cli, struct error *error)
{
	struct backend_search *search autocall(cleanup_backend_search_free) =
		backend_search_new(cli->backend_dirs.items, cli->backend_dirs.count);
	struct backend *backend autocall(cleanup_backend_free) = NULL;
	int ret;

	if (!search)
		return error_nomem(error);
	if (!cli->argument)
		return list_backends(search, error);
	ret = backend_load(search, cli->argument, &backend, error);
	if (ret < 0)
		return error_prefix(error, "%s", cli->argument);
	print_backend(backend);
	return 0;
}
