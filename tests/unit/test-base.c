/* SPDX-License-Identifier: Apache-2.0 */
/* Paths walked by name, messages that go through narrow pipes, stages, sizes and room. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/lookup.h"
#include "core/base/progress.h"
#include "core/base/size.h"
#include "lib/cleanup.h"
#include "tests/support/tempdir.h"

/* ---- Paths ---- */

static const struct lookup_rules no_rules;

static int set_up(void **state)
{
	const struct tempdir *dir;
	char name[16], target[16];

	tempdir_set_up(state);
	dir = *state;
	tempdir_mkdir(dir, "d");
	tempdir_write(dir, "d/file", "x", 1);
	for (int i = 0; i < 42; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(target, sizeof(target), i ? "l%d" : "d/file", i - 1);
		if (symlink(target, name) < 0)
			return -1;
	}
	return symlink("loop", "loop") < 0 || symlink("/", "root") < 0 || symlink("d", "way") < 0
		       ? -1
		       : 0;
}

static const struct {
	const char *path;
	int ret;
	const char *found; /* behind the test's directory; without it, when it begins with a / */
	bool exists, linked;
} paths[] = {
	{ "", -ENOENT, NULL, false, false },
	{ "d/file", 0, "d/file", true, false },
	{ "./d//./file", 0, "d/file", true, false },
	{ "d/../d/file", 0, "d/file", true, false },
	{ "d", 0, "d/", true, false },
	{ "d/", 0, "d/", true, false },
	{ "d/new", 0, "d/new", false, false },
	{ "d/new/", -EISDIR, NULL, false, false },
	{ "no/new", -ENOENT, NULL, false, false },
	{ "d/file/", -ENOTDIR, NULL, false, false },
	{ "d/file/x", -ENOTDIR, NULL, false, false },
	{ "way/file", 0, "d/file", true, false },
	{ "l0", 0, "d/file", true, true },
	{ "l39", 0, "d/file", true, true },
	{ "l40", -ELOOP, NULL, false, false },
	{ "loop", -ELOOP, NULL, false, false },
	{ "root/..", 0, "/", true, false },
	{ "root/nothing-of-this-name", 0, "/nothing-of-this-name", false, false },
};

static void paths_are_walked_as_the_kernel_does(void **state)
{
	const struct tempdir *dir = *state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct lookup lookup autocall(lookup_release) = LOOKUP_INIT;
		autoerror struct error error = ERROR_INIT;
		int ret = lookup_path(paths[i].path, &no_rules, &lookup, &error);
		char whole[256];

		if (ret != paths[i].ret)
			fail_msg("%s: %d", paths[i].path, ret);
		assert_null(error.message);
		if (ret < 0)
			continue;
		snprintf(whole, sizeof(whole), "%s%s%s", *paths[i].found == '/' ? "" : dir->path,
			 *paths[i].found == '/' ? "" : "/", paths[i].found);
		assert_string_equal(lookup.path, whole);
		assert_int_equal(lookup.exists, paths[i].exists);
		assert_int_equal(lookup.linked, paths[i].linked);
	}
}

