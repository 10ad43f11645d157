/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/archive/finish.h"
#include "core/archive/unpack.h"
#include "core/base/cancel.h"

/* The input as a plain archive in a file: itself, or unpacked into scratch. */
struct plain {
	int fd; /* owned */
	uint64_t bytes;
	bool scratch;
};

static int unpack_to_scratch(struct archive_input *input, const struct tree_scratch *scratch,
			     struct plain *plain, struct error *error)
{
	plain->scratch = true;
	plain->fd = scratch->open(scratch->arg);
	if (plain->fd < 0)
		return error_errno(error, -plain->fd,
				   "cannot unpack %s into the output's directory", input->label);
	return archive_input_unpack(input, plain->fd, scratch->limit, &plain->bytes, error);
}

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

static int make_plain(struct archive_input *input, const struct tree_scratch *scratch,
		      struct plain *plain, struct error *error)
{
	bool is_stream = input->bytes == UINT64_MAX, compressed = false;
	int ret = is_stream ? 0 : archive_input_is_compressed(input, &compressed, error);

	if (ret < 0)
		return ret;
	if (is_stream || compressed)
		return unpack_to_scratch(input, scratch, plain, error);
	*plain = (struct plain){ steal_fd(&input->fd), input->bytes, false };
	return 0;
}

static int read_plain(const char *label, struct plain *plain, const struct tree_options *options,
		      struct tree *tree, struct error *error)
{
	struct tree_edit *edit autocall(cleanup_tree_edit_free) = tree_edit_new(tree);
	struct archive_input input = { .label = label, .fd = plain->fd, .bytes = plain->bytes };
	struct unpack unpack = { .tree = tree, .edit = edit, .input = &input };
	int source, ret;

	if (plain->bytes == 0)
		return error_set(error, EBADMSG, "%s: an empty file is no archive", label);
	source = tree_add_shared(tree, steal_fd(&plain->fd),
				 plain->scratch ? TREE_SOURCE_SCRATCH : TREE_SOURCE_ARCHIVE);
	if (!edit || source < 0)
		return error_nomem(error);
	unpack.source = (uint16_t)source;
	ret = unpack_archive(&unpack, error);
	archive_input_release(&input);
	if (ret == 0)
		ret = tree_edit_finish(edit, error);
	return ret < 0 ? ret : archive_finish_tree(tree, options, error);
}

static int read_tree(const char *path, const struct tree_options *options, struct tree *tree,
		     struct error *error)
{
	struct archive_input input;
	struct plain plain = { .fd = -1 };
	int ret = open_source(path, &input, error);

	if (ret == 0)
		ret = make_plain(&input, &options->scratch, &plain, error);
	if (ret == 0)
		ret = read_plain(input.label, &plain, options, tree, error);
	archive_input_release(&input);
	if (input.fd >= 0)
		close(input.fd);
	if (plain.fd >= 0)
		close(plain.fd);
	return ret;
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
