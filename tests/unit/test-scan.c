/* SPDX-License-Identifier: Apache-2.0 */
/* The directory scanner, on real directories. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/cancel.h"
#include "core/base/digest.h"
#include "core/tree/tree.h"
#include "tests/support/tempdir.h"

#define KIB ((uint64_t)1 << 10)
#define NOBODY 65534

struct fixture {
	struct tempdir dir; /* scanned itself */
	struct tree_scan_options options;
	struct tree *tree;
	struct error error;
};

static int setup_below(void **state, void (*open_dir)(struct tempdir *dir))
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	open_dir(&f->dir);
	f->options = (struct tree_scan_options){ TREE_HOLES_SOURCE, true, 2 };
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_below(state, tempdir_open);
}

static int setup_large(void **state)
{
	return setup_below(state, tempdir_open_large);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cancel_reset();
	tree_free(f->tree);
	error_clear(&f->error);
	tempdir_close(&f->dir);
	free(f);
	return 0;
}

static int scan(struct fixture *f)
{
	tree_free(f->tree);
	f->tree = NULL;
	return tree_scan_directory(f->dir.path, &f->options, &f->tree, &f->error);
}

static const struct kataimg_tree *scan_ok(struct fixture *f)
{
	if (scan(f) < 0)
		fail_msg("scan: %s", f->error.message);
	return tree_public(f->tree);
}

static void assert_scan_fails(struct fixture *f, int code, const char *message)
{
	assert_int_equal(scan(f), -code);
	assert_null(f->tree);
	assert_int_equal(f->error.code, code);
	if (!strstr(f->error.message, message))
		fail_msg("'%s' does not say '%s'", f->error.message, message);
	error_clear(&f->error);
}

static const struct kataimg_node *find_in(const struct kataimg_node *dir, const char *name)
{
	for (uint32_t i = 0; i < dir->entry_count; i++)
		if (strcmp(dir->entries[i].name, name) == 0)
			return dir->entries[i].node;
	return NULL;
}

/* Of the root. */
static const struct kataimg_node *find(const struct fixture *f, const char *name)
{
	const struct kataimg_node *node = find_in(tree_public(f->tree)->nodes[0], name);

	if (!node)
		fail_msg("no entry is called %s", name);
	return node;
}

static void digest_tree(const struct fixture *f, uint8_t out[DIGEST_BYTES])
{
	struct digest *digest = digest_new();
	struct error error = ERROR_INIT;

	assert_non_null(digest);
	assert_int_equal(tree_digest(f->tree, digest, &error), 0);
	assert_int_equal(digest_final(digest, out), 0);
	digest_free(digest);
}

/* ---- What a node says ---- */

static void test_empty(void **state)
{
	struct fixture *f = *state;
	const struct kataimg_tree *tree;

	assert_int_equal(fchmod(f->dir.fd, 01750), 0);
	tempdir_set_mtime(&f->dir, ".", 1234567890, 987654321);
	tree = scan_ok(f);
	assert_int_equal(tree->node_count, 1);
	assert_int_equal(tree->nodes[0]->type, KATAIMG_DIR);
	assert_int_equal(tree->nodes[0]->mode, 01750);
	assert_int_equal(tree->nodes[0]->uid, geteuid());
	assert_int_equal(tree->nodes[0]->nlink, 2);
	assert_int_equal(tree->nodes[0]->entry_count, 0);
	assert_int_equal(tree->nodes[0]->mtime_sec, 1234567890);
	assert_int_equal(tree->nodes[0]->mtime_nsec, 987654321);
	assert_ptr_equal(tree->nodes[0]->parent, tree->nodes[0]);
	assert_string_equal(tree->nodes[0]->name, "");
}

static void test_regular(void **state)
{
	struct fixture *f = *state;
	const struct kataimg_node *node;

	tempdir_fill(&f->dir, "file", 1, 5000);
	tempdir_write(&f->dir, "empty", "", 0);
	assert_int_equal(fchmodat(f->dir.fd, "file", 06755, 0), 0);
	scan_ok(f);
	node = find(f, "file");
	assert_int_equal(node->type, KATAIMG_REG);
	assert_int_equal(node->mode, 06755);
	assert_int_equal(node->size, 5000);
	assert_int_equal(node->nlink, 1);
	assert_int_equal(node->segment_count, 1);
	assert_int_equal(node->segments[0].file_off, 0);
	assert_int_equal(node->segments[0].len, 5000);
	assert_int_equal(find(f, "empty")->size, 0);
	assert_int_equal(find(f, "empty")->segment_count, 0);
}

