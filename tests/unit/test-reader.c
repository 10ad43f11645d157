/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend reports of a filesystem becomes a tree, or is refused with a reason. */
#include "core/reader/reader.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/cancel.h"
#include "core/reader/image.h"

#define WINDOW_OFFSET 4096u
#define WINDOW_BYTES 65536u

/* What the backend of this test says. */
static int (*script)(const struct kataimg_host *host, const struct kataimg_sink *sink);
static int ended;

static int test_read(const struct kataimg_host *host, uint64_t window_bytes,
		     const struct kataimg_sink *sink, void **state)
{
	assert_int_equal(window_bytes, WINDOW_BYTES);
	*state = &ended;
	return script(host, sink);
}

/* "AAAA...", "BBBB..." by the cookie, with the offset in it. */
static int test_decode(void *state, uint64_t cookie, uint64_t skip, void *buf, size_t len)
{
	assert_ptr_equal(state, &ended);
	for (size_t i = 0; i < len; i++)
		((char *)buf)[i] = (char)(cookie + (skip + i) % 10);
	return 0;
}

static void test_read_end(void *state)
{
	assert_ptr_equal(state, &ended);
	ended++;
}

static struct backend backend = { .table = { .struct_size = sizeof(struct kataimg_backend),
					     .name = "test",
					     .read = test_read,
					     .decode = test_decode,
					     .read_end = test_read_end } };

static int inode(const struct kataimg_sink *sink, uint64_t id, enum kataimg_type type,
		 uint64_t size, const char *target)
{
	const struct kataimg_inode found = { .struct_size = sizeof(found),
					     .id = id,
					     .size = size,
					     .mtime_sec = (int64_t)id,
					     .mode = 0640,
					     .uid = 5,
					     .type = (uint8_t)type,
					     .nlink = 1,
					     .target = target };

	return sink->inode(sink->ctx, &found);
}

static int name(const struct kataimg_sink *sink, uint64_t dir, const char *text, uint64_t id)
{
	return sink->entry(sink->ctx, dir, text, strlen(text), id);
}

/* What the last reading said of link counts. */
static char *links;

static int reader(struct tree **tree, struct error *error)
{
	const struct reader_options options = { .threads = 2, .links = &links };
	int fd = memfd_create("image", MFD_CLOEXEC), ret;
	const struct host_range window = { fd, WINDOW_OFFSET, WINDOW_BYTES };

	assert_int_equal(ftruncate(fd, WINDOW_OFFSET + WINDOW_BYTES), 0);
	assert_int_equal(pwrite(fd, "plain bytes", 11, WINDOW_OFFSET + 100), 11);
	ended = 0;
	free(links);
	links = NULL;
	ret = reader_read(&backend, &window, &options, tree, error);
	close(fd);
	return ret;
}

/* Names before inodes, and no two things in order. */
static int say_sound(const struct kataimg_host *host, const struct kataimg_sink *sink)
{
	const struct kataimg_xattr b = { "user.b", "two", 6, 3 }, a = { "user.a", "one", 6, 3 };

	(void)host;
	assert_int_equal(name(sink, 7, "file", 9), 0);
	assert_int_equal(name(sink, 2, "dir", 7), 0);
	assert_int_equal(name(sink, 2, "again", 9), 0);
	assert_int_equal(name(sink, 2, "link", 11), 0);
	assert_int_equal(sink->decoded(sink->ctx, 9, 8192 + 5, 10, 'A'), 0);
	assert_int_equal(sink->decoded(sink->ctx, 9, 8192 + 15, 10, 'K'), 0);
	assert_int_equal(sink->range(sink->ctx, 9, 0, 11, 100), 0);
	assert_int_equal(sink->xattr(sink->ctx, 7, &b), 0);
	assert_int_equal(sink->xattr(sink->ctx, 7, &a), 0);
	assert_int_equal(inode(sink, 9, KATAIMG_REG, 10000, NULL), 0);
	assert_int_equal(inode(sink, 11, KATAIMG_LNK, 3, "a/bcd"), 0);
	assert_int_equal(inode(sink, 13, KATAIMG_REG, 0, NULL), 0); /* an orphan */
	assert_int_equal(inode(sink, 7, KATAIMG_DIR, 0, NULL), 0);
	assert_int_equal(inode(sink, 2, KATAIMG_DIR, 0, NULL), 0);
	assert_int_equal(inode(sink, 15, KATAIMG_REG, 5, NULL), 0);
	assert_int_equal(sink->range(sink->ctx, 15, 0, 5, 106), 0);
	assert_int_equal(name(sink, 7, "whole", 15), 0);
	return sink->root(sink->ctx, 2);
}

