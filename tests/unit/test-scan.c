/* SPDX-License-Identifier: Apache-2.0 */
/* The directory scanner, on real directories: what nodes say. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/scanned.h"

/* ---- What a node says ---- */

static void test_empty(void **state)
{
	struct scanned *f = *state;
	const struct kataimg_tree *tree;

	assert_int_equal(fchmod(f->dir.fd, 01750), 0);
	tempdir_set_mtime(&f->dir, ".", 1234567890, 987654321);
	tree = scanned_run(f, "");
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
	struct scanned *f = *state;
	const struct kataimg_node *node;

	tempdir_fill(&f->dir, "file", 1, 5000);
	tempdir_write(&f->dir, "empty", "", 0);
	assert_int_equal(fchmodat(f->dir.fd, "file", 06755, 0), 0);
	scanned_run(f, "");
	node = scanned_find(f, "file");
	assert_int_equal(node->type, KATAIMG_REG);
	assert_int_equal(node->mode, 06755);
	assert_int_equal(node->size, 5000);
	assert_int_equal(node->nlink, 1);
	assert_int_equal(node->segment_count, 1);
	assert_int_equal(node->segments[0].file_off, 0);
	assert_int_equal(node->segments[0].len, 5000);
	assert_int_equal(scanned_find(f, "empty")->size, 0);
	assert_int_equal(scanned_find(f, "empty")->segment_count, 0);
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
	struct scanned *f = *state;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct stat st;

		tempdir_write(&f->dir, times[i].name, "", 0);
		tempdir_set_mtime(&f->dir, times[i].name, times[i].sec, times[i].nsec);
		assert_int_equal(fstatat(f->dir.fd, times[i].name, &st, 0), 0);
		if (st.st_mtim.tv_sec != times[i].sec)
			skip(); /* the filesystem of TMPDIR cannot */
	}
	scanned_run(f, "");
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		assert_int_equal(scanned_find(f, times[i].name)->mtime_sec, times[i].sec);
		assert_int_equal(scanned_find(f, times[i].name)->mtime_nsec, times[i].nsec);
	}
	assert_int_equal(tree_newest_mtime(f->tree), 4294967296);
}

static void test_links(void **state)
{
	struct scanned *f = *state;
	char target[4096];

	memset(target, 'x', sizeof(target));
	target[4095] = '\0';
	for (size_t i = 200; i < 4095; i += 200)
		target[i] = '/';
	assert_int_equal(symlinkat("/nowhere", f->dir.fd, "dangling"), 0);
	assert_int_equal(symlinkat(".", f->dir.fd, "loop"), 0);
	if (symlinkat(target, f->dir.fd, "long") < 0)
		target[0] = '\0'; /* XFS ends at 1023 */
	scanned_run(f, "");
	assert_int_equal(scanned_find(f, "dangling")->type, KATAIMG_LNK);
	assert_int_equal(scanned_find(f, "dangling")->size, 8);
	assert_string_equal(scanned_find(f, "dangling")->target, "/nowhere");
	assert_int_equal(scanned_find(f, "loop")->entry_count, 0);
	if (target[0]) {
		assert_int_equal(scanned_find(f, "long")->size, 4095);
		assert_string_equal(scanned_find(f, "long")->target, target);
	}
}

static void make_socket(const struct scanned *f, const char *name)
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
	struct scanned *f = *state;

	assert_int_equal(mkfifoat(f->dir.fd, "fifo", 0640), 0);
	make_socket(f, "socket");
	scanned_run(f, "");
	assert_int_equal(scanned_find(f, "fifo")->type, KATAIMG_FIFO);
	assert_int_equal(scanned_find(f, "fifo")->mode, 0640);
	assert_int_equal(scanned_find(f, "socket")->type, KATAIMG_SOCK);
}

static void test_devices(void **state)
{
	struct scanned *f = *state;

	if (mknodat(f->dir.fd, "block", S_IFBLK | 0600, makedev(259, 1048575)) < 0)
		skip(); /* needs root */
	assert_int_equal(mknodat(f->dir.fd, "char", S_IFCHR | 0666, makedev(1, 3)), 0);
	scanned_run(f, "");
	assert_int_equal(scanned_find(f, "block")->type, KATAIMG_BLK);
	assert_int_equal(scanned_find(f, "block")->rdev_major, 259);
	assert_int_equal(scanned_find(f, "block")->rdev_minor, 1048575);
	assert_int_equal(scanned_find(f, "char")->type, KATAIMG_CHR);
	assert_int_equal(scanned_find(f, "char")->rdev_minor, 3);
}