static void test_times(void **state)
{
	static const struct {
		const char *name;
		int64_t sec;
		uint32_t nsec;
	} times[] = { { "before-1970", -5, 999999999 },
		      { "1901", -2147483647, 1 },
		      { "after-2038", 2147483648, 123456789 },
		      { "2106", 4294967296, 0 } };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct stat st;

		tempdir_write(&f->dir, times[i].name, "", 0);
		tempdir_set_mtime(&f->dir, times[i].name, times[i].sec, times[i].nsec);
		assert_int_equal(fstatat(f->dir.fd, times[i].name, &st, 0), 0);
		if (st.st_mtim.tv_sec != times[i].sec)
			skip(); /* the filesystem of TMPDIR cannot */
	}
	scan_ok(f);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		assert_int_equal(find(f, times[i].name)->mtime_sec, times[i].sec);
		assert_int_equal(find(f, times[i].name)->mtime_nsec, times[i].nsec);
	}
	assert_int_equal(tree_newest_mtime(f->tree), 4294967296);
}

static void test_links(void **state)
{
	struct fixture *f = *state;
	char target[4096];

	memset(target, 'x', sizeof(target));
	target[4095] = '\0';
	for (size_t i = 200; i < 4095; i += 200)
		target[i] = '/';
	assert_int_equal(symlinkat("/nowhere", f->dir.fd, "dangling"), 0);
	assert_int_equal(symlinkat(".", f->dir.fd, "loop"), 0);
	if (symlinkat(target, f->dir.fd, "long") < 0)
		target[0] = '\0'; /* XFS ends at 1023 */
	scan_ok(f);
	assert_int_equal(find(f, "dangling")->type, KATAIMG_LNK);
	assert_int_equal(find(f, "dangling")->size, 8);
	assert_string_equal(find(f, "dangling")->target, "/nowhere");
	assert_int_equal(find(f, "loop")->entry_count, 0);
	if (target[0]) {
		assert_int_equal(find(f, "long")->size, 4095);
		assert_string_equal(find(f, "long")->target, target);
	}
}

static void make_socket(const struct fixture *f, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", f->dir.path, name);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

/* A fifo that is opened would stop the test here. */
static void test_fifo_and_socket(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifoat(f->dir.fd, "fifo", 0640), 0);
	make_socket(f, "socket");
	scan_ok(f);
	assert_int_equal(find(f, "fifo")->type, KATAIMG_FIFO);
	assert_int_equal(find(f, "fifo")->mode, 0640);
	assert_int_equal(find(f, "socket")->type, KATAIMG_SOCK);
}

static void test_devices(void **state)
{
	struct fixture *f = *state;

	if (mknodat(f->dir.fd, "block", S_IFBLK | 0600, makedev(259, 1048575)) < 0)
		skip(); /* needs root */
	assert_int_equal(mknodat(f->dir.fd, "char", S_IFCHR | 0666, makedev(1, 3)), 0);
	scan_ok(f);
	assert_int_equal(find(f, "block")->type, KATAIMG_BLK);
	assert_int_equal(find(f, "block")->rdev_major, 259);
	assert_int_equal(find(f, "block")->rdev_minor, 1048575);
	assert_int_equal(find(f, "char")->type, KATAIMG_CHR);
	assert_int_equal(find(f, "char")->rdev_minor, 3);
}