static void names_are_walked_from_a_directory(void **state)
{
	struct lookup lookup = LOOKUP_INIT;
	autoerror struct error error = ERROR_INIT;
	autoclose int fd = open("d", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(lookup_name(fd, "/x", "file", &no_rules, &lookup, &error), 0);
	assert_string_equal(lookup.path, "/x/file");
	assert_true(lookup.exists);
	lookup_release(&lookup);
	assert_int_equal(lookup_name(root, "/", "none-such", &no_rules, &lookup, &error), 0);
	assert_string_equal(lookup.path, "/none-such");
	assert_false(lookup.exists);
	lookup_release(&lookup);
	assert_int_equal(lookup_name(-1, "/x", "file", &no_rules, &lookup, &error), -EBADF);
}

static int refuse_link(const char *path, const struct stat *dir, const struct stat *link,
		       struct error *error)
{
	(void)dir;
	(void)link;
	return error_set(error, EPERM, "%s is a link", path);
}

static void rules_end_the_walk(void **state)
{
	const struct lookup_rules rules = { .link = refuse_link };
	const struct tempdir *dir = *state;
	struct lookup lookup = LOOKUP_INIT;
	autoerror struct error error = ERROR_INIT;
	char message[128];

	assert_int_equal(lookup_path("way/file", &rules, &lookup, &error), -EPERM);
	snprintf(message, sizeof(message), "%s/way is a link", dir->path);
	assert_string_equal(error.message, message);
	lookup_release(&lookup);
}

/* ---- Messages ---- */

/* Standard error of a part of a test. */
struct captured {
	int kept, ends[2];
	char *text;
	size_t len, room;
	pthread_t reader;
};

static void *read_all(void *arg)
{
	struct captured *captured = arg;
	ssize_t len;

	while ((len = read(captured->ends[0], captured->text + captured->len,
			   captured->room - captured->len)) > 0)
		captured->len += (size_t)len;
	return NULL;
}

/* Through a pipe that is never waited for, and as narrow as one can be. */
static void capture(struct captured *captured, size_t room)
{
	captured->len = 0;
	captured->room = room;
	captured->text = calloc(1, room + 1);
	captured->kept = dup(STDERR_FILENO);
	assert_non_null(captured->text);
	assert_int_equal(pipe2(captured->ends, O_CLOEXEC), 0);
	assert_true(fcntl(captured->ends[1], F_SETPIPE_SZ, 4096) > 0);
	assert_int_equal(fcntl(captured->ends[1], F_SETFL, O_NONBLOCK), 0);
	assert_true(dup2(captured->ends[1], STDERR_FILENO) >= 0);
	close(captured->ends[1]);
	assert_int_equal(pthread_create(&captured->reader, NULL, read_all, captured), 0);
}

static void release(struct captured *captured)
{
	assert_true(dup2(captured->kept, STDERR_FILENO) >= 0);
	close(captured->kept);
	assert_int_equal(pthread_join(captured->reader, NULL), 0);
	close(captured->ends[0]);
}

#define LONG ((size_t)1 << 20)

static void long_lines_go_through_narrow_pipes(void **state)
{
	struct captured captured;
	char *line = malloc(LONG + 1);

	(void)state;
	for (size_t i = 0; i < LONG; i++)
		line[i] = (char)('a' + i % 23);
	line[LONG] = '\0';
	capture(&captured, 2 * LONG);
	log_plain(line);
	release(&captured);
	assert_int_equal(captured.len, LONG + 1);
	assert_memory_equal(captured.text, line, LONG);
	assert_int_equal(captured.text[LONG], '\n');
	free(captured.text);
	free(line);
}

/* What is cut out of the middle takes no half of a character with it. */
static void long_messages_are_cut_between_characters(void **state)
{
	(void)state;
	for (size_t before = 0; before < 3; before++) {
		autoerror struct error error = ERROR_INIT;
		char *text = calloc(3, 20000);
		size_t len = before;

		memset(text, 'x', before);
		for (int i = 0; i < 15000; i++, len += 3)
			memcpy(text + len, "\xe2\x82\xac", 3);
		error_set(&error, EINVAL, "%s", text);
		assert_true(strlen(error.message) < 3 * 15000);
		for (const char *at = error.message; *at; at++)
			if ((unsigned char)*at == 0xe2)
				assert_memory_equal(at, "\xe2\x82\xac", 3);
			else if ((unsigned char)*at == 0x82)
				assert_int_equal((unsigned char)at[-1], 0xe2);
		free(text);
	}
}

/* ---- Progress ---- */

static void stages_name_their_image(void **state)
{
	struct progress *progress = progress_new(PROGRESS_JSON);
	struct captured captured;

	(void)state;
	assert_non_null(progress);
	capture(&captured, LONG);
	progress_stage(progress, "scan");
	progress_update(progress, PROGRESS_ENTRIES, 7, 0);
	progress_set_image(progress, "base");
	progress_stage(progress, "copy");
	progress_update(progress, PROGRESS_BYTES, 9, 5);
	progress_finish(progress);
	release(&captured);
	assert_non_null(strstr(captured.text, "\"stage\":\"scan\",\"done\":7,\"total\":null,"));
	assert_non_null(strstr(captured.text, "{\"image\":\"base\",\"stage\":\"copy\",\"done\":5,"
					      "\"total\":5,"));
	free(captured.text);
	progress_free(progress);
}

static void more_stages_than_are_kept_do_no_harm(void **state)
{
	struct progress *progress = progress_new(PROGRESS_OFF);
	unsigned int count, again;

	(void)state;
	assert_non_null(progress);
	for (int i = 0; i < 1000; i++)
		progress_stage(progress, "one of many");
	progress_times(progress, &count);
	progress_stage(progress, "last");
	progress_finish(progress);
	assert_string_equal(progress_times(progress, &again)[count - 1].stage, "last");
	assert_int_equal(count, again);
	progress_free(progress);
}

static void terminals_without_a_cursor_get_lines(void **state)
{
	static const char *const terminals[] = { NULL, "dumb", "xterm" };
	struct captured captured;

	(void)state;
	for (size_t i = 0; i < sizeof(terminals) / sizeof(terminals[0]); i++) {
		if (terminals[i])
			setenv("TERM", terminals[i], 1);
		else
			unsetenv("TERM");
		capture(&captured, LONG);
		assert_int_equal(progress_default_mode(), PROGRESS_PLAIN);
		release(&captured);
		free(captured.text);
	}
}

/* ---- Sizes and room ---- */

static void sizes_have_the_largest_unit_that_divides_them(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0" },
		{ 1023, "1023" },
		{ 1536, "1536" },
		{ 4096, "4K" },
		{ UINT64_C(3) << 30, "3G" },
		{ UINT64_C(1) << 40, "1T" },
		{ UINT64_C(1) << 60, "1048576T" },
		{ UINT64_MAX, "18446744073709551615" },
	};
	char text[SIZE_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_string_equal(size_format(sizes[i].bytes, text, sizeof(text)), sizes[i].text);
}

static void room_that_nobody_has_is_not_given(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	assert_null(arena_array(&arena, SIZE_MAX / 2, 4));
	assert_null(arena_alloc(&arena, SIZE_MAX - 8));
	assert_non_null(arena_array(&arena, 3, 4));
	assert_non_null(arena_alloc(&arena, 1 << 22));
	assert_string_equal(arena_text(&arena, "abc", 2), "ab");
	arena_free(&arena);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(paths_are_walked_as_the_kernel_does),
		TEST(names_are_walked_from_a_directory),
		TEST(rules_end_the_walk),
		cmocka_unit_test(long_lines_go_through_narrow_pipes),
		cmocka_unit_test(long_messages_are_cut_between_characters),
		cmocka_unit_test(stages_name_their_image),
		cmocka_unit_test(more_stages_than_are_kept_do_no_harm),
		cmocka_unit_test(terminals_without_a_cursor_get_lines),
		cmocka_unit_test(sizes_have_the_largest_unit_that_divides_them),
		cmocka_unit_test(room_that_nobody_has_is_not_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
