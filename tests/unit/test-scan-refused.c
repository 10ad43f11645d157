/* SPDX-License-Identifier: Apache-2.0 */
/* What the directory scanner cannot or must not read: permissions, changes, mount points. */
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
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/cancel.h"
#include "lib/statx.h"
#include "tests/support/scanned.h"

#define NOBODY 65534

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
	const struct CMUnitTest tests[] = {
		SCANNED_TEST(test_no_source),
		SCANNED_TEST(test_source_is_a_link),
		SCANNED_TEST(test_unreadable_file),
		SCANNED_TEST(test_unreadable_entries_are_counted),
		SCANNED_TEST(test_unreadable_directory),
		SCANNED_TEST(test_unsearchable_directory),
		SCANNED_TEST(test_cancelled),
		SCANNED_LARGE_TEST(test_changing_directory),
		SCANNED_TEST(test_mount_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