static void test_hard_links(void **state)
{
	struct fixture *f = *state;
	const struct kataimg_node *node;
	struct tree_counts counts;

	tempdir_mkdir(&f->dir, "a");
	tempdir_mkdir(&f->dir, "b");
	tempdir_fill(&f->dir, "b/file", 1, 100);
	assert_int_equal(linkat(f->dir.fd, "b/file", f->dir.fd, "a/second", 0), 0);
	assert_int_equal(linkat(f->dir.fd, "b/file", f->dir.fd, "c", 0), 0);
	assert_int_equal(symlinkat("c", f->dir.fd, "s1"), 0);
	assert_int_equal(linkat(f->dir.fd, "s1", f->dir.fd, "s2", 0), 0);
	/* one name inside, one outside: links are counted in the tree */
	tempdir_write(&f->dir, "d", "", 0);
	scan_ok(f);
	node = find(f, "c");
	assert_ptr_equal(node, find_in(find(f, "a"), "second"));
	assert_ptr_equal(node, find_in(find(f, "b"), "file"));
	assert_int_equal(node->nlink, 3);
	assert_string_equal(node->name, "second");
	assert_ptr_equal(node->parent, find(f, "a"));
	assert_ptr_equal(find(f, "s1"), find(f, "s2"));
	assert_int_equal(tree_public(f->tree)->nodes[0]->nlink, 4);
	tree_count(f->tree, &counts);
	assert_int_equal(counts.hardlinks, 3);
	assert_int_equal(counts.nodes, 6);
	assert_int_equal(counts.names, 8);
}

static void test_links_from_outside(void **state)
{
	struct fixture *f = *state;
	char path[128];

	tempdir_mkdir(&f->dir, "in");
	tempdir_write(&f->dir, "out", "", 0);
	assert_int_equal(linkat(f->dir.fd, "out", f->dir.fd, "in/file", 0), 0);
	snprintf(path, sizeof(path), "%s/in", f->dir.path);
	assert_int_equal(tree_scan_directory(path, &f->options, &f->tree, &f->error), 0);
	assert_int_equal(find(f, "file")->nlink, 1);
}

static void test_xattrs(void **state)
{
	struct fixture *f = *state;
	const struct kataimg_node *node;
	char large[3000], path[128];

	memset(large, 'v', sizeof(large));
	tempdir_write(&f->dir, "file", "", 0);
	snprintf(path, sizeof(path), "%s/file", f->dir.path);
	if (setxattr(path, "user.b", "two", 3, 0) < 0)
		skip(); /* the filesystem of TMPDIR cannot */
	assert_int_equal(setxattr(path, "user.a", "", 0, 0), 0);
	assert_int_equal(setxattr(path, "user.large", large, sizeof(large), 0), 0);
	assert_int_equal(fsetxattr(f->dir.fd, "user.root", "r", 1, 0), 0);
	scan_ok(f);
	node = find(f, "file");
	assert_int_equal(node->xattr_count, 3);
	assert_string_equal(node->xattrs[0].name, "user.a");
	assert_int_equal(node->xattrs[0].value_len, 0);
	assert_string_equal(node->xattrs[1].name, "user.b");
	assert_memory_equal(node->xattrs[1].value, "two", 3);
	assert_int_equal(node->xattrs[2].value_len, sizeof(large));
	assert_memory_equal(node->xattrs[2].value, large, sizeof(large));
	assert_int_equal(tree_public(f->tree)->nodes[0]->xattr_count, 1);
}

/* Those that only root sets, on what must not be opened or followed. */
static void test_xattrs_of_links(void **state)
{
	struct fixture *f = *state;
	char path[128];

	tempdir_write(&f->dir, "file", "", 0);
	assert_int_equal(symlinkat("file", f->dir.fd, "link"), 0);
	assert_int_equal(mkfifoat(f->dir.fd, "fifo", 0600), 0);
	snprintf(path, sizeof(path), "%s/link", f->dir.path);
	if (lsetxattr(path, "trusted.link", "l", 1, 0) < 0)
		skip(); /* needs root, and a filesystem that can */
	snprintf(path, sizeof(path), "%s/fifo", f->dir.path);
	assert_int_equal(setxattr(path, "trusted.fifo", "f", 1, 0), 0);
	scan_ok(f);
	assert_int_equal(find(f, "link")->xattr_count, 1);
	assert_string_equal(find(f, "link")->xattrs[0].name, "trusted.link");
	assert_int_equal(find(f, "fifo")->xattr_count, 1);
	assert_int_equal(find(f, "file")->xattr_count, 0);
}

/* ---- Order ---- */

