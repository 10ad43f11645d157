/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/plain.h"

#include <unistd.h>

#include "core/archive/stream.h"
#include "core/tree/content.h"
#include "core/tree/exclude.h"

/* Headers of 20,000 members, and of more when they are pax': what is beyond goes to the scratch
 * file. */
#define HEADER_BYTES ((size_t)16 << 20)

struct unpacked {
	const char *label;
	int fd;
	bool layer;
};

/* What was unpacked so far is read for it. */
static char *find_member(void *arg, uint64_t off)
{
	const struct unpacked *unpacked = arg;
	const struct archive_reader_options options = { .layer = unpacked->layer, .quiet = true };
	struct archive_input input = { .label = unpacked->label, .fd = unpacked->fd, .bytes = off };
	struct archive_reader *reader autocall(cleanup_archive_reader_free) = NULL;
	autoerror struct error ignored = ERROR_INIT;
	struct archive_member member;
	char *words = NULL;

	/* Zeros at its end are a hole that is not there yet. */
	if (ftruncate(input.fd, (off_t)off) == 0 &&
	    archive_reader_open(&input, &options, &reader, &ignored) == 0) {
		while (archive_reader_next(reader, &member, &ignored) > 0)
			;
		words = archive_reader_describe(reader, off);
	}
	archive_input_release(&input);
	return words;
}

static int unpack_all(struct archive_input *input, int fd,
		      const struct archive_plain_options *options, uint64_t *bytes,
		      struct error *error)
{
	struct archive_stream stream autocall(archive_stream_close) = { 0 };
	int ret = archive_stream_open(&stream, input, options->tree->scratch.limit, options->digest,
				      error);
	struct unpacked unpacked = { input->label, fd, options->layer };

	stream.find_member = find_member;
	stream.find_arg = &unpacked;
	if (ret == 0)
		ret = archive_stream_store(&stream, fd, bytes, error);
	return ret < 0 ? ret : archive_stream_finish(&stream, error);
}

/* Asked of each member of an archive whose content is needed. */
static int needs(void *arg, const struct archive_member *member)
{
	const struct archive_plain_options *options = arg;
	const struct tree_excluder *unneeded = options->tree->unneeded;
	int ret = options->needs ? options->needs(options->needs_arg, member) : 1;

	return ret > 0 && unneeded && tree_excluder_covers(unneeded, member->path, false) ? 0 : ret;
}

static int unpack_partly(struct archive_plain *plain, int fd,
			 const struct archive_plain_options *options, uint64_t *bytes,
			 struct error *error)
{
	bool later = options->tree->content_later;
	struct archive_plain_options own = *options;
	const struct archive_partial_options partial = {
		.limit = options->tree->scratch.limit,
		.reader = { .layer = options->layer },
		.digest = options->digest,
		.memory = later ? HEADER_BYTES / (1 + options->beside) : 0,
		.needs = later ? NULL : needs,
		.needs_arg = &own,
	};

	return archive_partial_new(&plain->input, fd, &partial, &plain->partial, bytes, error);
}

/* A stream cannot be read again for what was left out by mistake. */
static bool is_partial(const struct archive_input *input,
		       const struct archive_plain_options *options)
{
	return !archive_input_is_stream(input) &&
	       (options->tree->content_later || options->tree->unneeded || options->needs);
}

static int unpack(struct archive_plain *plain, const struct archive_plain_options *options,
		  struct error *error)
{
	const struct tree_scratch *scratch = &options->tree->scratch;
	struct archive_input *input = &plain->input;
	autoclose int fd = scratch->open(scratch->arg);
	uint64_t bytes = 0;
	int ret;

	/* Others have the processors as well. */
	input->threads = options->beside ? 1 : options->tree->threads;
	input->unpacks_to = scratch->place ? scratch->place : "the output's directory";
	if (fd < 0)
		return error_errno(error, -fd, "cannot unpack %s into %s", input->label,
				   input->unpacks_to);
	ret = is_partial(input, options) ? unpack_partly(plain, fd, options, &bytes, error)
					 : unpack_all(input, fd, options, &bytes, error);
	if (ret < 0)
		return ret;
	close(input->fd);
	input->fd = steal_fd(&fd);
	input->off = 0;
	input->bytes = bytes;
	input->unpacked = true;
	input->partial = plain->partial;
	plain->scratch = true;
	plain->unpacked = true;
	return 0;
}

int archive_plain_make(struct archive_plain *plain, const struct archive_plain_options *options,
		       struct error *error)
{
	bool needed = archive_input_is_stream(&plain->input);
	int ret = needed ? 0 : archive_stream_is_needed(&plain->input, &needed, error);

	return ret < 0 || !needed ? ret : unpack(plain, options, error);
}

static int fill(void *arg, uint64_t off, uint64_t len, struct error *error)
{
	return archive_partial_fill(arg, off, len, error);
}

static int peek(void *arg, uint64_t off, void *buf, size_t len, struct error *error)
{
	return archive_partial_peek(arg, off, buf, len, error);
}

static void free_partial(void *arg)
{
	archive_partial_free(arg);
}

int archive_plain_give(struct archive_plain *plain, struct tree *tree, struct error *error)
{
	const struct tree_later later = { fill, peek, free_partial, plain->partial };
	int source = tree_add_shared(tree, plain->input.fd,
				     plain->scratch ? TREE_SOURCE_SCRATCH : TREE_SOURCE_ARCHIVE);

	plain->given = true;
	if (source < 0)
		return error_errno(error, -source, "%s", plain->input.label);
	if (plain->partial)
		tree_set_later(tree, source, &later);
	plain->partial = NULL;
	return source;
}

void archive_plain_release(struct archive_plain *plain)
{
	archive_input_release(&plain->input);
	archive_partial_free(plain->partial);
	plain->partial = NULL;
	if (!plain->given && plain->input.fd >= 0)
		close(plain->input.fd);
	plain->input.fd = -1;
}
