/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/reader.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/archive/tar.h"

struct archive_reader {
	bool is_tar;
	struct tar tar;
	struct archive_entry *entry; /* owned; of tar */
	struct cpio cpio;
};

static int open_tar(struct archive_reader *reader, struct archive_input *input,
		    const struct archive_reader_options *options, struct error *error)
{
	tar_init(&reader->tar, input);
	reader->tar.no_global = options->layer;
	reader->tar.charset_seen = options->quiet;
	reader->tar.type_seen = options->quiet;
	reader->entry = archive_entry_new();
	return reader->entry ? 0 : error_nomem(error);
}

int archive_reader_open(struct archive_input *input, const struct archive_reader_options *options,
			struct archive_reader **result, struct error *error)
{
	struct archive_reader *reader = calloc(1, sizeof(*reader));
	int ret = reader ? tar_probe(input, &reader->is_tar, error) : error_nomem(error);

	if (ret == 0)
		ret = reader->is_tar ? open_tar(reader, input, options, error)
				     : cpio_open(&reader->cpio, input, error);
	if (ret < 0)
		archive_reader_free(reader);
	else
		*result = reader;
	return ret;
}

void archive_reader_free(struct archive_reader *reader)
{
	if (!reader)
		return;
	tar_release(&reader->tar);
	archive_entry_free(reader->entry);
	cpio_release(&reader->cpio);
	free(reader);
}

int archive_reader_next(struct archive_reader *reader, struct archive_member *member,
			struct error *error)
{
	int ret;

	*member = (struct archive_member){ .entry = reader->entry };
	if (!reader->is_tar)
		return cpio_next(&reader->cpio, member, error);
	ret = tar_next(&reader->tar, error);
	if (ret <= 0)
		return ret;
	ret = tar_fill_entry(&reader->tar, member, error);
	return ret < 0 ? ret : 1;
}

uint64_t archive_reader_end(const struct archive_reader *reader, bool *marked)
{
	*marked = !reader->is_tar || reader->tar.ended;
	return reader->is_tar ? reader->tar.next
			      : (uint64_t)archive_filter_bytes(reader->cpio.archive, 0);
}

/* While it is not known where the next member begins, any place counts as within the present
 * one. */
static bool is_in_tar_member(const struct tar *tar, uint64_t at)
{
	return at < tar->next || (tar->member.path && tar->next == tar->member.at);
}

char *archive_reader_describe(const struct archive_reader *reader, uint64_t at)
{
	const char *path;
	char *words;
	bool within;

	if (!reader)
		return NULL;
	if (reader->is_tar) {
		path = reader->tar.member.path ? reader->tar.member.path : reader->tar.previous;
		within = is_in_tar_member(&reader->tar, at);
	} else {
		path = reader->cpio.previous;
		within = at < reader->cpio.previous_end;
	}
	return path && asprintf(&words, "%s%s", within ? "" : "behind ", path) >= 0 ? words : NULL;
}