static void test_order_is_bytewise(void **state)
{
	static const char *const sorted[] = { "\x01", " ",  "-",    ".hidden",  "A",
					      "B",    "_",  "a",    "a.b",      "a0",
					      "aa",   "ab", "\x7f", "\xc3\xa4", "\xff" };
	static const unsigned int made[] = { 7, 14, 3, 0, 12, 5, 9, 1, 13, 2, 8, 4, 10, 6, 11 };
	struct fixture *f = *state;
	const struct kataimg_node *root;

	for (size_t i = 0; i < 15; i++)
		tempdir_write(&f->dir, sorted[made[i]], "", 0);
	root = scan_ok(f)->nodes[0];
	assert_int_equal(root->entry_count, 15);
	for (size_t i = 0; i < 15; i++) {
		assert_string_equal(root->entries[i].name, sorted[i]);
		assert_int_equal(root->entries[i].name_len, strlen(sorted[i]));
		assert_int_equal(root->entries[i].node->index, 1 + i);
	}
}

/* Depth first: all below a directory comes before its next sibling. */
static void test_numbering(void **state)
{
	static const char *const order[] = { "", "a", "b", "c", "d", "e", "f" };
	struct fixture *f = *state;
	const struct kataimg_tree *tree;

	tempdir_mkdir(&f->dir, "a");
	tempdir_mkdir(&f->dir, "a/b");
	tempdir_write(&f->dir, "a/b/c", "", 0);
	tempdir_write(&f->dir, "a/d", "", 0);
	tempdir_mkdir(&f->dir, "e");
	tempdir_write(&f->dir, "e/f", "", 0);
	tree = scan_ok(f);
	assert_int_equal(tree->node_count, 7);
	for (uint32_t i = 0; i < 7; i++) {
		assert_string_equal(tree->nodes[i]->name, order[i]);
		assert_int_equal(tree->nodes[i]->index, i);
		assert_true(tree->nodes[i]->parent->index <= i);
	}
}

static void make_sample(const struct fixture *f, bool backwards)
{
	char name[64];

	for (int i = 0; i < 300; i++) {
		int n = backwards ? 299 - i : i;

		snprintf(name, sizeof(name), "d%d", n % 10);
		mkdirat(f->dir.fd, name, 0755);
		snprintf(name, sizeof(name), "d%d/file%d", n % 10, n);
		tempdir_fill(&f->dir, name, (unsigned int)n, (size_t)n * 10);
		tempdir_set_mtime(&f->dir, name, 1000 + n, n);
	}
	assert_int_equal(linkat(f->dir.fd, "d1/file1", f->dir.fd, "d9/link", 0), 0);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		tempdir_set_mtime(&f->dir, name, 77, 7);
	}
	tempdir_set_mtime(&f->dir, ".", 78, 8);
}

static void test_same_tree_same_digest(void **state)
{
	uint8_t first[DIGEST_BYTES], again[DIGEST_BYTES];
	struct fixture *f = *state;

	make_sample(f, false);
	scan_ok(f);
	digest_tree(f, first);
	teardown(state);
	assert_int_equal(setup(state), 0);
	f = *state;
	make_sample(f, true);
	for (unsigned int threads = 1; threads <= 8; threads *= 2) {
		f->options.threads = threads;
		scan_ok(f);
		digest_tree(f, again);
		assert_memory_equal(first, again, DIGEST_BYTES);
	}
}

static void change_mode(const struct fixture *f)
{
	assert_int_equal(fchmodat(f->dir.fd, "d3/file3", 0600, 0), 0);
}

static void change_mtime(const struct fixture *f)
{
	tempdir_set_mtime(&f->dir, "d3/file3", 1003, 4);
}

static void change_size(const struct fixture *f)
{
	tempdir_fill(&f->dir, "d3/file3", 3, 31);
	tempdir_set_mtime(&f->dir, "d3/file3", 1003, 3);
}

static void change_name(const struct fixture *f)
{
	assert_int_equal(renameat(f->dir.fd, "d3/file3", f->dir.fd, "d3/fild3"), 0);
	tempdir_set_mtime(&f->dir, "d3", 77, 7);
}

static void change_place(const struct fixture *f)
{
	assert_int_equal(renameat(f->dir.fd, "d3/fild3", f->dir.fd, "d4/fild3"), 0);
	tempdir_set_mtime(&f->dir, "d3", 77, 7);
	tempdir_set_mtime(&f->dir, "d4", 77, 7);
}

