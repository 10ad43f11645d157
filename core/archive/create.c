/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/create.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/archive/create_entry.h"
#include "core/base/cancel.h"
#include "core/base/log.h"
#include "core/tree/reader.h"
#include "core/tree/walk.h"
#include "lib/cleanup.h"
#include "lib/libc.h"

#define CHUNK_BYTES ((size_t)1 << 20)
/* Only mapped: libarchive takes no more at once than an int says. */
#define ZEROS_BYTES ((size_t)1 << (sizeof(size_t) > 4 ? 30 : 24))
/* What a tar's length is a multiple of, since there were tapes. */
#define RECORD_BYTES 10240

struct create {
	const struct tree *tree;
	const struct archive_create_options *options;
	struct archive *archive;
	struct archive_entry *entry;
	struct tree_reader *reader;
	FILE *out;
	bool failed;
	char *buffer;      /* CHUNK_BYTES */
	const char *zeros; /* ZEROS_BYTES */
	uint64_t done_bytes, total_bytes;
	uint64_t sockets;
	char *first_socket; /* owned */
	uint64_t encoded;
	const char *first_encoded; /* of the tree */
};

enum archive_compression archive_compression_of(const char *name)
{
	static const struct {
		const char *end;
		enum archive_compression compression;
	} ends[] = {
		{ ".tar", ARCHIVE_PLAIN }, { ".tar.gz", ARCHIVE_GZIP },
		{ ".tgz", ARCHIVE_GZIP },  { ".tar.zst", ARCHIVE_ZSTD },
		{ ".tzst", ARCHIVE_ZSTD }, { ".tar.xz", ARCHIVE_XZ },
		{ ".txz", ARCHIVE_XZ },
	};
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t end = strlen(ends[i].end);

		if (len > end && strcmp(name + len - end, ends[i].end) == 0)
			return ends[i].compression;
	}
	return strcmp(name, "-") == 0 ? ARCHIVE_PLAIN : ARCHIVE_UNKNOWN;
}

/* ---- The stream ---- */

static la_ssize_t write_out(struct archive *archive, void *arg, const void *bytes, size_t len)
{
	const struct create *create = arg;

	/* After a failure libarchive still wants to write what it has, as it is closed: nobody
	 * needs that. */
	if (create->failed)
		return -1;
	if (fwrite(bytes, 1, len, create->out) == len)
		return (la_ssize_t)len;
	archive_set_error(archive, errno, "cannot write: %s", errno_text(errno));
	return -1;
}

static int fail(const struct create *create, const char *path, struct error *error)
{
	int code = archive_errno(create->archive);
	const char *text = archive_error_string(create->archive);

	/* Where it is no error of the system libarchive's code may be -1, which is no errno
	 * value. */
	return error_set(error, code > 0 ? code : EIO, "%s%s%s", path && *path ? path : "",
			 path && *path ? ": " : "", text ? text : "out of memory");
}

/* Two threads or more give the same bytes, one gives others: so there are two at least. */
static int set_threads(struct archive *archive, const char *filter, unsigned int threads)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", threads < 2 ? 2u : threads);
	return archive_write_set_filter_option(archive, filter, "threads", text);
}

static int add_filter(struct create *create)
{
	struct archive *archive = create->archive;
	int ret = ARCHIVE_OK;

	switch (create->options->compression) {
	case ARCHIVE_GZIP:
		ret = archive_write_add_filter_gzip(archive);
		/* gzip's header would tell when the file was made. */
		return ret != ARCHIVE_OK ? ret
					 : archive_write_set_filter_option(archive, "gzip",
									   "timestamp", NULL);
	case ARCHIVE_ZSTD:
		ret = archive_write_add_filter_zstd(archive);
		return ret != ARCHIVE_OK ? ret
					 : set_threads(archive, "zstd", create->options->threads);
	case ARCHIVE_XZ:
		ret = archive_write_add_filter_xz(archive);
		return ret != ARCHIVE_OK ? ret
					 : set_threads(archive, "xz", create->options->threads);
	default:
		return ret;
	}
}

/* libarchive warns where it would run a program because it lacks a filter itself: that is an error
 * here. */