static void assert_bytes(const struct tree *tree, const struct kataimg_node *file, uint64_t off,
			 const char *bytes, size_t len)
{
	autoerror struct error error = ERROR_INIT;
	char got[64];

	assert_int_equal(tree_read(tree, file, off, got, len, &error), 0);
	assert_memory_equal(got, bytes, len);
}

static void test_sound(void **state)
{
	autoerror struct error error = ERROR_INIT;
	struct tree *tree = NULL;
	const struct kataimg_tree *pub;
	const struct kataimg_node *file;

	(void)state;
	script = say_sound;
	if (reader(&tree, &error) < 0)
		fail_msg("%s", error.message);
	assert_string_equal(links, "inode 9 (again) says that it has 1 link, and has 2");
	pub = tree_public(tree);
	assert_int_equal(pub->node_count, 5);
	assert_int_equal(pub->nodes[0]->mtime_sec, 2);
	file = pub->nodes[1];
	assert_string_equal(file->name, "again");
	assert_int_equal(file->nlink, 2);
	assert_int_equal(file->size, 10000);
	assert_int_equal(file->segment_count, 2);
	assert_int_equal(pub->nodes[2]->xattr_count, 2);
	assert_string_equal(pub->nodes[2]->xattrs[0].name, "user.a");
	assert_int_equal(pub->nodes[2]->entry_count, 2);
	assert_string_equal(pub->nodes[3]->name, "whole");
	assert_int_equal(pub->nodes[3]->segment_count, 1);
	assert_bytes(tree, pub->nodes[3], 1, "ytes", 4);
	assert_string_equal(pub->nodes[4]->target, "a/b");
	assert_bytes(tree, file, 0, "plain bytes\0\0", 13);
	assert_bytes(tree, file, 8192 + 3, "\0\0ABCDEFGHIJKLMNOPQRST\0", 23);
	assert_bytes(tree, file, 8192 + 12, "HIJKLM", 6);
	assert_int_equal(ended, 0);
	tree_free(tree);
	assert_int_equal(ended, 1);
}

/* ---- What is refused ---- */

/* A root, a directory 3 and a file 4 in it. */
static void say_small(const struct kataimg_sink *sink)
{
	sink->root(sink->ctx, 2);
	inode(sink, 2, KATAIMG_DIR, 0, NULL);
	inode(sink, 3, KATAIMG_DIR, 0, NULL);
	inode(sink, 4, KATAIMG_REG, 100, NULL);
	name(sink, 2, "dir", 3);
	name(sink, 3, "file", 4);
}

static void (*fault)(const struct kataimg_sink *sink);

static int say_faulty(const struct kataimg_host *host, const struct kataimg_sink *sink)
{
	(void)host;
	say_small(sink);
	fault(sink);
	return 0; /* the sink's refusal counts, whatever the backend makes of it */
}

#define FAULT(what, statement)                            \
	static void what(const struct kataimg_sink *sink) \
	{                                                 \
		statement;                                \
	}