static void change_links(const struct fixture *f)
{
	assert_int_equal(unlinkat(f->dir.fd, "d9/link", 0), 0);
	tempdir_fill(&f->dir, "d9/link", 1, 10);
	tempdir_set_mtime(&f->dir, "d9/link", 1001, 1);
	tempdir_set_mtime(&f->dir, "d9", 77, 7);
}

static void test_each_change_shows(void **state)
{
	void (*const changes[])(const struct fixture *f) = {
		change_mode, change_mtime, change_size, change_name, change_place, change_links
	};
	uint8_t digests[1 + sizeof(changes) / sizeof(changes[0])][DIGEST_BYTES];
	struct fixture *f = *state;
	size_t count = 1;

	make_sample(f, false);
	scan_ok(f);
	digest_tree(f, digests[0]);
	for (; count <= sizeof(changes) / sizeof(changes[0]); count++) {
		changes[count - 1](f);
		scan_ok(f);
		digest_tree(f, digests[count]);
		for (size_t i = 0; i < count; i++)
			assert_memory_not_equal(digests[i], digests[count], DIGEST_BYTES);
	}
}

static void test_xattr_shows(void **state)
{
	uint8_t before[DIGEST_BYTES], after[DIGEST_BYTES];
	struct fixture *f = *state;

	scan_ok(f);
	digest_tree(f, before);
	if (fsetxattr(f->dir.fd, "user.x", "y", 1, 0) < 0)
		skip(); /* the filesystem of TMPDIR cannot */
	scan_ok(f);
	digest_tree(f, after);
	assert_memory_not_equal(before, after, DIGEST_BYTES);
}

/* ---- Holes ---- */

static void assert_segments(const struct kataimg_node *node, const struct kataimg_segment *segments,
			    uint32_t count)
{
	assert_int_equal(node->segment_count, count);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(node->segments[i].file_off, segments[i].file_off);
		assert_int_equal(node->segments[i].len, segments[i].len);
	}
}

/* Data at 100 KiB + 1, and at the end, 1 MiB + 5. */
static void make_sparse(const struct fixture *f)
{
	tempdir_write_at(&f->dir, "sparse", 100 * KIB + 1, "x", 1);
	tempdir_write_at(&f->dir, "sparse", 1024 * KIB + 4, "y", 1);
}

static void test_holes_of_source(void **state)
{
	static const struct kataimg_segment expected[] = { { 100 * KIB, 4096 }, { 1024 * KIB, 5 } };
	struct fixture *f = *state;
	struct stat st;

	make_sparse(f);
	assert_int_equal(fstatat(f->dir.fd, "sparse", &st, 0), 0);
	if (st.st_blocks * 512 != 8192)
		skip(); /* the filesystem of TMPDIR has other blocks */
	scan_ok(f);
	assert_segments(find(f, "sparse"), expected, 2);
}

static void test_holes_filled(void **state)
{
	static const struct kataimg_segment expected[] = { { 0, 1024 * KIB + 5 } };
	struct fixture *f = *state;

	make_sparse(f);
	f->options.holes = TREE_HOLES_FILL;
	scan_ok(f);
	assert_segments(find(f, "sparse"), expected, 1);
}

/* By content alone: a file with holes and one with zeros are the same. */
static void test_holes_detected(void **state)
{
	static const struct kataimg_segment expected[] = { { 64 * KIB, 64 * KIB },
							   { 1024 * KIB, 5 } };
	static const struct kataimg_segment small[] = { { 0, 60 * KIB } };
	struct fixture *f = *state;
	char *zeros = calloc(1, 1024 * KIB + 5);

	assert_non_null(zeros);
	make_sparse(f);
	zeros[100 * KIB + 1] = 'x';
	zeros[1024 * KIB + 4] = 'y';
	tempdir_write(&f->dir, "dense", zeros, 1024 * KIB + 5);
	memset(zeros, 0, 1024 * KIB);
	tempdir_write(&f->dir, "small", zeros, 60 * KIB);
	tempdir_write(&f->dir, "zeros", zeros, 1024 * KIB);
	free(zeros);
	f->options.holes = TREE_HOLES_DETECT;
	scan_ok(f);
	assert_segments(find(f, "sparse"), expected, 2);
	assert_segments(find(f, "dense"), expected, 2);
	assert_segments(find(f, "small"), small, 1);
	assert_segments(find(f, "zeros"), NULL, 0);
}

