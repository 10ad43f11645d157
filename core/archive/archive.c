/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/archive/finish.h"
#include "core/archive/plain.h"
#include "core/archive/unpack.h"
#include "core/base/cancel.h"

static int open_source(const char *path, struct archive_input *input, struct error *error)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct stat st;

	*input = (struct archive_input){ .label = is_stdin ? "standard input" : path };
	input->fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
			     : open(path, O_RDONLY | O_CLOEXEC);
	if (input->fd < 0 && cancel_requested())
		return error_set(error, ECANCELED, "interrupted");
	if (input->fd < 0 || fstat(input->fd, &st) < 0)
		return error_errno(error, errno, "cannot read the source %s", input->label);
	input->bytes = S_ISREG(st.st_mode) && !is_stdin ? (uint64_t)st.st_size : UINT64_MAX;
	return 0;
}

static int read_plain(struct archive_plain *plain, const struct tree_options *options,
		      struct tree *tree, struct error *error)
{
	struct tree_edit *edit autocall(cleanup_tree_edit_free) = tree_edit_new(tree);
	struct unpack unpack = { .tree = tree, .edit = edit, .input = &plain->input };
	int ret;

	if (!edit)
		return error_nomem(error);
	if (plain->input.bytes == 0)
		return error_set(error, EBADMSG, "%s: an empty file is no archive",
				 plain->input.label);
	ret = archive_plain_give(plain, tree, error);
	if (ret < 0)
		return ret;
	unpack.source = (uint16_t)ret;
	ret = unpack_archive(&unpack, error);
	if (ret == 0)
		ret = tree_edit_finish(edit, error);
	return ret < 0 ? ret : archive_finish_tree(tree, options, error);
}

static int read_tree(const char *path, const struct tree_options *options, struct tree *tree,
		     struct error *error)
{
	struct archive_plain plain autocall(archive_plain_release) = { .input.fd = -1 };
	const struct archive_plain_options how = { .tree = options };
	int ret = open_source(path, &plain.input, error);

	if (ret == 0)
		ret = archive_plain_make(&plain, &how, error);
	return ret < 0 ? ret : read_plain(&plain, options, tree, error);
}

int archive_read_tree(const char *path, const struct tree_options *options, struct tree **result,
		      struct error *error)
{
	struct tree *tree = tree_new_implied();
	int ret = tree ? read_tree(path, options, tree, error) : error_nomem(error);

	if (ret < 0)
		tree_free(tree);
	else
		*result = tree;
	return ret;
}
