/* SPDX-License-Identifier: Apache-2.0 */
/* What the reader counts of what a backend reports: links, and the memory that it takes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/reader/found.h"
#include "core/reader/reader.h"

#define WINDOW_BYTES 65536u

/* What the backend of this test says. */
static int (*script)(const struct kataimg_host *host, const struct kataimg_sink *sink);

static int test_read(const struct kataimg_host *host, uint64_t window_bytes,
		     const struct kataimg_sink *sink, void **state)
{
	(void)window_bytes, (void)state;
	return script(host, sink);
}

/* What the last reading said of link counts. */
static char *links;

static int reader(struct tree **tree, struct error *error)
{
	static const struct backend backend = {
		.table = { .struct_size = sizeof(backend.table), .name = "test", .read = test_read }
	};
	const struct reader_options options = { .threads = 2, .links = &links };
	autoclose int fd = memfd_create("image", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, WINDOW_BYTES), 0);
	free(links);
	links = NULL;
	return reader_read(&backend, &(struct host_range){ fd, 0, WINDOW_BYTES }, &options, tree,
			   error);
}

static int linked(const struct kataimg_sink *sink, uint64_t id, enum kataimg_type type,
		  uint32_t nlink)
{
	const struct kataimg_inode found = {
		.struct_size = sizeof(found), .id = id, .type = (uint8_t)type, .nlink = nlink
	};

	return sink->inode(sink->ctx, &found);
}

static int link_to(const struct kataimg_sink *sink, uint64_t id, const char *target, size_t len)
{
	const struct kataimg_inode found = { .struct_size = sizeof(found),
					     .id = id,
					     .type = KATAIMG_LNK,
					     .size = len,
					     .target = target };

	return sink->inode(sink->ctx, &found);
}

static int name(const struct kataimg_sink *sink, uint64_t dir, const char *text, uint64_t id)
{
	return sink->entry(sink->ctx, dir, text, strlen(text), id);
}

/* What the inodes 7, a directory with one below it, and 9, a file of two names, say. */
static uint32_t said_by_dir, said_by_file;

static int say_links(const struct kataimg_host *host, const struct kataimg_sink *sink)
{
	(void)host;
	assert_int_equal(linked(sink, 2, KATAIMG_DIR, 3), 0);
	assert_int_equal(linked(sink, 7, KATAIMG_DIR, said_by_dir), 0);
	assert_int_equal(linked(sink, 8, KATAIMG_DIR, 2), 0);
	assert_int_equal(linked(sink, 9, KATAIMG_REG, said_by_file), 0);
	assert_int_equal(linked(sink, 10, KATAIMG_REG, 1), 0); /* an orphan, and two more */
	assert_int_equal(linked(sink, 11, KATAIMG_DIR, 5), 0);
	assert_int_equal(name(sink, 2, "dir", 7), 0);
	assert_int_equal(name(sink, 7, "below", 8), 0);
	assert_int_equal(name(sink, 2, "first", 9), 0);
	assert_int_equal(name(sink, 8, "second", 9), 0);
	return sink->root(sink->ctx, 2);
}

static void link_counts_are_held_against_names(void **state)
{
	static const struct {
		uint32_t dir, file;
		const char *sentence;
	} cases[] = {
		{ 3, 2, NULL },
		{ 0, 0, NULL },
		{ 1, 2, NULL },
		{ 3, 3, "inode 9 (dir/below/second) says that it has 3 links, and has 2" },
		{ 3, 1, "inode 9 (dir/below/second) says that it has 1 link, and has 2" },
		{ 2, 2, "inode 7 (dir) says that it has 2 links, and has 3" },
		{ 4, 1,
		  "inode 9 (dir/below/second) says that it has 1 link, and has 2; wrong ones in "
		  "all: "
		  "2" },
	};

	(void)state;
	script = say_links;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		autoerror struct error error = ERROR_INIT;
		struct tree *tree = NULL;

		said_by_dir = cases[i].dir;
		said_by_file = cases[i].file;
		assert_int_equal(reader(&tree, &error), 0);
		if (cases[i].sentence)
			assert_string_equal(links, cases[i].sentence);
		else
			assert_null(links);
		/* The tree has what there is. */
		assert_int_equal(tree_public(tree)->nodes[1]->nlink, 3);
		assert_int_equal(tree_public(tree)->nodes[3]->nlink, 2);
		tree_free(tree);
	}
	free(links);
	links = NULL;
}

/* Bytes that the second target has more than fit. */
static size_t too_much;

/* Two symbolic links, which nothing names, take just as much memory as a small filesystem may. */
static int say_all_that_is_allowed(const struct kataimg_host *host, const struct kataimg_sink *sink)
{
	const size_t each = sizeof(struct found_inode) + sizeof(struct tree_node);
	const size_t left = (32 << 20) - each - 2 * sizeof(uint64_t); /* without the root */
	const size_t targets = left - 2 * (each + 1);
	char *target = malloc(targets);
	int ret;

	(void)host;
	assert_non_null(target);
	memset(target, 'x', targets);
	assert_int_equal(linked(sink, 2, KATAIMG_DIR, 2), 0);
	assert_int_equal(link_to(sink, 3, target, targets / 2), 0);
	ret = link_to(sink, 4, target, targets - targets / 2 + too_much);
	free(target);
	return ret < 0 ? ret : sink->root(sink->ctx, 2);
}

static void what_is_reported_has_a_bound(void **state)
{
	autoerror struct error error = ERROR_INIT;
	struct tree *tree = NULL;

	(void)state;
	script = say_all_that_is_allowed;
	too_much = 0;
	assert_int_equal(reader(&tree, &error), 0);
	tree_free(tree);
	too_much = 1;
	assert_int_equal(reader(&tree, &error), -EUCLEAN);
	assert_non_null(strstr(error.message, "than a filesystem of 65536 bytes can hold"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_counts_are_held_against_names),
		cmocka_unit_test(what_is_reported_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
