/* SPDX-License-Identifier: Apache-2.0 */
/* What several fuzz targets need. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/digest.h"
#include "core/base/io.h"
#include "core/base/log.h"
#include "core/base/textstream.h"
#include "core/confine/confine.h"
#include "core/mtree/mtree.h"
#include "tests/fuzz/target.h"

#define READ_BYTES 4096u

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

int fuzz_read_files(const struct tree *tree, struct error *error)
{
	const struct kataimg_tree *nodes = tree_public(tree);
	static char bytes[READ_BYTES];
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < nodes->node_count; i++) {
		const struct kataimg_node *node = nodes->nodes[i];
		size_t len = node->size < sizeof(bytes) ? (size_t)node->size : sizeof(bytes);

		if (node->type != KATAIMG_REG)
			continue;
		ret = tree_read(tree, node, 0, bytes, len, error);
		if (ret == 0)
			ret = tree_read(tree, node, node->size - len, bytes, len, error);
	}
	return ret;
}

static void digest_tree(const struct tree *tree, uint8_t sum[DIGEST_BYTES])
{
	struct digest *digest autocall(cleanup_digest_free) = digest_new();
	autoerror struct error error = ERROR_INIT;

	if (!digest || tree_digest(tree, digest, &error) < 0 || digest_final(digest, sum) < 0)
		fuzz_fail("a tree has no digest");
}

void fuzz_check_printed(struct tree *tree)
{
	const struct tree_options options = { .threads = 1, .scratch = { .open = fuzz_scratch } };
	uint8_t before[DIGEST_BYTES], after[DIGEST_BYTES];
	autoerror struct error error = ERROR_INIT;
	autofree char *text = NULL;
	struct text_stream stream;
	struct fuzz_file file;
	uint64_t changes;

	if (text_stream_open(&stream) < 0 || mtree_print(tree, NULL, stream.out, &error) < 0 ||
	    text_stream_close(&stream, &text) < 0)
		fuzz_fail("a tree cannot be printed: %s", error.message ? error.message : "");
	file = fuzz_open(text, strlen(text));
	digest_tree(tree, before);
	if (mtree_apply(tree, file.path, &options, &changes, &error) < 0)
		fuzz_fail("a printed tree is refused: %s\n%s", error.message, text);
	digest_tree(tree, after);
	if (memcmp(before, after, sizeof(before)) != 0)
		fuzz_fail("a printed tree is another one:\n%s", text);
	fuzz_close(&file);
}
