/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/cancel.h"
#include "core/base/text.h"
#include "core/cli/cli.h"
#include "core/tree/find.h"
#include "core/tree/walk.h"
#include "lib/acl.h"
#include "lib/filetype.h"

#define MODE_TEXT_BYTES 12

static bool has_acl(const struct kataimg_node *node)
{
	for (uint32_t i = 0; i < node->xattr_count; i++)
		if (acl_is_name(node->xattrs[i].name))
			return true;
	return false;
}

/* "-rwsr-xr-x", and a '+' where there is an ACL. */
static void format_mode(const struct kataimg_node *node, char text[MODE_TEXT_BYTES])
{
	static const char types[] = {
		[KATAIMG_REG] = '-', [KATAIMG_DIR] = 'd',  [KATAIMG_CHR] = 'c',
		[KATAIMG_BLK] = 'b', [KATAIMG_FIFO] = 'p', [KATAIMG_SOCK] = 's',
		[KATAIMG_LNK] = 'l'
	};

	text[0] = types[node->type];
	for (int i = 0; i < 9; i++)
		text[1 + i] = node->mode & (0400 >> i) ? "rwx"[i % 3] : '-';
	if (node->mode & S_ISUID)
		text[3] = node->mode & S_IXUSR ? 's' : 'S';
	if (node->mode & S_ISGID)
		text[6] = node->mode & S_IXGRP ? 's' : 'S';
	if (node->mode & S_ISVTX)
		text[9] = node->mode & S_IXOTH ? 't' : 'T';
	text[10] = has_acl(node) ? '+' : ' ';
	text[11] = '\0';
}

static void print_time(const struct kataimg_node *node)
{
	time_t seconds = (time_t)node->mtime_sec;
	char text[64];
	struct tm tm;

	if (seconds == node->mtime_sec && gmtime_r(&seconds, &tm) &&
	    strftime(text, sizeof(text), "%F %T", &tm) > 0)
		fputs(text, stdout);
	else
		printf("@%" PRId64, node->mtime_sec);
}

static void print_details(const struct kataimg_node *node)
{
	char mode[MODE_TEXT_BYTES], device[32];

	format_mode(node, mode);
	printf("%s %3" PRIu32 " %5" PRIu32 " %5" PRIu32 " ", mode, node->nlink, node->uid,
	       node->gid);
	snprintf(device, sizeof(device), "%" PRIu32 ", %" PRIu32, node->rdev_major,
		 node->rdev_minor);
	if (node->type == KATAIMG_CHR || node->type == KATAIMG_BLK)
		printf("%10s ", device);
	else
		printf("%10" PRIu64 " ", node->size);
	print_time(node);
	putchar(' ');
}

static int print_text(const char *bytes, struct error *error)
{
	autofree char *text = text_line(bytes);

	if (!text)
		return error_nomem(error);
	fputs(text, stdout);
	return 0;
}

static int print_entry(const struct cli *cli, const struct kataimg_node *node, const char *before,
		       const char *path, struct error *error)
{
	int ret;

	if (cli->details)
		print_details(node);
	ret = print_text(before, error);
	if (ret == 0 && *before && *path && before[strlen(before) - 1] != '/')
		putchar('/');
	if (ret == 0)
		ret = print_text(path, error);
	if (ret == 0 && cli->details && node->type == KATAIMG_LNK) {
		fputs(" -> ", stdout);
		ret = print_text(node->target, error);
	}
	putchar('\n');
	return ret;
}

static int list_below(const struct cli *cli, const struct kataimg_node *dir, const char *before,
		      struct error *error)
{
	struct tree_walk walk __attribute__((cleanup(tree_walk_end)));
	int ret;

	tree_walk_begin(&walk, dir);
	while ((ret = tree_walk_next(&walk)) > 0) {
		ret = cancel_check(error);
		if (ret == 0)
			ret = print_entry(cli, walk.entry->node, before, walk.path, error);
		if (ret < 0 || ferror(stdout))
			return ret;
	}
	return ret < 0 ? error_nomem(error) : 0;
}

static int list_directory(const struct cli *cli, const struct kataimg_node *dir, const char *before,
			  struct error *error)
{
	int ret = 0;

	if (cli->recursive)
		return list_below(cli, dir, before, error);
	for (uint32_t i = 0; ret == 0 && i < dir->entry_count; i++)
		ret = print_entry(cli, dir->entries[i].node, "", dir->entries[i].name, error);
	return ret;
}

/* A link is followed when it leads to a directory and no details are asked for, as ls(1) does. */
static const struct kataimg_node *find(const struct cli *cli, const struct tree *tree,
				       const char *path, int *code)
{
	const struct kataimg_node *node = tree_resolve_link(tree, path, code), *behind;
	int no_matter;

	if (!node || node->type != KATAIMG_LNK || cli->details)
		return node;
	behind = tree_resolve(tree, path, &no_matter);
	return behind && behind->type == KATAIMG_DIR ? behind : node;
}

static int list_path(const struct cli *cli, const struct tree *tree, const char *path,
		     struct error *error)
{
	int code;
	const struct kataimg_node *node = find(cli, tree, path, &code);

	if (!node)
		return error_errno(error, code, "%s", path);
	return node->type == KATAIMG_DIR ? list_directory(cli, node, path, error)
					 : print_entry(cli, node, "", path, error);
}

int cmd_ls(const struct cli *cli, struct error *error)
{
	const char *path = cli->more.count ? cli->more.items[0] : "";
	const struct cli_places places = { .sources = { cli->argument }, .count = 1 };
	struct tree *tree = NULL;
	int ret = cli_confine(cli, &places, error);

	if (ret == 0)
		ret = cli_read_source(cli, cli->argument, true, &tree, error);
	if (ret == 0)
		ret = list_path(cli, tree, path, error);
	tree_free(tree);
	return ret;
}
