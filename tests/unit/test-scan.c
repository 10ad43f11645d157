/* SPDX-License-Identifier: Apache-2.0 */
/* The directory scanner, on real directories. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
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
#include "lib/statx.h"
#include "tests/support/scanned.h"

#define NOBODY 65534

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

/* ---- What cannot be scanned ---- */

static void test_no_source(void **state)
{
	struct scanned *f = *state;

	tempdir_write(&f->dir, "file", "", 0);
	assert_int_equal(tree_scan_directory("/nowhere/at/all", &f->options, &f->tree, &f->error),
			 -ENOENT);
	assert_non_null(strstr(f->error.message, "/nowhere/at/all"));
}

static void test_source_is_a_link(void **state)
{
	struct scanned *f = *state;
	char path[128];

	tempdir_mkdir(&f->dir, "real");
	tempdir_write(&f->dir, "real/file", "", 0);
	assert_int_equal(symlinkat("real", f->dir.fd, "link"), 0);
	snprintf(path, sizeof(path), "%s/link", f->dir.path);
	assert_int_equal(tree_scan_directory(path, &f->options, &f->tree, &f->error), 0);
	scanned_find(f, "file");
}

/* Runs the check as a user whom permissions bind. */
static void as_nobody(struct scanned *f, void (*check)(struct scanned *f))
{
	pid_t child;
	int status;

	assert_int_equal(fchmod(f->dir.fd, 0755), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
			_exit(errno == EINVAL ? 77 : 2);
		check(f);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip(); /* a user namespace that has nobody else */
	assert_int_equal(status, 0);
}

static void check_unreadable(struct scanned *f, const char *what)
{
	f->options.threads = 1; /* the parent's threads are not here */
	if (scanned_try(f, "") == -EACCES && strstr(f->error.message, what) &&
	    strstr(f->error.message, "; 1 entry of the source cannot be read by this user"))
		return;
	fprintf(stderr, "not refused for %s: %s\n", what, f->error.message);
	_exit(1);
}

static void check_file(struct scanned *f)
{
	check_unreadable(f, "/dir/secret");
}

static void test_unreadable_file(void **state)
{
	struct scanned *f = *state;

	tempdir_mkdir(&f->dir, "dir");
	tempdir_write(&f->dir, "dir/secret", "s", 1);
	assert_int_equal(fchmodat(f->dir.fd, "dir/secret", 0, 0), 0);
	as_nobody(f, check_file);
}

static void check_many(struct scanned *f)
{
	f->options.threads = 1;
	if (scanned_try(f, "") == -EACCES &&
	    strstr(f->error.message,
		   ": Permission denied; 4 entries of the source cannot be read by this user: "
		   "build as root, or from a tar or container image that root made, or leave "
		   "them out ([tree] exclude)"))
		return;
	fprintf(stderr, "not counted: %s\n", f->error.message);
	_exit(1);
}

static void test_unreadable_entries_are_counted(void **state)
{
	static const char *const names[] = { "a", "b", "dir/c" };
	struct scanned *f = *state;

	tempdir_mkdir(&f->dir, "dir");
	tempdir_mkdir(&f->dir, "closed");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		tempdir_write(&f->dir, names[i], "s", 1);
		assert_int_equal(fchmodat(f->dir.fd, names[i], 0, 0), 0);
	}
	assert_int_equal(fchmodat(f->dir.fd, "closed", 0, 0), 0);
	as_nobody(f, check_many);
}

static void check_directory(struct scanned *f)
{
	check_unreadable(f, "/closed");
}

static void test_unreadable_directory(void **state)
{
	struct scanned *f = *state;

	tempdir_mkdir(&f->dir, "closed");
	assert_int_equal(fchmodat(f->dir.fd, "closed", 0311, 0), 0);
	as_nobody(f, check_directory);
}

static void check_search(struct scanned *f)
{
	check_unreadable(f, "/closed/file");
}

static void test_unsearchable_directory(void **state)
{
	struct scanned *f = *state;

	tempdir_mkdir(&f->dir, "closed");
	tempdir_write(&f->dir, "closed/file", "", 0);
	assert_int_equal(fchmodat(f->dir.fd, "closed", 0444, 0), 0);
	as_nobody(f, check_search);
}

