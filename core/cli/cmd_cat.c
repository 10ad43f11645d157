/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cancel.h"
#include "core/cli/cli.h"
#include "core/tree/find.h"

#define CHUNK_BYTES ((size_t)1 << 20)

/* Whether standard output took it is cli_main's to say; what nobody takes is not read. */
static int print_file(const struct tree *tree, const struct kataimg_node *file, struct error *error)
{
	autofree char *bytes = malloc(CHUNK_BYTES);
	uint64_t off = 0;

	if (!bytes)
		return error_nomem(error);
	while (off < file->size && !ferror(stdout)) {
		uint64_t left = file->size - off;
		size_t len = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
		int ret = cancel_check(error);

		if (ret == 0)
			ret = tree_read(tree, file, off, bytes, len, error);
		if (ret < 0)
			return ret;
		fwrite(bytes, 1, len, stdout);
		off += len;
	}
	return ferror(stdout) ? error_errno(error, errno, "standard output") : 0;
}

static int print_path(const struct tree *tree, const char *path, struct error *error)
{
	int code;
	const struct kataimg_node *node = tree_resolve(tree, path, &code);

	if (!node)
		return error_errno(error, code, "%s", path);
	if (node->type == KATAIMG_DIR)
		return error_errno(error, EISDIR, "%s", path);
	if (node->type != KATAIMG_REG)
		return error_set(error, EINVAL, "%s: it is no file with bytes", path);
	return print_file(tree, node, error);
}

int cmd_cat(const struct cli *cli, struct error *error)
{
	const struct cli_places places = { .sources = { cli->argument }, .count = 1 };
	struct tree *tree = NULL;
	int ret = cli_confine(cli, &places, error);

	if (ret == 0)
		ret = cli_read_source(cli, cli->argument, true, &tree, error);
	if (ret == 0)
		ret = print_path(tree, cli->more.items[0], error);
	tree_free(tree);
	return ret;
}
