/* SPDX-License-Identifier: Apache-2.0 */
/* What inspect makes of a filesystem that a backend knows, and then reads. */
#include "core/inspect/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define BYTES 2097152

/* What the only backend says when it reads. */
static int answer;
static const char *sentence;

static int probe(void *arg, int fd, uint64_t off, uint64_t len, struct kataimg_fs_info *info,
		 char backend[INSPECT_BACKEND_NAME_BYTES], struct error *error)
{
	(void)arg, (void)fd, (void)error;
	assert_int_equal(off, 0);
	assert_int_equal(len, BYTES);
	strcpy(info->type, "toyfs");
	strcpy(backend, "toy");
	return 0;
}

static int read_all(void *arg, int fd, uint64_t off, uint64_t len, const char *backend,
		    char **contradiction, struct error *error)
{
	(void)arg, (void)fd;
	assert_int_equal(off, 0);
	assert_int_equal(len, BYTES);
	assert_string_equal(backend, "toy");
	if (answer < 0)
		return error_set(error, -answer, "toy: %s", sentence);
	if (sentence)
		*contradiction = strdup(sentence);
	return 0;
}

static int look(struct inspection *inspection, struct error *error)
{
	const struct inspect_probe prober = { .probe = probe, .read = read_all };
	autoclose int fd = memfd_create("image", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, BYTES), 0);
	return inspect_fd(fd, &prober, inspection, error);
}

static void what_is_read_is_judged(void **state)
{
	static const struct {
		int answer;
		const char *sentence, *problem, *unchecked;
	} cases[] = {
		{ 0, NULL, NULL, NULL },
		{ 0, "one link too many", "toy: one link too many", NULL },
		{ -EUCLEAN, "a circle", "toy: a circle", NULL },
		{ -EIO, "a block cannot be read", "toy: a block cannot be read", NULL },
		{ -EOPNOTSUPP, "a log to replay", NULL, "toy: a log to replay" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		autoerror struct error error = ERROR_INIT;
		struct inspection inspection;

		answer = cases[i].answer;
		sentence = cases[i].sentence;
		assert_int_equal(look(&inspection, &error), 0);
		assert_true(inspection.has_filesystem);
		assert_int_equal(inspection.problems.count, cases[i].problem != NULL);
		assert_int_equal(inspection.unchecked.count, cases[i].unchecked != NULL);
		if (cases[i].problem)
			assert_string_equal(inspection.problems.sentences[0], cases[i].problem);
		if (cases[i].unchecked)
			assert_string_equal(inspection.unchecked.sentences[0], cases[i].unchecked);
		inspect_clear(&inspection);
	}
}

/* What could not be asked says nothing of the image. */
static void what_ends_the_reading_ends_the_inspection(void **state)
{
	static const int answers[] = { -ENOMEM, -ECANCELED };
	static const char *const messages[] = { "out of memory", "interrupted" };

	(void)state;
	sentence = "";
	for (size_t i = 0; i < 2; i++) {
		autoerror struct error error = ERROR_INIT;
		struct inspection inspection;

		answer = answers[i];
		assert_int_equal(look(&inspection, &error), answer);
		assert_string_equal(error.message, messages[i]);
		assert_int_equal(inspection.problems.count + inspection.unchecked.count, 0);
		inspect_clear(&inspection);
	}
}

static void a_file_that_cannot_be_read_is_told_as_that(void **state)
{
	const struct inspect_probe prober = { .probe = probe };
	autoerror struct error error = ERROR_INIT;
	struct inspection inspection;
	autoclose int image = memfd_create("image", MFD_CLOEXEC);
	autoclose int blind = -1; /* for writing alone */
	char path[64];

	(void)state;
	assert_int_equal(ftruncate(image, BYTES), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", image);
	blind = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(blind >= 0);
	assert_int_equal(inspect_fd(blind, &prober, &inspection, &error), -EBADF);
	assert_string_equal(error_sentence(&error),
			    "cannot read 4096 bytes at 4096: Bad file descriptor");
	inspect_clear(&inspection);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_judged),
		cmocka_unit_test(what_ends_the_reading_ends_the_inspection),
		cmocka_unit_test(a_file_that_cannot_be_read_is_told_as_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
