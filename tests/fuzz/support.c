/* SPDX-License-Identifier: Apache-2.0 */
/* What several fuzz targets need. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/archive/archive.h"
#include "core/archive/create.h"
#include "core/base/digest.h"
#include "core/base/io.h"
#include "core/base/log.h"
#include "core/base/textstream.h"
#include "core/confine/confine.h"
#include "core/mtree/mtree.h"
#include "tests/fuzz/target.h"

#define READ_BYTES 4096u
/* More of files is not read, nor archived. */
#define SMALL_BYTES ((uint64_t)1 << 20)

void fuzz_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

/* What is said of each input is of no interest, and the next one needs what a build gives up. */
__attribute__((constructor)) static void prepare(void)
{
	log_set_level(LOG_ERROR);
	confine_switch_off();
}

struct fuzz_file fuzz_open(const void *bytes, size_t len)
{
	struct fuzz_file file = { .fd = memfd_create("input", MFD_CLOEXEC) };

	if (file.fd < 0 || io_pwrite(file.fd, bytes, len, 0) < 0)
		fuzz_fail("no room for an input of %zu bytes", len);
	snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", file.fd);
	return file;
}

void fuzz_close(struct fuzz_file *file)
{
	close(file->fd);
}

/* Where a target is run without its build tree, they lie in "backends" beside it. */
static struct backend_search *find_backends(void)
{
	char directory[PATH_MAX + sizeof("backends")];
	const char *const directories[] = { directory };
	ssize_t len = readlink("/proc/self/exe", directory, PATH_MAX);

	while (len > 0 && directory[len - 1] != '/')
		len--;
	if (len <= 0)
		fuzz_fail("no /proc");
	strcpy(directory + len, "backends");
	return backend_search_new(directories, access(directory, F_OK) == 0 ? 1 : 0);
}

const struct backend_search *fuzz_backends(void)
{
	static struct backend_search *search;

	if (!search)
		search = find_backends();
	if (!search)
		fuzz_fail("out of memory");
	return search;
}

int fuzz_scratch(void *arg)
{
	(void)arg;
	return memfd_create("scratch", MFD_CLOEXEC);
}

/* In pieces. */
static int read_range(const struct tree *tree, const struct kataimg_node *node, uint64_t off,
		      uint64_t len, struct error *error)
{
	static char bytes[READ_BYTES];
	int ret = 0;

	for (uint64_t end = off + len; ret == 0 && off < end; off += sizeof(bytes))
		ret = tree_read(tree, node, off, bytes,
				end - off < sizeof(bytes) ? (size_t)(end - off) : sizeof(bytes),
				error);
	return ret;
}

static int read_file(const struct tree *tree, const struct kataimg_node *node, bool whole,
		     struct error *error)
{
	const uint64_t len = node->size < READ_BYTES ? node->size : READ_BYTES;
	int ret = read_range(tree, node, 0, len, error);

	if (ret == 0)
		ret = read_range(tree, node, node->size - len, len, error);
	for (uint32_t i = 0; ret == 0 && whole && i < node->segment_count; i++)
		ret = read_range(tree, node, node->segments[i].file_off, node->segments[i].len,
				 error);
	return ret;
}

static bool is_small(const struct tree *tree)
{
	struct tree_counts counts;

	tree_count(tree, &counts);
	return counts.data_bytes <= SMALL_BYTES;
}

int fuzz_read_files(const struct tree *tree, struct error *error)
{
	const struct kataimg_tree *nodes = tree_public(tree);
	bool whole = is_small(tree);
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < nodes->node_count; i++)
		if (nodes->nodes[i]->type == KATAIMG_REG)
			ret = read_file(tree, nodes->nodes[i], whole, error);
	return ret;
}

void fuzz_digest_tree(const struct tree *tree, uint8_t sum[DIGEST_BYTES])
{
	struct digest *digest autocall(cleanup_digest_free) = digest_new();
	autoerror struct error error = ERROR_INIT;

	if (!digest || tree_digest(tree, digest, &error) < 0 || digest_final(digest, sum) < 0)
		fuzz_fail("a tree has no digest");
}

static char *print_tree(const struct tree *tree)
{
	autoerror struct error error = ERROR_INIT;
	struct text_stream stream;
	char *text = NULL;

	if (text_stream_open(&stream) < 0 || mtree_print(tree, NULL, stream.out, &error) < 0 ||
	    text_stream_close(&stream, &text) < 0)
		fuzz_fail("a tree cannot be printed: %s", error.message ? error.message : "");
	return text;
}

void fuzz_check_printed(struct tree *tree)
{
	const struct tree_options options = { .threads = 1, .scratch = { .open = fuzz_scratch } };
	uint8_t before[DIGEST_BYTES], after[DIGEST_BYTES];
	autofree char *text = print_tree(tree);
	struct fuzz_file file = fuzz_open(text, strlen(text));
	autoerror struct error error = ERROR_INIT;
	uint64_t changes;

	fuzz_digest_tree(tree, before);
	if (mtree_apply(tree, file.path, &options, &changes, &error) < 0)
		fuzz_fail("a printed tree is refused: %s\n%s", error.message, text);
	fuzz_digest_tree(tree, after);
	if (memcmp(before, after, sizeof(before)) != 0)
		fuzz_fail("a printed tree is another one:\n%s", text);
	fuzz_close(&file);
}

/* ---- Archives ---- */

static void archive(const struct tree *tree, const struct fuzz_file *file)
{
	const struct archive_create_options options = { .compression = ARCHIVE_PLAIN,
							.threads = 1 };
	autoerror struct error error = ERROR_INIT;
	FILE *out = fopen(file->path, "w");

	if (!out || archive_create(tree, out, &options, &error) < 0 || fclose(out) != 0)
		fuzz_fail("a tree cannot be archived: %s", error.message ? error.message : "");
}

/* libarchive has no time between -1 and 0: its fractions have the sign of the seconds. Links in
 * archives have no mode. */
static bool is_for_archives(const struct kataimg_node *node)
{
	return !(node->mtime_sec == -1 && node->mtime_nsec > 0) && node->type != KATAIMG_SOCK &&
	       (node->type != KATAIMG_LNK || node->mode == 0777);
}

static bool all_are_for_archives(const struct tree *tree)
{
	const struct kataimg_tree *nodes = tree_public(tree);

	for (uint64_t i = 0; i < nodes->node_count; i++)
		if (!is_for_archives(nodes->nodes[i]))
			return false;
	return true;
}

void fuzz_check_archived(const struct tree *tree)
{
	const struct tree_options options = { .threads = 1, .scratch = { .open = fuzz_scratch } };
	uint8_t before[DIGEST_BYTES], after[DIGEST_BYTES];
	autoerror struct error error = ERROR_INIT;
	struct fuzz_file file;
	struct tree *again;

	if (!is_small(tree) || !all_are_for_archives(tree))
		return;
	file = fuzz_open("", 0);
	archive(tree, &file);
	if (archive_read_tree(file.path, &options, &again, &error) < 0)
		fuzz_fail("an archived tree is refused: %s", error.message);
	fuzz_digest_tree(tree, before);
	fuzz_digest_tree(again, after);
	if (memcmp(before, after, sizeof(before)) != 0)
		fuzz_fail("an archived tree is another one:\n%s\n%s", print_tree(tree),
			  print_tree(again));
	tree_free(again);
	fuzz_close(&file);
}