FAULT(two_roots, sink->root(sink->ctx, 3))
FAULT(inode_twice, inode(sink, 4, KATAIMG_REG, 0, NULL))
FAULT(no_such_inode, name(sink, 2, "dangling", 5))
FAULT(name_twice, name(sink, 3, "file", 4))
FAULT(in_a_file, name(sink, 4, "below", 4))
FAULT(two_parents, name(sink, 3, "itself", 3))
FAULT(root_below, name(sink, 3, "root", 2))
FAULT(slash, name(sink, 3, "a/b", 4))
FAULT(dots, name(sink, 3, "..", 2))
FAULT(nul, sink->entry(sink->ctx, 3, "a\0b", 3, 4))
FAULT(empty_name, name(sink, 3, "", 4))

static int odd_inode(const struct kataimg_sink *sink, struct kataimg_inode found)
{
	found.struct_size = sizeof(found);
	found.id = 5;
	found.nlink = 1;
	return sink->inode(sink->ctx, &found);
}

#define ODD(...) odd_inode(sink, (struct kataimg_inode){ .type = KATAIMG_REG, __VA_ARGS__ })
FAULT(bad_mode, ODD(.mode = 010000))
FAULT(bad_owner, ODD(.uid = UINT32_MAX))
FAULT(bad_group, ODD(.gid = UINT32_MAX))
FAULT(bad_time, ODD(.mtime_nsec = 1000000000))
FAULT(too_large, ODD(.size = (uint64_t)INT64_MAX + 1))
FAULT(link_with_nul, inode(sink, 5, KATAIMG_LNK, 3, "a\0b"))
FAULT(link_without_target, inode(sink, 5, KATAIMG_LNK, 3, NULL))
FAULT(bad_type, inode(sink, 5, (enum kataimg_type)9, 0, NULL))
FAULT(empty_link, inode(sink, 5, KATAIMG_LNK, 0, ""))
FAULT(outside, sink->range(sink->ctx, 4, 0, 100, WINDOW_BYTES - 99))
FAULT(wraps, sink->range(sink->ctx, 4, UINT64_MAX - 10, 100, 0))
FAULT(too_long, sink->range(sink->ctx, 4, 50, 51, 0))
FAULT(overlap, (sink->range(sink->ctx, 4, 0, 50, 0), sink->decoded(sink->ctx, 4, 49, 2, 0)))
FAULT(whole_twice, (sink->range(sink->ctx, 4, 0, 100, 0), sink->range(sink->ctx, 4, 10, 5, 0)))
FAULT(data_of_directory, sink->range(sink->ctx, 3, 0, 1, 0))
FAULT(data_of_nothing, sink->range(sink->ctx, 99, 0, 1, 0))
FAULT(attribute_twice,
      const struct kataimg_xattr a = ((struct kataimg_xattr){ "user.a", "", 6, 0 });
      sink->xattr(sink->ctx, 4, &a); sink->xattr(sink->ctx, 4, &a))
FAULT(attribute_too_long,
      const struct kataimg_xattr a = ((struct kataimg_xattr){ "user.a", "", 6, 65537 });
      sink->xattr(sink->ctx, 4, &a))
FAULT(attribute_without_name,
      const struct kataimg_xattr a = ((struct kataimg_xattr){ "", "", 0, 0 });
      sink->xattr(sink->ctx, 4, &a))
FAULT(circle, inode(sink, 5, KATAIMG_DIR, 0, NULL); inode(sink, 6, KATAIMG_DIR, 0, NULL);
      name(sink, 5, "six", 6); name(sink, 6, "five", 5))
FAULT(endless, for (uint64_t i = 0; name(sink, 3, "name", i) == 0; i++);)
FAULT(endless_inodes, for (uint64_t i = 9; inode(sink, i, KATAIMG_REG, 0, NULL) == 0; i++);)