static void test_cancelled(void **state)
{
	struct scanned *f = *state;

	tempdir_write(&f->dir, "file", "", 0);
	cancel_request();
	scanned_assert_failed(f, scanned_try(f, ""), ECANCELED, "interrupted");
	assert_null(f->tree);
}

/* Makes and removes a name until told to stop. */
struct toggler {
	int dir_fd;
	atomic_uint changes;
	atomic_bool stop;
};

static void *toggle(void *arg)
{
	struct toggler *toggler = arg;

	while (!atomic_load(&toggler->stop)) {
		if (symlinkat("t", toggler->dir_fd, "toggled") == 0)
			unlinkat(toggler->dir_fd, "toggled", 0);
		atomic_fetch_add(&toggler->changes, 1);
	}
	return NULL;
}

/* Looking at so many names takes longer than a change of one. */
static void test_changing_directory(void **state)
{
	struct scanned *f = *state;
	struct toggler toggler = { .dir_fd = f->dir.fd };
	pthread_t thread;
	char name[32];
	int ret;

	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(symlinkat("t", f->dir.fd, name), 0);
	}
	assert_int_equal(pthread_create(&thread, NULL, toggle, &toggler), 0);
	while (atomic_load(&toggler.changes) == 0)
		sched_yield();
	ret = scanned_try(f, "");
	atomic_store(&toggler.stop, true);
	pthread_join(thread, NULL);
	assert_true(ret == -ESTALE || ret == -ENOENT);
	scanned_assert_failed(f, ret, -ret, "changed while it was scanned");
}

/* ---- Mount points ---- */

/* Mounts are made in a child's own namespace. */
static bool enter_namespace(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void mount_or_exit(const struct scanned *f, const char *from, const char *to,
			  const char *type, unsigned long flags)
{
	char source[128], target[128];

	snprintf(source, sizeof(source), "%s/%s", f->dir.path, from);
	snprintf(target, sizeof(target), "%s/%s", f->dir.path, to);
	if (mount(source, target, type, flags, NULL) < 0)
		_exit(2);
}

/* An emulator of user programs may have no ids of mounts: then filesystems are told by their
 * device. */
static bool has_mount_ids(void)
{
	struct statx stat = { 0 };

	return libc_statx(AT_FDCWD, "/", 0, STATX_MNT_ID, &stat) == 0 && stat.stx_mnt_id != 0;
}

static int check_mounts(struct scanned *f)
{
	const bool has_ids = has_mount_ids();

	if (!enter_namespace())
		return 77;
	/* the old descriptor is in the old namespace */
	f->dir.fd = open(f->dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mount_or_exit(f, "tmp", "tmp", "tmpfs", 0);
	mount_or_exit(f, "real", "bound", NULL, MS_BIND);
	mount_or_exit(f, "real/file", "file", NULL, MS_BIND);
	tempdir_write(&f->dir, "tmp/inside", "", 0);
	f->options.threads = 1;
	if (scanned_try(f, "") < 0 || scanned_find(f, "tmp")->entry_count != 0 ||
	    scanned_find(f, "bound")->entry_count != (has_ids ? 0 : 1) ||
	    scanned_find(f, "real")->entry_count != 1 ||
	    scanned_find(f, "file")->size != (has_ids ? 0 : 100))
		return 1;
	f->options.one_filesystem = false;
	if (scanned_try(f, "") < 0 || scanned_find(f, "tmp")->entry_count != 1 ||
	    scanned_find(f, "bound")->entry_count != 1 || scanned_find(f, "file")->size != 100)
		return 1;
	return 0;
}

/* Of another filesystem, and of a directory and a file of the same one. */
static void test_mount_points(void **state)
{
	struct scanned *f = *state;
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, scanned_setup, scanned_teardown)
#define LARGE_TEST(name) \
	cmocka_unit_test_setup_teardown(test_##name, scanned_setup_large, scanned_teardown)
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
		LARGE_TEST(deep),
		LARGE_TEST(many_names),
		TEST(no_source),
		TEST(source_is_a_link),
		TEST(unreadable_file),
		TEST(unreadable_entries_are_counted),
		TEST(unreadable_directory),
		TEST(unsearchable_directory),
		TEST(cancelled),
		LARGE_TEST(changing_directory),
		TEST(mount_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
