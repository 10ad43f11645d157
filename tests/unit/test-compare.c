/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte of a finished filesystem that changes before it is verified: whichever it is, comparing
 * finds it. KATAIMG_TEST_BACKEND is the backend, KATAIMG_TEST_SETTING may be options of it,
 * KATAIMG_TEST_TAILS says that it writes the ends of files itself then, KATAIMG_TEST_FLIPS how many
 * bytes are tried.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/backend/session.h"
#include "core/config/config.h"
#include "core/config/options.h"
#include "core/copy/copy.h"
#include "tests/support/chance.h"
#include "tests/support/scanned.h"

#define WINDOW_OFFSET ((uint64_t)3 << 20)

struct fixture {
	struct scanned scanned;
	struct backend_search *search;
	struct backend *backend;
	struct config config;
	struct kataimg_value *values;
	struct kataimg_job job;
	struct host *host;
	struct session *session;
	struct host_range window;
	struct copy *copy;
};

static uint8_t seed[DIGEST_BYTES] = { 1, 2, 3 };

static int open_scratch(void *arg)
{
	(void)arg;
	return memfd_create("scratch", MFD_CLOEXEC);
}

static void make_source(const struct tempdir *dir, bool hardlinks)
{
	char name[64];

	tempdir_mkdir(dir, "source");
	tempdir_mkdir(dir, "source/names");
	for (unsigned int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "source/names/a-file-with-some-name-%u", i);
		tempdir_fill(dir, name, i, i % 40 * 17);
	}
	tempdir_fill(dir, "source/large", 7, ((size_t)3 << 20) + 5);
	tempdir_write_at(dir, "source/holes", (uint64_t)4 << 20, "end", 3);
	assert_int_equal(symlinkat("target/of/a/link", dir->fd, "source/link"), 0);
	if (hardlinks)
		assert_int_equal(linkat(dir->fd, "source/large", dir->fd, "source/second", 0), 0);
}

/* The options that the environment gives, with blanks between them. */
static int set_options(struct fixture *f, struct error *error)
{
	char *texts = strdup(getenv("KATAIMG_TEST_SETTING") ?: ""), *rest = texts, *text;
	int ret = 0;

	assert_non_null(texts);
	while (ret == 0 && (text = strsep(&rest, " ")))
		if (*text)
			ret = config_set_assignment(&f->config, text, "test", error);
	free(texts);
	return ret;
}

static void open_backend(struct fixture *f)
{
	struct error *error = &f->scanned.error;

	f->search = backend_search_new(NULL, 0);
	assert_non_null(f->search);
	if (backend_load(f->search, getenv("KATAIMG_TEST_BACKEND"), &f->backend, error) < 0 ||
	    config_init(&f->config, error) < 0 || set_options(f, error) < 0 ||
	    options_parse(&f->config, &f->backend->table, &f->values, error) < 0)
		fail_msg("%s", error->message);
}

static void open_session(struct fixture *f)
{
	const struct host_setup setup = { .backend = f->backend->table.name,
					  .tree = f->scanned.tree,
					  .seed = seed,
					  .threads = 2,
					  .scratch = open_scratch };

	f->job = (struct kataimg_job){ .struct_size = sizeof(f->job),
				       .window_offset = WINDOW_OFFSET,
				       .hugepage_bytes = (uint64_t)2 << 20,
				       .build_time = 1700000000,
				       .threads = 2,
				       .sector_bytes = 512 };
	f->host = host_new(&setup);
	assert_non_null(f->host);
	if (session_open(f->backend, f->host, &f->job, f->values, &f->session, &f->scanned.error) <
	    0)
		fail_msg("%s", f->scanned.error.message);
}