static void test_hard_links(void **state)
{
	struct scanned *f = *state;
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
	scanned_run(f, "");
	node = scanned_find(f, "c");
	assert_ptr_equal(node, scanned_find(f, "a/second"));
	assert_ptr_equal(node, scanned_find(f, "b/file"));
	assert_int_equal(node->nlink, 3);
	assert_string_equal(node->name, "second");
	assert_ptr_equal(node->parent, scanned_find(f, "a"));
	assert_ptr_equal(scanned_find(f, "s1"), scanned_find(f, "s2"));
	assert_int_equal(tree_public(f->tree)->nodes[0]->nlink, 4);
	tree_count(f->tree, &counts);
	assert_int_equal(counts.hardlinks, 3);
	assert_int_equal(counts.nodes, 6);
	assert_int_equal(counts.names, 8);
}

static void test_links_from_outside(void **state)
{
	struct scanned *f = *state;
	char path[128];

	tempdir_mkdir(&f->dir, "in");
	tempdir_write(&f->dir, "out", "", 0);
	assert_int_equal(linkat(f->dir.fd, "out", f->dir.fd, "in/file", 0), 0);
	snprintf(path, sizeof(path), "%s/in", f->dir.path);
	assert_int_equal(tree_scan_directory(path, &f->options, &f->tree, &f->error), 0);
	assert_int_equal(scanned_find(f, "file")->nlink, 1);
}

static void test_xattrs(void **state)
{
	struct scanned *f = *state;
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
	scanned_run(f, "");
	node = scanned_find(f, "file");
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
	struct scanned *f = *state;
	char path[128];

	tempdir_write(&f->dir, "file", "", 0);
	assert_int_equal(symlinkat("file", f->dir.fd, "link"), 0);
	assert_int_equal(mkfifoat(f->dir.fd, "fifo", 0600), 0);
	snprintf(path, sizeof(path), "%s/link", f->dir.path);
	if (lsetxattr(path, "trusted.link", "l", 1, 0) < 0)
		skip(); /* needs root, and a filesystem that can */
	snprintf(path, sizeof(path), "%s/fifo", f->dir.path);
	assert_int_equal(setxattr(path, "trusted.fifo", "f", 1, 0), 0);
	scanned_run(f, "");
	assert_int_equal(scanned_find(f, "link")->xattr_count, 1);
	assert_string_equal(scanned_find(f, "link")->xattrs[0].name, "trusted.link");
	assert_int_equal(scanned_find(f, "fifo")->xattr_count, 1);
	assert_int_equal(scanned_find(f, "file")->xattr_count, 0);
}

/* ---- Extremes ---- */

#define DEPTH 10000

/* Two directories on each level, so that the way back up has something to do. */
static void make_deep(const struct scanned *f)
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
	struct scanned *f = *state;
	const struct kataimg_tree *tree;
	const struct kataimg_node *bottom;
	char path[32], got[1];

	make_deep(f);
	tree = scanned_run(f, "");
	assert_int_equal(tree->node_count, 1 + DEPTH + DEPTH / 10 + 1);
	bottom = tree->nodes[DEPTH + 1];
	assert_string_equal(bottom->name, "bottom");
	tree_path(bottom, path, sizeof(path));
	assert_string_equal(path + strlen(path) - 12, "/deep/bottom");
	assert_int_equal(tree_read(f->tree, bottom, 0, got, 0, &f->error), 0);
}

static void test_many_names(void **state)
{
	struct scanned *f = *state;
	const struct kataimg_node *root;
	char name[32];

	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(symlinkat("t", f->dir.fd, name), 0);
	}
	root = scanned_run(f, "")->nodes[0];
	assert_int_equal(root->entry_count, 20000);
	for (uint32_t i = 1; i < 20000; i++)
		assert_true(strcmp(root->entries[i - 1].name, root->entries[i].name) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCANNED_TEST(test_empty),           SCANNED_TEST(test_regular),
		SCANNED_TEST(test_times),           SCANNED_TEST(test_links),
		SCANNED_TEST(test_fifo_and_socket), SCANNED_TEST(test_devices),
		SCANNED_TEST(test_hard_links),      SCANNED_TEST(test_links_from_outside),
		SCANNED_TEST(test_xattrs),          SCANNED_TEST(test_xattrs_of_links),
		SCANNED_LARGE_TEST(test_deep),      SCANNED_LARGE_TEST(test_many_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