/* Reading them all would take minutes. */
static void test_detect_skips_holes(void **state)
{
	static const struct kataimg_segment expected[] = { { UINT64_C(1) << 40, 1 } };
	struct fixture *f = *state;
	struct stat st;

	tempdir_write_at(&f->dir, "vast", UINT64_C(1) << 40, "x", 1);
	assert_int_equal(fstatat(f->dir.fd, "vast", &st, 0), 0);
	if (st.st_blocks > 1000)
		skip(); /* the filesystem of TMPDIR knows no holes */
	f->options.holes = TREE_HOLES_DETECT;
	scan_ok(f);
	assert_segments(find(f, "vast"), expected, 1);
}

static void test_read(void **state)
{
	struct fixture *f = *state;
	char got[16];

	make_sparse(f);
	scan_ok(f);
	memset(got, 1, sizeof(got));
	assert_int_equal(tree_read(f->tree, find(f, "sparse"), 100 * KIB - 8, got, 16, &f->error),
			 0);
	assert_memory_equal(got, "\0\0\0\0\0\0\0\0\0x\0\0\0\0\0\0", 16);
	assert_int_equal(tree_read(f->tree, find(f, "sparse"), 1024 * KIB, got, 5, &f->error), 0);
	assert_memory_equal(got, "\0\0\0\0y", 5);
	assert_int_equal(tree_read(f->tree, find(f, "sparse"), 1024 * KIB, got, 6, &f->error),
			 -ERANGE);
}

/* ---- Extremes ---- */

#define DEPTH 10000

