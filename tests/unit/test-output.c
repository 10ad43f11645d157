/* SPDX-License-Identifier: Apache-2.0 */
/* In which directory files are that belong together, whatever others rename meanwhile. */
#include "core/image/output.h"

#include <errno.h>
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

#include "core/image/publish.h"
#include "tests/support/tempdir.h"

struct fixture {
	struct tempdir dir;
	struct error error;
	struct output *image, *hash;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	tempdir_enter(&f->dir);
	assert_int_equal(mkdir("out", 0755), 0);
	assert_int_equal(mkdir("else", 0755), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	output_close(f->image);
	output_close(f->hash);
	error_clear(&f->error);
	tempdir_leave(&f->dir);
	free(f);
	return 0;
}

static void open_image(struct fixture *f, const char *path)
{
	assert_int_equal(output_open("the image", path, NULL, &f->image, &f->error), 0);
}

/* Both get their names. */
static void publish_with(struct fixture *f, const char *hash)
{
	struct publish_item items[2];

	assert_int_equal(
		output_open_together("the hash", hash, NULL, f->image, &f->hash, &f->error), 0);
	assert_int_equal(output_create(f->image, 0, &f->error), 0);
	assert_int_equal(output_create(f->hash, 0, &f->error), 0);
	items[0] = (struct publish_item){ f->image, PUBLISH_SPEAKS_OF_NOTHING };
	items[1] = (struct publish_item){ f->hash, PUBLISH_SPEAKS_OF_ONE };
	assert_int_equal(publish(items, 2, false, &f->error), 0);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void exchange(void)
{
	assert_int_equal(rename("out", "moved"), 0);
	assert_int_equal(rename("else", "out"), 0);
}

/* What mode the file had before it gets the one that it keeps. */
static mode_t mode_before;

int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);

int __wrap_fchmod(int fd, mode_t mode)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	mode_before = st.st_mode & 07777;
	return __real_fchmod(fd, mode);
}

/* Set: what the next one fails with. */
static int chown_error;

int __real_fchown(int fd, uid_t owner, gid_t group);
int __wrap_fchown(int fd, uid_t owner, gid_t group);

int __wrap_fchown(int fd, uid_t owner, gid_t group)
{
	if (!chown_error)
		return __real_fchown(fd, owner, group);
	assert_int_equal(owner, 1000);
	assert_int_equal(group, 100);
	errno = chown_error;
	chown_error = 0;
	return -1;
}

static void an_owner_that_cannot_be_is_told_with_its_reason(void **state)
{
	struct fixture *f = *state;

	open_image(f, "out/k.img");
	assert_int_equal(output_create(f->image, 0, &f->error), 0);
	chown_error = EINVAL;
	assert_int_equal(output_set_owner(f->image, 1000, 100, &f->error), -EINVAL);
	assert_non_null(strstr(f->error.message,
			       "out/k.img to user 1000 and group 100: this user namespace does "
			       "not have both numbers; those in /proc/self/uid_map and gid_map "));
	error_clear(&f->error);
	chown_error = EPERM;
	assert_int_equal(output_set_owner(f->image, 1000, 100, &f->error), -EPERM);
	assert_non_null(strstr(f->error.message, "to its owner: Operation not permitted"));
}

static void a_new_file_never_has_more_rights_than_the_old(void **state)
{
	struct fixture *f = *state;
	mode_t mask = umask(0);
	struct stat st;

	assert_int_equal(mknod("out/k.img", S_IFREG | 0640, 0), 0);
	open_image(f, "out/k.img");
	assert_int_equal(output_create(f->image, 0, &f->error), 0);
	umask(mask);
	assert_int_equal(mode_before, 0640);
	assert_int_equal(fstat(output_fd(f->image), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void the_same_words_are_the_same_directory(void **state)
{
	struct fixture *f = *state;

	open_image(f, "out/k.img");
	exchange();
	publish_with(f, "out/hash");
	assert_true(is_there("moved/k.img"));
	assert_true(is_there("moved/hash"));
	assert_false(is_there("out/hash"));
}

static void the_path_that_was_found_is_the_same_directory(void **state)
{
	struct fixture *f = *state;
	char path[256];

	open_image(f, "out/../out/k.img");
	exchange();
	snprintf(path, sizeof(path), "%s", output_path(f->image));
	strcpy(strrchr(path, '/'), "/hash");
	publish_with(f, path);
	assert_true(is_there("moved/hash"));
}

static void other_words_are_looked_up(void **state)
{
	struct fixture *f = *state;

	open_image(f, "out/k.img");
	exchange();
	publish_with(f, "./out/hash");
	assert_true(is_there("moved/k.img"));
	assert_true(is_there("out/hash"));
}

/* Where a link leads is not where its words are. */
static void beside_a_link_is_beside_the_link(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(symlink("../else/k.img", "out/k.img"), 0);
	open_image(f, "out/k.img");
	publish_with(f, "out/hash");
	assert_true(is_there("else/k.img"));
	assert_true(is_there("out/hash"));
	assert_false(is_there("else/hash"));
}

static void a_link_beside_is_followed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(symlink("../else/hash", "out/hash"), 0);
	open_image(f, "out/k.img");
	publish_with(f, "out/hash");
	assert_true(is_there("out/k.img"));
	assert_true(is_there("else/hash"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_owner_that_cannot_be_is_told_with_its_reason,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_file_never_has_more_rights_than_the_old,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_words_are_the_same_directory, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_path_that_was_found_is_the_same_directory,
						setup, teardown),
		cmocka_unit_test_setup_teardown(other_words_are_looked_up, setup, teardown),
		cmocka_unit_test_setup_teardown(beside_a_link_is_beside_the_link, setup, teardown),
		cmocka_unit_test_setup_teardown(a_link_beside_is_followed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
