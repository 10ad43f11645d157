/* SPDX-License-Identifier: Apache-2.0 */
/* Run twice: with what the C library has, and with what is there for those that have less. */
#include "lib/libc.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void texts_and_names(void **state)
{
	(void)state;
	assert_string_equal(errno_text(ENOENT), "No such file or directory");
	assert_string_equal(errno_text(EUCLEAN), "Structure needs cleaning");
	assert_string_equal(errno_text(0), "Success");
	assert_null(errno_text(-1));
	assert_null(errno_text(4095));
	assert_string_equal(errno_name(ENOENT), "ENOENT");
	assert_string_equal(errno_name(EUCLEAN), "EUCLEAN");
	assert_string_equal(errno_name(EOPNOTSUPP), "EOPNOTSUPP");
	assert_null(errno_name(4095));
}

static void touch(int dir, const char *name)
{
	int fd = openat(dir, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static uint64_t inode_of(int dir, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(dir, name, &st, 0), 0);
	return st.st_ino;
}

static void renames(void **state)
{
	char path[] = "/tmp/test-libc-XXXXXX";
	int dir = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	uint64_t a, b;

	(void)state;
	assert_true(dir >= 0);
	touch(dir, "a");
	touch(dir, "b");
	a = inode_of(dir, "a");
	b = inode_of(dir, "b");
	assert_int_equal(libc_renameat2(dir, "a", dir, "b", RENAME_NOREPLACE), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(libc_renameat2(dir, "a", dir, "b", RENAME_EXCHANGE), 0);
	assert_int_equal(inode_of(dir, "a"), b);
	assert_int_equal(inode_of(dir, "b"), a);
	assert_int_equal(unlinkat(dir, "a", 0), 0);
	assert_int_equal(unlinkat(dir, "b", 0), 0);
	close(dir);
	assert_int_equal(rmdir(path), 0);
}

static void lists(void **state)
{
	_Alignas(libc_dirent) char records[4096];
	int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), dots = 0;
	ssize_t len;

	(void)state;
	while ((len = libc_getdents(dir, records, sizeof(records))) > 0)
		for (ssize_t at = 0; at < len;) {
			const libc_dirent *record = (const void *)(records + at);

			dots += strcmp(record->d_name, "..") == 0;
			at += record->d_reclen;
		}
	assert_int_equal(len, 0);
	assert_int_equal(dots, 1);
	close(dir);
	assert_int_equal(libc_getdents(dir, records, sizeof(records)), -1);
	assert_int_equal(errno, EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_and_names),
		cmocka_unit_test(renames),
		cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