static void write_window(struct fixture *f)
{
	const struct copy_options options = { .threads = 2 };
	struct kataimg_plan plan;
	struct copy_stats stats;
	struct error *error = &f->scanned.error;
	const struct kataimg_tree *tree = tree_public(f->scanned.tree);

	if (session_plan(f->session, tree, &plan, error) < 0)
		fail_msg("%s", error->message);
	f->window = (struct host_range){ memfd_create("image", MFD_CLOEXEC), WINDOW_OFFSET,
					 plan.bytes };
	assert_int_equal(ftruncate(f->window.fd, (off_t)(WINDOW_OFFSET + plan.bytes)), 0);
	f->copy = copy_new(f->scanned.tree);
	assert_non_null(f->copy);
	host_set_window(f->host, HOST_WRITE_WINDOW, &f->window, f->copy);
	if (session_write(f->session, tree, plan.bytes, error) < 0 ||
	    copy_run(f->copy, f->window.fd, &options, &stats, error) < 0)
		fail_msg("%s", error->message);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	scanned_open(&f->scanned);
	open_backend(f);
	make_source(&f->scanned.dir, f->backend->table.capabilities & KATAIMG_CAP_HARDLINKS);
	scanned_run(&f->scanned, "source");
	open_session(f);
	write_window(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	session_close(f->session);
	host_free(f->host);
	copy_free(f->copy);
	close(f->window.fd);
	free(f->values);
	config_free(&f->config);
	backend_free(f->backend);
	backend_search_free(f->search);
	scanned_close(&f->scanned);
	free(f);
	return 0;
}

static int compare_with(struct fixture *f, bool with_content, struct error *error)
{
	struct copy *again autocall(cleanup_copy_free) = copy_new_again(f->copy);
	int ret;

	assert_non_null(again);
	assert_int_equal(host_begin_compare(f->host, &f->window, again, with_content), 0);
	ret = session_write(f->session, tree_public(f->scanned.tree), f->window.len_bytes, error);
	if (ret == 0)
		ret = host_end_compare(f->host, error);
	return ret < 0 ? ret : copy_check_same(again, error);
}

/* All that the backend writes, ends of files too. */
static int compare(struct fixture *f, struct error *error)
{
	return compare_with(f, true, error);
}

static int compare_content(struct fixture *f, struct error *error)
{
	const struct copy_options options = { .threads = 2, .compare = true };
	struct copy_stats stats;

	return copy_run(f->copy, f->window.fd, &options, &stats, error);
}

static void flip(const struct fixture *f, uint64_t at, uint8_t bits)
{
	uint8_t byte;

	assert_int_equal(pread(f->window.fd, &byte, 1, (off_t)at), 1);
	byte ^= bits;
	assert_int_equal(pwrite(f->window.fd, &byte, 1, (off_t)at), 1);
}

static bool is_written(struct fixture *f, uint64_t at)
{
	struct copy_claim claim;

	return copy_next_claim(f->copy, at, &claim) && claim.image_off <= at && !claim.is_data;
}

/* One that was written; or any that data does not come to, free space as well. */
static uint64_t random_metadata(struct fixture *f, uint32_t *chance, bool written)
{
	for (;;) {
		uint64_t number = (uint64_t)chance_next(chance) << 24;
		uint64_t at = WINDOW_OFFSET + (number | chance_next(chance)) % f->window.len_bytes;

		if (written ? is_written(f, at) : !copy_touches_data(f->copy, at, 1))
			return at;
	}
}

static void assert_found(struct fixture *f, uint64_t at,
			 int (*look)(struct fixture *f, struct error *))
{
	autoerror struct error error = ERROR_INIT;
	char place[32];

	snprintf(place, sizeof(place), "byte %llu of", (unsigned long long)at);
	if (look(f, &error) != -EUCLEAN)
		fail_msg("byte %llu of the image changed and was not missed",
			 (unsigned long long)at);
	if (!strstr(error.message, place))
		fail_msg("'%s' is not in '%s'", place, error.message);
}

static void test_metadata(void **state)
{
	struct fixture *f = *state;
	autoerror struct error error = ERROR_INIT;
	uint32_t chance = 1;
	const char *flips = getenv("KATAIMG_TEST_FLIPS");

	if (compare_with(f, false, &error) < 0 || compare(f, &error) < 0)
		fail_msg("a sound filesystem: %s", error.message);
	for (int i = flips ? atoi(flips) : 1000; i > 0; i--) {
		uint64_t at = random_metadata(f, &chance, i % 8 != 0);
		uint8_t bits = (uint8_t)(1 << i % 8);

		flip(f, at, bits);
		assert_found(f, at, compare);
		flip(f, at, bits);
	}
	if (compare(f, &error) < 0)
		fail_msg("a sound filesystem: %s", error.message);
}

/* What files have there, and their holes. */
static void test_content(void **state)
{
	struct fixture *f = *state;
	autoerror struct error error = ERROR_INIT;
	struct copy_claim claim = { .end = WINDOW_OFFSET };
	int tried = 0;

	assert_int_equal(compare_content(f, &error), 0);
	for (uint64_t at = 0; copy_next_claim(f->copy, at, &claim); at = claim.end) {
		uint64_t middle = claim.image_off + (claim.end - claim.image_off) / 2;

		if (!claim.is_data)
			continue;
		flip(f, middle, 0x80);
		assert_int_equal(compare(f, &error), 0);
		assert_found(f, middle, compare_content);
		flip(f, middle, 0x80);
		tried++;
	}
	assert_in_range(tried, 1, 1000);
}

/* Where the window has the file's first bytes. */
static uint64_t find_file(const struct fixture *f, const char *path)
{
	uint8_t *window = malloc(f->window.len_bytes), bytes[64];
	int fd = openat(f->scanned.dir.fd, path, O_RDONLY | O_CLOEXEC);
	const uint8_t *at;
	uint64_t off;

	assert_non_null(window);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(pread(f->window.fd, window, f->window.len_bytes, WINDOW_OFFSET),
			 f->window.len_bytes);
	at = memmem(window, f->window.len_bytes, bytes, sizeof(bytes));
	assert_non_null(at);
	off = WINDOW_OFFSET + (uint64_t)(at - window);
	close(fd);
	free(window);
	return off;
}

/* The end of a file is content, whoever writes it. */
static void test_tail(void **state)
{
	struct fixture *f = *state;
	autoerror struct error error = ERROR_INIT;
	uint64_t at;

	if (!getenv("KATAIMG_TEST_TAILS"))
		skip();
	at = find_file(f, "source/names/a-file-with-some-name-399");
	assert_true(is_written(f, at));
	assert_int_equal(compare_with(f, false, &error), 0);
	flip(f, at, 1);
	assert_int_equal(compare_with(f, false, &error), 0);
	assert_found(f, at, compare);
	flip(f, at, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_metadata, setup, teardown),
		cmocka_unit_test_setup_teardown(test_content, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tail, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