static void test_faults(void **state)
{
	static const struct {
		void (*fault)(const struct kataimg_sink *sink);
		const char *message;
	} faults[] = {
		{ two_roots, "two root directories" },
		{ inode_twice, "two inodes 4" },
		{ no_such_inode, "dangling in directory 2 is inode 5, which does not exist" },
		{ name_twice, "has the name file twice" },
		{ in_a_file, "in inode 4, which is no directory" },
		{ two_parents, "in two places" },
		{ root_below, "in two places" },
		{ slash, "name is none" },
		{ dots, "name is none" },
		{ nul, "name is none" },
		{ empty_name, "name is none" },
		{ bad_type, "of no known type" },
		{ empty_link, "link to nothing" },
		{ bad_mode, "inode 5 has a mode beyond 07777" },
		{ bad_owner, "inode 5 has an owner or a group of the number -1" },
		{ bad_group, "inode 5 has an owner or a group of the number -1" },
		{ bad_time, "inode 5 has more than 999999999 nanoseconds" },
		{ too_large, "inode 5 is larger than 2^63 - 1 bytes" },
		{ link_with_nul, "inode 5 is a symbolic link with a NUL in it" },
		{ link_without_target, "link to nothing" },
		{ outside, "outside the filesystem" },
		{ wraps, "outside the filesystem" },
		{ too_long, "has data up to byte 101" },
		{ overlap, "byte 49 of its data twice" },
		{ whole_twice, "byte 10 of its data twice" },
		{ data_of_directory, "which is no file" },
		{ data_of_nothing, "which is no file" },
		{ attribute_twice, "has the attribute user.a twice" },
		{ attribute_too_long, "inode 4 has an attribute of 65537 bytes" },
		{ attribute_without_name, "inode 4 has an attribute whose name is none" },
		{ circle, "in a circle" },
		{ endless, "than a filesystem of 65536 bytes can hold" },
		{ endless_inodes, "than a filesystem of 65536 bytes can hold" },
	};

	(void)state;
	script = say_faulty;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		autoerror struct error error = ERROR_INIT;
		struct tree *tree = NULL;

		fault = faults[i].fault;
		assert_int_equal(reader(&tree, &error), -EUCLEAN);
		if (!strstr(error.message, faults[i].message))
			fail_msg("'%s' is not in '%s'", faults[i].message, error.message);
		assert_int_equal(ended, 1);
	}
}

static int say_no(const struct kataimg_host *host, const struct kataimg_sink *sink)
{
	(void)sink;
	host->error(host->ctx, "its log is dirty: run fsck");
	return -EUCLEAN;
}

static void test_refusal(void **state)
{
	autoerror struct error error = ERROR_INIT;
	struct tree *tree = NULL;

	(void)state;
	script = say_no;
	assert_int_equal(reader(&tree, &error), -EUCLEAN);
	assert_string_equal(error.message, "test: its log is dirty: run fsck");
	assert_int_equal(ended, 0);
}

static void backends_that_cannot_read_are_not_asked(void **state)
{
	struct backend mute = backend;
	autoerror struct error error = ERROR_INIT;
	struct tree *tree = NULL;

	(void)state;
	mute.table.read = NULL;
	assert_int_equal(reader_read(&mute, &(struct host_range){ -1, 0, WINDOW_BYTES },
				     &(struct reader_options){ .threads = 1 }, &tree, &error),
			 -EOPNOTSUPP);
	assert_string_equal(error.message, "the backend test cannot read images");
	error_clear(&error);
	assert_int_equal(image_read_tree("x", &(struct tree_options){ 0 }, &tree, &error),
			 -EOPNOTSUPP);
	assert_string_equal(error.message, "images cannot be read here");
}

static int say_root(const struct kataimg_host *host, const struct kataimg_sink *sink)
{
	(void)host;
	return sink->root(sink->ctx, 2);
}

/* Whether the backend hands it on or not. */
static void a_wish_to_stop_is_heard(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		autoerror struct error error = ERROR_INIT;
		struct tree *tree = NULL;

		script = i ? say_faulty : say_root;
		fault = two_roots;
		cancel_request();
		assert_int_equal(reader(&tree, &error), -ECANCELED);
		cancel_reset();
		assert_string_equal(error.message, "interrupted");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(backends_that_cannot_read_are_not_asked),
		cmocka_unit_test(a_wish_to_stop_is_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
