/* SPDX-License-Identifier: Apache-2.0 */
/* Files without a name, where there are such files and where there are none. */
#include "core/image/unnamed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/image/output.h"
#include "tests/support/tempdir.h"

/* By these the system says that it has no such files, and that it is another thing. */
static const int lacking[] = { EOPNOTSUPP, EISDIR, EINVAL, ENOENT };
static const int failing[] = { EACCES, EMFILE, ENOSPC, EROFS };

static struct tempdir dir;
static int refusal;     /* what asking for a file without a name says; 0: as the system has it */
static char asked[256]; /* where the last one was asked for */

static bool is_refused(const char *path, int flags)
{
	if ((flags & O_TMPFILE) != O_TMPFILE)
		return false;
	snprintf(asked, sizeof(asked), "%s", path);
	errno = refusal;
	return refusal;
}

/* Whichever of the two the C library has for it. */
#define WRAPPED(name)                                                                       \
	int __real_##name(int at, const char *path, int flags, ...);                        \
	int __wrap_##name(int at, const char *path, int flags, mode_t mode);                \
	int __wrap_##name(int at, const char *path, int flags, mode_t mode)                 \
	{                                                                                   \
		return is_refused(path, flags) ? -1 : __real_##name(at, path, flags, mode); \
	}

WRAPPED(openat)
WRAPPED(openat64)

static int open_directory(void **state)
{
	(void)state;
	tempdir_open_large(&dir);
	return 0;
}

static int close_directory(void **state)
{
	(void)state;
	tempdir_close(&dir);
	return 0;
}

static int begin(void **state)
{
	(void)state;
	refusal = 0;
	asked[0] = '\0';
	return setenv("TMPDIR", dir.path, 1);
}

static size_t count_names(void)
{
	DIR *names = opendir(dir.path);
	size_t count = 0;

	assert_non_null(names);
	while (readdir(names))
		count++;
	closedir(names);
	return count - 2;
}

/* Without a name, of the caller alone, and to be written and read. */
static void check_file(int fd)
{
	char back[4] = "";
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(pwrite(fd, "abc", 3, 0), 3);
	assert_int_equal(pread(fd, back, 3, 0), 3);
	assert_string_equal(back, "abc");
	assert_int_equal(count_names(), 0);
	close(fd);
}

static void scratch_lies_where_tmpdir_says(void **state)
{
	(void)state;
	check_file(unnamed_open(NULL));
	assert_string_equal(asked, dir.path);
}

static void without_tmpdir_it_lies_in_var_tmp(void **state)
{
	(void)state;
	refusal = EACCES;
	unsetenv("TMPDIR");
	assert_int_equal(unnamed_open(NULL), -EACCES);
	assert_string_equal(asked, "/var/tmp");
	setenv("TMPDIR", "", 1);
	asked[0] = '\0';
	assert_int_equal(unnamed_open(NULL), -EACCES);
	assert_string_equal(asked, "/var/tmp");
}

static void where_there_are_none_scratch_loses_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lacking) / sizeof(lacking[0]); i++) {
		refusal = lacking[i];
		check_file(unnamed_open(NULL));
	}
}

static void other_errors_are_those_of_scratch(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(failing) / sizeof(failing[0]); i++) {
		refusal = failing[i];
		assert_int_equal(unnamed_open(NULL), -failing[i]);
		assert_int_equal(count_names(), 0);
	}
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/none", dir.path);
	setenv("TMPDIR", path, 1);
	assert_int_equal(unnamed_open(NULL), -ENOENT);
}

static struct output *open_output(void)
{
	struct error error = ERROR_INIT;
	struct output *output = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/k.img", dir.path);
	assert_int_equal(output_open("the image", path, NULL, &output, &error), 0);
	return output;
}

/* How many names the directory has while the image is made. */
static size_t make_image(void)
{
	struct error error = ERROR_INIT;
	struct output *output = open_output();
	size_t names;

	assert_int_equal(output_create(output, 4096, &error), 0);
	names = count_names();
	output_close(output);
	assert_int_equal(count_names(), 0);
	return names;
}

static void where_there_are_none_an_image_has_a_temporary_name(void **state)
{
	(void)state;
	assert_int_equal(make_image(), 0);
	for (size_t i = 0; i < sizeof(lacking) / sizeof(lacking[0]); i++) {
		refusal = lacking[i];
		assert_int_equal(make_image(), 1);
	}
}

static void scratch_beside_an_image_loses_its_name(void **state)
{
	struct output *output = open_output();

	(void)state;
	check_file(output_scratch(output));
	assert_string_equal(asked, ".");
	for (size_t i = 0; i < sizeof(lacking) / sizeof(lacking[0]); i++) {
		refusal = lacking[i];
		check_file(output_scratch(output));
	}
	refusal = EMFILE;
	assert_int_equal(output_scratch(output), -EMFILE);
	output_close(output);
}

static void other_errors_are_those_of_an_image(void **state)
{
	struct error error = ERROR_INIT;
	struct output *output = open_output();

	(void)state;
	refusal = EACCES;
	assert_int_equal(output_create(output, 4096, &error), -EACCES);
	assert_non_null(strstr(error.message, "k.img"));
	assert_int_equal(count_names(), 0);
	error_clear(&error);
	output_close(output);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(scratch_lies_where_tmpdir_says),
		TEST(without_tmpdir_it_lies_in_var_tmp),
		TEST(where_there_are_none_scratch_loses_its_name),
		TEST(other_errors_are_those_of_scratch),
		TEST(a_directory_that_is_not_there_is_an_error),
		TEST(where_there_are_none_an_image_has_a_temporary_name),
		TEST(scratch_beside_an_image_loses_its_name),
		TEST(other_errors_are_those_of_an_image),
	};

	return cmocka_run_group_tests(tests, open_directory, close_directory);
}