static int open_archive(struct create *create, struct error *error)
{
	struct archive *archive = create->archive;

	/* Without this, libarchive writes each attribute twice, for two kinds of readers. */
	if (archive_write_set_format_pax(archive) != ARCHIVE_OK ||
	    archive_write_set_format_option(archive, "pax", "xattrheader", "SCHILY") != ARCHIVE_OK)
		return fail(create, NULL, error);
	if (add_filter(create) != ARCHIVE_OK)
		return error_set(error, ENOTSUP, "libarchive cannot compress so: %s",
				 archive_error_string(archive));
	archive_write_set_bytes_per_block(archive, RECORD_BYTES * 20);
	archive_write_set_bytes_in_last_block(
		archive, create->options->compression == ARCHIVE_PLAIN ? RECORD_BYTES : 1);
	if (archive_write_open(archive, create, NULL, write_out, NULL) != ARCHIVE_OK)
		return fail(create, NULL, error);
	return 0;
}

/* ---- Content ---- */

static int put(struct create *create, const char *path, const char *bytes, size_t len,
	       struct error *error)
{
	while (len > 0) {
		la_ssize_t done = archive_write_data(create->archive, bytes, len);

		if (done <= 0)
			return fail(create, path, error);
		bytes += done;
		len -= (size_t)done;
	}
	return 0;
}

/* What the map says is a hole, libarchive takes and drops. An image of some KiB may have a file
 * with one of exabytes: so zeros are given in such pieces that all are counted within minutes. */
static int put_zeros(struct create *create, const char *path, uint64_t len, struct error *error)
{
	int ret = 0;

	while (ret == 0 && len > 0) {
		size_t part = len < ZEROS_BYTES ? (size_t)len : ZEROS_BYTES;

		ret = cancel_check(error);
		if (ret == 0)
			ret = put(create, path, create->zeros, part, error);
		len -= part;
	}
	return ret;
}

static void report(struct create *create, uint64_t bytes)
{
	const struct archive_create_options *options = create->options;

	create->done_bytes += bytes;
	if (options->progress)
		options->progress(options->progress_arg, create->done_bytes, create->total_bytes);
}

static int put_extent(struct create *create, const char *path, const struct kataimg_node *node,
		      const struct tree_extent *extent, struct error *error)
{
	int ret = tree_reader_open(create->reader, node, error);
	uint64_t done = 0;

	ret = ret < 0 ? ret : 0;
	while (ret == 0 && done < extent->len) {
		uint64_t left = extent->len - done;
		size_t len = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;

		ret = cancel_check(error);
		if (ret == 0)
			ret = tree_reader_read(create->reader, create->buffer, len,
					       extent->source_off + done, error);
		if (ret == 0)
			ret = put(create, path, create->buffer, len, error);
		report(create, len);
		done += len;
	}
	return ret;
}

static int put_content(struct create *create, const char *path, const struct kataimg_node *node,
		       struct error *error)
{
	struct tree_extent extent;
	bool has_read = false;
	uint64_t at = 0;
	int ret = 0;

	while (ret == 0 && tree_next_extent(create->tree, node, at, node->size, &extent)) {
		ret = put_zeros(create, path, extent.file_off - at, error);
		if (ret == 0)
			ret = put_extent(create, path, node, &extent, error);
		at = extent.file_off + extent.len;
		has_read = true;
	}
	/* A hole at the end needs no bytes: libarchive ends what has a map by it, which it writes
	 * in front of the first byte that it gets. */
	if (ret == 0 && at == 0 && node->size > 0)
		ret = put_zeros(create, path, 1, error);
	return ret < 0 || !has_read ? ret : tree_reader_check(create->reader, error);
}

/* ---- Entries ---- */

static bool is_printable_ascii(const char *text)
{
	while (*text > ' ' && *text <= '~')
		text++;
	return *text == '\0';
}

/* libarchive writes other bytes as %XX: so does no other archiver, nor knows it. */
static void note_names(struct create *create, const struct kataimg_node *node)
{
	for (uint32_t i = 0; i < node->xattr_count; i++) {
		if (is_printable_ascii(node->xattrs[i].name))
			continue;
		if (create->encoded++ == 0)
			create->first_encoded = node->xattrs[i].name;
	}
}