/* Two directories on each level, so that the way back up has something to do. */
static void make_deep(const struct fixture *f)
{
	int fd = fcntl(f->dir.fd, F_DUPFD_CLOEXEC, 0);

	for (int i = 0; i < DEPTH; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "deep", 0755), 0);
		if (i % 10 == 0)
			assert_int_equal(mkdirat(fd, "side", 0755), 0);
		next = openat(fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(openat(fd, "bottom", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	close(fd);
}

static void test_deep(void **state)
{
	struct fixture *f = *state;
	const struct kataimg_tree *tree;
	const struct kataimg_node *bottom;
	char path[32], got[1];

	make_deep(f);
	tree = scan_ok(f);
	assert_int_equal(tree->node_count, 1 + DEPTH + DEPTH / 10 + 1);
	bottom = tree->nodes[DEPTH + 1];
	assert_string_equal(bottom->name, "bottom");
	tree_path(bottom, path, sizeof(path));
	assert_string_equal(path + strlen(path) - 12, "/deep/bottom");
	assert_int_equal(tree_read(f->tree, bottom, 0, got, 0, &f->error), 0);
}

static void test_many_names(void **state)
{
	struct fixture *f = *state;
	const struct kataimg_node *root;
	char name[32];

	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(symlinkat("t", f->dir.fd, name), 0);
	}
	root = scan_ok(f)->nodes[0];
	assert_int_equal(root->entry_count, 20000);
	for (uint32_t i = 1; i < 20000; i++)
		assert_true(strcmp(root->entries[i - 1].name, root->entries[i].name) < 0);
}

static void test_path_is_cut(void **state)
{
	struct fixture *f = *state;
	char path[32];

	tempdir_mkdir(&f->dir, "one");
	tempdir_mkdir(&f->dir, "one/two");
	scan_ok(f);
	assert_string_equal(tree_path(tree_public(f->tree)->nodes[0], path, sizeof(path)), ".");
	assert_string_equal(tree_path(find(f, "one"), path, sizeof(path)), "one");
	assert_string_equal(tree_path(find_in(find(f, "one"), "two"), path, sizeof(path)),
			    "one/two");
	tree_path(find_in(find(f, "one"), "two"), path, 5);
	assert_int_equal(strlen(path), 4);
}

/* ---- What cannot be scanned ---- */

static void test_no_source(void **state)
{
	struct fixture *f = *state;

	tempdir_write(&f->dir, "file", "", 0);
	assert_int_equal(tree_scan_directory("/nowhere/at/all", &f->options, &f->tree, &f->error),
			 -ENOENT);
	assert_non_null(strstr(f->error.message, "/nowhere/at/all"));
}

static void test_source_is_a_link(void **state)
{
	struct fixture *f = *state;
	char path[128];

	tempdir_mkdir(&f->dir, "real");
	tempdir_write(&f->dir, "real/file", "", 0);
	assert_int_equal(symlinkat("real", f->dir.fd, "link"), 0);
	snprintf(path, sizeof(path), "%s/link", f->dir.path);
	assert_int_equal(tree_scan_directory(path, &f->options, &f->tree, &f->error), 0);
	find(f, "file");
}

/* Runs the check as a user whom permissions bind. */
static void as_nobody(struct fixture *f, void (*check)(struct fixture *f))
{
	pid_t child;
	int status;

	assert_int_equal(fchmod(f->dir.fd, 0755), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
			_exit(2);
		check(f);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void check_unreadable(struct fixture *f, const char *what)
{
	f->options.threads = 1; /* the parent's threads are not here */
	if (scan(f) == -EACCES && strstr(f->error.message, what))
		return;
	fprintf(stderr, "not refused for %s: %s\n", what, f->error.message);
	_exit(1);
}

static void check_file(struct fixture *f)
{
	check_unreadable(f, "/dir/secret");
}

static void test_unreadable_file(void **state)
{
	struct fixture *f = *state;

	tempdir_mkdir(&f->dir, "dir");
	tempdir_write(&f->dir, "dir/secret", "s", 1);
	assert_int_equal(fchmodat(f->dir.fd, "dir/secret", 0, 0), 0);
	as_nobody(f, check_file);
}

static void check_directory(struct fixture *f)
{
	check_unreadable(f, "/closed");
}

static void test_unreadable_directory(void **state)
{
	struct fixture *f = *state;

	tempdir_mkdir(&f->dir, "closed");
	assert_int_equal(fchmodat(f->dir.fd, "closed", 0311, 0), 0);
	as_nobody(f, check_directory);
}

static void check_search(struct fixture *f)
{
	check_unreadable(f, "/closed/file");
}

static void test_unsearchable_directory(void **state)
{
	struct fixture *f = *state;

	tempdir_mkdir(&f->dir, "closed");
	tempdir_write(&f->dir, "closed/file", "", 0);
	assert_int_equal(fchmodat(f->dir.fd, "closed", 0444, 0), 0);
	as_nobody(f, check_search);
}

static void test_cancelled(void **state)
{
	struct fixture *f = *state;

	tempdir_write(&f->dir, "file", "", 0);
	cancel_request();
	assert_scan_fails(f, ECANCELED, "interrupted");
}

/* ---- Mount points ---- */

/* Mounts are made in a child's own namespace. */
static bool enter_namespace(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void mount_or_exit(const struct fixture *f, const char *from, const char *to,
			  const char *type, unsigned long flags)
{
	char source[128], target[128];

	snprintf(source, sizeof(source), "%s/%s", f->dir.path, from);
	snprintf(target, sizeof(target), "%s/%s", f->dir.path, to);
	if (mount(source, target, type, flags, NULL) < 0)
		_exit(2);
}

static int check_mounts(struct fixture *f)
{
	if (!enter_namespace())
		return 77;
	/* the old descriptor is in the old namespace */
	f->dir.fd = open(f->dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mount_or_exit(f, "tmp", "tmp", "tmpfs", 0);
	mount_or_exit(f, "real", "bound", NULL, MS_BIND);
	mount_or_exit(f, "real/file", "file", NULL, MS_BIND);
	tempdir_write(&f->dir, "tmp/inside", "", 0);
	f->options.threads = 1;
	if (scan(f) < 0 || find(f, "tmp")->entry_count != 0 || find(f, "bound")->entry_count != 0 ||
	    find(f, "real")->entry_count != 1 || find(f, "file")->size != 0)
		return 1;
	f->options.one_filesystem = false;
	if (scan(f) < 0 || find(f, "tmp")->entry_count != 1 || find(f, "bound")->entry_count != 1 ||
	    find(f, "file")->size != 100)
		return 1;
	return 0;
}

/* Of another filesystem, and of a directory and a file of the same one. */
static void test_mount_points(void **state)
{
	struct fixture *f = *state;
	pid_t child;
	int status;

	tempdir_mkdir(&f->dir, "tmp");
	tempdir_mkdir(&f->dir, "real");
	tempdir_fill(&f->dir, "real/file", 1, 100);
	tempdir_mkdir(&f->dir, "bound");
	tempdir_write(&f->dir, "file", "under", 5);
	child = fork();
	if (child == 0)
		_exit(check_mounts(f));
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip(); /* needs root */
	assert_int_equal(status, 0);
}

/* ---- Leaving out ---- */

static void test_drop(void **state)
{
	struct fixture *f = *state;

	make_sample(f, false);
	make_sparse(f);
	scan_ok(f);
	assert_int_equal(tree_mark(f->tree, find(f, "d2"), TREE_DROP_NODE, 0), 0);
	assert_int_equal(tree_mark(f->tree, find_in(find(f, "d1"), "file1"), TREE_DROP_LINKS, 0),
			 0);
	assert_int_equal(
		tree_mark(f->tree, find_in(find(f, "d3"), "file3"), TREE_DROP_NANOSECONDS, 0), 0);
	assert_int_equal(tree_mark(f->tree, find(f, "sparse"), TREE_DROP_HOLES, 0), 0);
	assert_int_equal(tree_drop_marked(f->tree, &f->error), 0);
	assert_int_equal(tree_public(f->tree)->node_count, 1 + 9 + 270 + 1);
	assert_int_equal(tree_public(f->tree)->nodes[0]->nlink, 2 + 9);
	assert_null(find_in(tree_public(f->tree)->nodes[0], "d2"));
	assert_null(find_in(find(f, "d9"), "link"));
	assert_int_equal(find_in(find(f, "d1"), "file1")->nlink, 1);
	assert_int_equal(find_in(find(f, "d3"), "file3")->mtime_nsec, 0);
	assert_int_equal(find(f, "sparse")->segment_count, 1);
	for (uint32_t i = 0; i < 281; i++)
		assert_int_equal(tree_public(f->tree)->nodes[i]->index, i);
}

/* Its first name goes with its directory; another one stays. */
static void test_drop_keeps_other_names(void **state)
{
	struct fixture *f = *state;
	const struct kataimg_node *link;
	char got[10], expected[10];

	make_sample(f, false);
	scan_ok(f);
	assert_int_equal(tree_mark(f->tree, find(f, "d1"), TREE_DROP_NODE, 0), 0);
	assert_int_equal(tree_drop_marked(f->tree, &f->error), 0);
	link = find_in(find(f, "d9"), "link");
	assert_int_equal(link->nlink, 1);
	assert_string_equal(link->name, "link");
	assert_ptr_equal(link->parent, find(f, "d9"));
	assert_int_equal(tree_read(f->tree, link, 0, got, 10, &f->error), 0);
	tempdir_pattern(1, 0, expected, 10);
	assert_memory_equal(got, expected, 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
#define LARGE_TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup_large, teardown)
	const struct CMUnitTest tests[] = {
		TEST(empty),
		TEST(regular),
		TEST(times),
		TEST(links),
		TEST(fifo_and_socket),
		TEST(devices),
		TEST(hard_links),
		TEST(links_from_outside),
		TEST(xattrs),
		TEST(xattrs_of_links),
		TEST(order_is_bytewise),
		TEST(numbering),
		TEST(same_tree_same_digest),
		TEST(each_change_shows),
		TEST(xattr_shows),
		TEST(holes_of_source),
		TEST(holes_filled),
		TEST(holes_detected),
		TEST(detect_skips_holes),
		TEST(read),
		LARGE_TEST(deep),
		LARGE_TEST(many_names),
		TEST(path_is_cut),
		TEST(no_source),
		TEST(source_is_a_link),
		TEST(unreadable_file),
		TEST(unreadable_directory),
		TEST(unsearchable_directory),
		TEST(cancelled),
		TEST(mount_points),
		TEST(drop),
		TEST(drop_keeps_other_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
