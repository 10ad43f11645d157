/* SPDX-License-Identifier: Apache-2.0 */
/* Both ways to extended attributes: what newer kernels have, and the one for the others. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/tree/xattrs.h"
#include "tests/support/tempdir.h"

struct fixture {
	struct tempdir dir;
	struct xattrs xattrs;
	char large[4000];
};

static void open_fixture(struct fixture *f)
{
	char path[128];

	tempdir_open(&f->dir);
	assert_int_equal(xattrs_init(&f->xattrs, f->dir.fd), 0);
	memset(f->large, 'v', sizeof(f->large));
	tempdir_write(&f->dir, "file", "", 0);
	assert_int_equal(symlinkat("file", f->dir.fd, "link"), 0);
	snprintf(path, sizeof(path), "%s/file", f->dir.path);
	if (setxattr(path, "user.name", "value", 5, 0) < 0) {
		tempdir_close(&f->dir);
		skip(); /* the filesystem of TMPDIR cannot */
	}
	if (setxattr(path, "user.large", f->large, sizeof(f->large), 0) < 0)
		fail_msg("4000 bytes do not fit in an attribute");
	assert_int_equal(fsetxattr(f->dir.fd, "user.own", "", 0, 0), 0);
}

static void close_fixture(struct fixture *f)
{
	xattrs_release(&f->xattrs);
	tempdir_close(&f->dir);
}

static void check(struct fixture *f)
{
	int fd = f->dir.fd;

	assert_int_equal(xattrs_list(&f->xattrs, fd, "file"),
			 sizeof("user.name") + sizeof("user.large"));
	assert_int_equal(xattrs_get(&f->xattrs, fd, "file", "user.name"), 5);
	assert_memory_equal(f->xattrs.value, "value", 5);
	assert_int_equal(xattrs_get(&f->xattrs, fd, "file", "user.large"), sizeof(f->large));
	assert_memory_equal(f->xattrs.value, f->large, sizeof(f->large));
	assert_int_equal(xattrs_get(&f->xattrs, fd, "file", "user.none"), -ENODATA);
	assert_int_equal(xattrs_list(&f->xattrs, fd, "link"), 0);
	assert_int_equal(xattrs_list(&f->xattrs, fd, "none"), -ENOENT);
	assert_int_equal(xattrs_list(&f->xattrs, fd, ""), sizeof("user.own"));
	assert_string_equal(f->xattrs.names, "user.own");
	assert_int_equal(xattrs_get(&f->xattrs, fd, "", "user.own"), 0);
}

static void test_as_the_kernel_can(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	check(&f);
	close_fixture(&f);
}

static void test_through_proc(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f);
	f.xattrs.by_directory = false;
	check(&f);
	close_fixture(&f);
}

/* More names than the first try has room for. */
static void test_long_list(void **state)
{
	struct fixture f;
	char name[128], path[128];
	ssize_t len = 0;

	(void)state;
	open_fixture(&f);
	tempdir_write(&f.dir, "many", "", 0);
	snprintf(path, sizeof(path), "%s/many", f.dir.path);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "user.%0100d", i);
		assert_int_equal(setxattr(path, name, "", 0, 0), 0);
		len += (ssize_t)strlen(name) + 1;
	}
	assert_int_equal(xattrs_list(&f.xattrs, f.dir.fd, "many"), len);
	f.xattrs.by_directory = false;
	assert_int_equal(xattrs_list(&f.xattrs, f.dir.fd, "many"), len);
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_the_kernel_can),
		cmocka_unit_test(test_through_proc),
		cmocka_unit_test(test_long_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