static int put_entry(struct create *create, const char *path, const struct kataimg_node *node,
		     bool is_link, struct error *error)
{
	int ret = create_entry(create->entry, create->tree, path, node, is_link);

	if (ret == -EOVERFLOW)
		return error_errno(error, EOVERFLOW, "cannot put the time of %s into the tar",
				   path);
	if (ret < 0)
		return error_nomem(error);
	if (!is_link)
		note_names(create, node);
	/* A warning means that a name is no UTF-8, and was written as it is. */
	if (archive_write_header(create->archive, create->entry) < ARCHIVE_WARN)
		return fail(create, path, error);
	return node->type == KATAIMG_REG && !is_link ? put_content(create, path, node, error) : 0;
}

static int leave_socket(struct create *create, const char *path, struct error *error)
{
	if (create->sockets++ == 0)
		create->first_socket = strdup(path);
	return create->first_socket ? 0 : error_nomem(error);
}

static int put_tree(struct create *create, struct error *error)
{
	const struct kataimg_node *root = tree_public(create->tree)->nodes[0];
	struct tree_walk walk __attribute__((cleanup(tree_walk_end)));
	int ret = create->options->partial ? 0 : put_entry(create, "", root, false, error);

	tree_walk_begin(&walk, root);
	while (ret == 0 && (ret = tree_walk_next(&walk)) > 0) {
		const struct kataimg_node *node = walk.entry->node;

		ret = cancel_check(error);
		if (ret == 0 && node->type == KATAIMG_SOCK)
			ret = leave_socket(create, walk.path, error);
		else if (ret == 0)
			ret = put_entry(create, walk.path, node, tree_walk_is_link(&walk), error);
	}
	return ret == -ENOMEM ? error_nomem(error) : ret;
}

static int create_all(struct create *create, struct error *error)
{
	int ret;

	if (!create->archive || !create->entry || !create->reader || !create->buffer ||
	    !create->zeros)
		return error_nomem(error);
	ret = open_archive(create, error);
	if (ret == 0)
		ret = put_tree(create, error);
	if (ret < 0)
		return ret;
	if (archive_write_close(create->archive) != ARCHIVE_OK)
		return fail(create, NULL, error);
	if (create->sockets > 0)
		log_warning("tar has no sockets: %" PRIu64 " left out (%s)", create->sockets,
			    create->first_socket);
	if (create->encoded > 0)
		log_warning(
			"the names of %" PRIu64 " extended attributes have %%XX in the archive for "
			"bytes that are no ASCII (%s): kataimg reads them as they were, tar does "
			"not",
			create->encoded, create->first_encoded);
	return 0;
}

int archive_create(const struct tree *tree, FILE *out, const struct archive_create_options *options,
		   struct error *error)
{
	autofree char *buffer = malloc(CHUNK_BYTES);
	void *zeros = mmap(NULL, ZEROS_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct create create = { .tree = tree,
				 .options = options,
				 .archive = archive_write_new(),
				 .entry = archive_entry_new(),
				 .reader = tree_reader_new(tree),
				 .out = out,
				 .buffer = buffer,
				 .zeros = zeros == MAP_FAILED ? NULL : zeros };
	struct tree_counts counts;
	/* To libarchive, names that are no text of the locale are bytes, which others warn of. */
	locale_t utf8, before = (locale_t)0;
	int ret;

	tree_count(tree, &counts);
	create.total_bytes = counts.data_bytes;
	utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (utf8)
		before = uselocale(utf8);
	ret = create_all(&create, error);
	if (utf8) {
		uselocale(before);
		freelocale(utf8);
	}
	create.failed = ret < 0;
	/* To close it fills what is missing with zeros, which to compress would take long. */
	if (create.failed && create.archive && options->compression != ARCHIVE_PLAIN)
		archive_write_fail(create.archive);
	archive_write_free(create.archive);
	archive_entry_free(create.entry);
	tree_reader_free(create.reader);
	if (zeros != MAP_FAILED)
		munmap(zeros, ZEROS_BYTES);
	free(create.first_socket);
	return ret;
}
