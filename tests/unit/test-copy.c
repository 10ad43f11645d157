/* SPDX-License-Identifier: Apache-2.0 */
/* The copy engine, from real files into a real image file. */
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

#include "core/base/cancel.h"
#include "core/copy/copy.h"
#include "core/tree/reader.h"
#include "tests/support/scanned.h"

#define MIB ((uint64_t)1 << 20)
#define BLOCK 4096u

struct fixture {
	struct scanned scanned; /* of "source"; "image" beside it is written */
	struct copy *copy;
	int image;
	struct copy_options options;
	struct copy_stats stats;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	scanned_open(&f->scanned);
	tempdir_mkdir(&f->scanned.dir, "source");
	f->image = openat(f->scanned.dir.fd, "image", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	f->options.threads = 1;
	*state = f;
	return f->image < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	copy_free(f->copy);
	close(f->image);
	scanned_close(&f->scanned);
	free(f);
	return 0;
}

static void scan(struct fixture *f)
{
	scanned_run(&f->scanned, "source");
	f->copy = copy_new(f->scanned.tree);
	assert_non_null(f->copy);
}

static int run(struct fixture *f)
{
	return copy_run(f->copy, f->image, &f->options, &f->stats, &f->scanned.error);
}

static void run_ok(struct fixture *f)
{
	int ret = run(f);

	if (ret < 0)
		fail_msg("copy_run: %s", f->scanned.error.message);
}

static void assert_image(const struct fixture *f, uint64_t off, const void *bytes, size_t len)
{
	char *got = malloc(len);

	assert_non_null(got);
	assert_int_equal(pread(f->image, got, len, (off_t)off), len);
	assert_memory_equal(got, bytes, len);
	free(got);
}

static void assert_pattern(const struct fixture *f, uint64_t off, unsigned int seed,
			   uint64_t file_off, size_t len)
{
	char *bytes = malloc(len);

	assert_non_null(bytes);
	tempdir_pattern(seed, file_off, bytes, len);
	assert_image(f, off, bytes, len);
	free(bytes);
}

static void assert_zeros(const struct fixture *f, uint64_t off, size_t len)
{
	char *zeros = calloc(1, len);

	assert_non_null(zeros);
	assert_image(f, off, zeros, len);
	free(zeros);
}

/* ---- Many files ---- */

#define FILES 700

static size_t size_of_file(unsigned int i)
{
	static const size_t sizes[] = { 1, 4095, 4096, 4097, 100, 12288, 9000, 65536, 70001, 3 };

	return sizes[i % 10];
}

static void make_many(struct fixture *f)
{
	char name[64];

	for (unsigned int d = 0; d < 7; d++) {
		snprintf(name, sizeof(name), "source/%u", d);
		tempdir_mkdir(&f->scanned.dir, name);
	}
	for (unsigned int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "source/%u/file%u", i % 7, i);
		tempdir_fill(&f->scanned.dir, name, i, size_of_file(i));
	}
	scan(f);
}

/* Block after block, in the order of the numbers, which is not the tree's. */
static void place_many(struct fixture *f)
{
	uint64_t off = 0;
	char name[64];

	for (unsigned int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "%u/file%u", i % 7, i);
		assert_int_equal(copy_add_node(f->copy, off, scanned_find(&f->scanned, name), 0,
					       size_of_file(i)),
				 0);
		off += (size_of_file(i) + BLOCK - 1) / BLOCK * BLOCK;
	}
	assert_int_equal(ftruncate(f->image, (off_t)off), 0);
}

static void check_many(const struct fixture *f)
{
	uint64_t off = 0;

	for (unsigned int i = 0; i < FILES; i++) {
		size_t size = size_of_file(i), blocks = (size + BLOCK - 1) / BLOCK * BLOCK;

		assert_pattern(f, off, i, 0, size);
		assert_zeros(f, off + size, blocks - size);
		off += blocks;
	}
}

static void copy_many(struct fixture *f, unsigned int threads)
{
	make_many(f);
	place_many(f);
	f->options.threads = threads;
	run_ok(f);
	check_many(f);
	assert_int_equal(f->stats.jobs, FILES);
	assert_int_equal(f->stats.files, FILES);
}

static void test_gathers(void **state)
{
	struct fixture *f = *state;
	struct stat image;

	copy_many(f, 1);
	/* 1 MiB at a time, whatever the files' sizes; a batch ends early when a file does not fit.
	 */
	assert_int_equal(fstat(f->image, &image), 0);
	assert_in_range(f->stats.writes, (uint64_t)image.st_size / MIB,
			(uint64_t)image.st_size * 9 / 8 / MIB + 1);
}

static void test_gathers_2_threads(void **state)
{
	copy_many(*state, 2);
}

static void test_gathers_8_threads(void **state)
{
	copy_many(*state, 8);
}

/* ---- Gaps ---- */

static void test_gap_with_metadata(void **state)
{
	struct fixture *f = *state;

	tempdir_fill(&f->scanned.dir, "source/a", 1, 100);
	tempdir_fill(&f->scanned.dir, "source/b", 2, 200);
	tempdir_fill(&f->scanned.dir, "source/c", 3, 300);
	scan(f);
	assert_int_equal(pwrite(f->image, "inode", 5, BLOCK + 300), 5);
	assert_int_equal(copy_add_node(f->copy, 0, scanned_find(&f->scanned, "a"), 0, 100), 0);
	assert_int_equal(copy_add_node(f->copy, BLOCK, scanned_find(&f->scanned, "b"), 0, 200), 0);
	assert_int_equal(copy_add_node(f->copy, 2 * BLOCK, scanned_find(&f->scanned, "c"), 0, 300),
			 0);
	assert_int_equal(copy_add_written(f->copy, BLOCK + 300, 5), 0);
	run_ok(f);
	assert_pattern(f, 0, 1, 0, 100);
	assert_pattern(f, BLOCK, 2, 0, 200);
	assert_image(f, BLOCK + 300, "inode", 5);
	assert_pattern(f, 2 * BLOCK, 3, 0, 300);
	assert_int_equal(f->stats.writes, 2);
	assert_int_equal(f->stats.written_bytes, BLOCK + 200 + 300);
}

/* What is claimed twice is refused, and leaves no trace. */
static void test_claims(void **state)
{
	struct fixture *f = *state;
	const struct kataimg_node *node;

	tempdir_fill(&f->scanned.dir, "source/a", 1, 100);
	scan(f);
	node = scanned_find(&f->scanned, "a");
	assert_int_equal(copy_add_written(f->copy, BLOCK, 10), 0);
	assert_int_equal(copy_add_written(f->copy, BLOCK + 5, 10), 0);
	assert_int_equal(copy_add_node(f->copy, BLOCK + 14, node, 0, 100), -EEXIST);
	assert_int_equal(copy_add_node(f->copy, BLOCK + 15, node, 0, 100), 0);
	assert_int_equal(copy_add_fd(f->copy, BLOCK + 114, f->image, 0, 1), -EEXIST);
	assert_int_equal(copy_add_written(f->copy, BLOCK + 100, 1), -EEXIST);
	assert_false(copy_touches_data(f->copy, 0, BLOCK + 15));
	assert_true(copy_touches_data(f->copy, BLOCK + 114, 1));
	run_ok(f);
	assert_int_equal(f->stats.jobs, 1);
}

/* Whole blocks in between are nobody's business. */
static void test_gap_of_blocks(void **state)
{
	struct fixture *f = *state;

	tempdir_fill(&f->scanned.dir, "source/a", 1, 100);
	tempdir_fill(&f->scanned.dir, "source/b", 2, 200);
	scan(f);
	assert_int_equal(copy_add_node(f->copy, 0, scanned_find(&f->scanned, "a"), 0, 100), 0);
	assert_int_equal(copy_add_node(f->copy, 2 * BLOCK, scanned_find(&f->scanned, "b"), 0, 200),
			 0);
	run_ok(f);
	assert_int_equal(f->stats.writes, 2);
	assert_int_equal(f->stats.written_bytes, 300);
	assert_pattern(f, 2 * BLOCK, 2, 0, 200);
}

/* ---- One file ---- */

static void test_parts_in_any_order(void **state)
{
	struct fixture *f = *state;
	const uint64_t size = 5 * MIB + 123, first = 2 * MIB + 77;
	const struct kataimg_node *node;

	tempdir_fill(&f->scanned.dir, "source/large", 9, size);
	scan(f);
	node = scanned_find(&f->scanned, "large");
	assert_int_equal(copy_add_node(f->copy, 8 * MIB, node, 0, first), 0);
	assert_int_equal(copy_add_node(f->copy, 4097, node, first, size - first), 0);
	f->options.threads = 2;
	run_ok(f);
	assert_pattern(f, 8 * MIB, 9, 0, first);
	assert_pattern(f, 4097, 9, first, size - first);
	assert_zeros(f, 0, 4097);
	assert_int_equal(f->stats.written_bytes, size);
	/* each part is large, and less than what one worker gets: 1 MiB a write */
	assert_int_equal(f->stats.writes, 3 + 4);
}

static void test_holes_stay(void **state)
{
	struct fixture *f = *state;
	const struct kataimg_node *node;
	struct stat image;
	char tail[10];

	tempdir_pattern(4, 0, tail, sizeof(tail));
	tempdir_write_at(&f->scanned.dir, "source/sparse", 2 * MIB, tail, sizeof(tail));
	tempdir_write_at(&f->scanned.dir, "source/sparse", 6 * MIB + 5, tail, sizeof(tail));
	scan(f);
	node = scanned_find(&f->scanned, "sparse");
	if (node->segment_count != 2)
		skip(); /* the filesystem of TMPDIR knows no holes */
	assert_int_equal(ftruncate(f->image, 16 * MIB), 0);
	assert_int_equal(copy_add_node(f->copy, MIB, node, 0, node->size), 0);
	run_ok(f);
	assert_zeros(f, MIB, 2 * MIB);
	assert_image(f, 3 * MIB, tail, sizeof(tail));
	assert_zeros(f, 3 * MIB + 10, 4 * MIB - 5);
	assert_image(f, 7 * MIB + 5, tail, sizeof(tail));
	assert_int_equal(f->stats.hole_bytes, 6 * MIB - BLOCK);
	assert_int_equal(f->stats.written_bytes, BLOCK + 15);
	assert_int_equal(f->stats.files, 1);
	assert_int_equal(fstat(f->image, &image), 0);
	assert_in_range(image.st_blocks * 512, 1, MIB);
}

static void test_all_hole(void **state)
{
	struct fixture *f = *state;

	int fd = openat(f->scanned.dir.fd, "source/hole", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(fd, (off_t)(64 * MIB)), 0);
	close(fd);
	scan(f);
	assert_int_equal(copy_add_node(f->copy, 0, scanned_find(&f->scanned, "hole"), 0, 64 * MIB),
			 0);
	run_ok(f);
	assert_int_equal(f->stats.hole_bytes + f->stats.written_bytes, 64 * MIB);
}

/* ---- Open files ---- */

static void test_scratch(void **state)
{
	struct fixture *f = *state;
	int fd = openat(f->scanned.dir.fd, "scratch", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	tempdir_fill(&f->scanned.dir, "source/a", 1, 100);
	tempdir_fill(&f->scanned.dir, "scratch", 5, 3 * MIB);
	scan(f);
	assert_int_equal(copy_add_fd(f->copy, 10000, fd, 1000, 2 * MIB), 0);
	assert_int_equal(copy_add_node(f->copy, 9900, scanned_find(&f->scanned, "a"), 0, 100), 0);
	f->options.threads = 2;
	run_ok(f);
	assert_pattern(f, 10000, 5, 1000, 2 * MIB);
	assert_pattern(f, 9900, 1, 0, 100);
	close(fd);
}

/* 1 MiB of data, 1 MiB of hole, a block of data. */
static int make_holed(struct fixture *f, const char *name, unsigned int seed)
{
	int fd = openat(f->scanned.dir.fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char block[BLOCK];

	tempdir_fill(&f->scanned.dir, name, seed, MIB);
	tempdir_pattern(seed, 2 * MIB, block, sizeof(block));
	assert_int_equal(pwrite(fd, block, sizeof(block), 2 * MIB), sizeof(block));
	return fd;
}

/* Jobs that go to and fro between two files, forwards and backwards over their data and holes. */
static void test_scratch_to_and_fro(void **state)
{
	static const struct {
		uint64_t from, len, data_len; /* the data comes first */
	} parts[] = {
		{ 512 << 10, 1 << 20, 512 << 10 },
		{ 2 * MIB, BLOCK, BLOCK },
		{ 1 * MIB, BLOCK, 0 },
		{ 0, BLOCK, BLOCK },
		{ 3 * BLOCK, 2 * BLOCK, 2 * BLOCK },
		{ MIB - BLOCK, 2 * BLOCK, BLOCK },
		{ 2 * MIB - BLOCK, BLOCK, 0 },
		{ BLOCK, BLOCK, BLOCK },
	};
	struct fixture *f = *state;
	int fds[2] = { make_holed(f, "one", 5), make_holed(f, "two", 6) };
	size_t count = sizeof(parts) / sizeof(parts[0]);

	scan(f);
	for (size_t i = 0; i < 2 * count; i++)
		assert_int_equal(copy_add_fd(f->copy, i * 2 * MIB, fds[i % 2], parts[i / 2].from,
					     parts[i / 2].len),
				 0);
	run_ok(f);
	assert_int_equal(ftruncate(f->image, (off_t)(2 * count * 2 * MIB)), 0);
	for (size_t i = 0; i < 2 * count; i++) {
		uint64_t data_len = parts[i / 2].data_len;

		if (data_len)
			assert_pattern(f, i * 2 * MIB, 5 + i % 2, parts[i / 2].from, data_len);
		assert_zeros(f, i * 2 * MIB + data_len, 2 * MIB - data_len);
	}
	close(fds[0]);
	close(fds[1]);
}

static void test_scratch_too_short(void **state)
{
	struct fixture *f = *state;
	int fd = openat(f->scanned.dir.fd, "scratch", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	tempdir_fill(&f->scanned.dir, "scratch", 5, 1000);
	scan(f);
	assert_int_equal(copy_add_fd(f->copy, 0, fd, 0, 1001), 0);
	scanned_assert_failed(&f->scanned, run(f), ENODATA, "scratch");
	close(fd);
}

/* ---- Failures ---- */

static void place_one(struct fixture *f, const char *name, uint64_t off)
{
	const struct kataimg_node *node = scanned_find(&f->scanned, name);

	assert_int_equal(copy_add_node(f->copy, off, node, 0, node->size), 0);
}

static void prepare_change(struct fixture *f, size_t size)
{
	tempdir_mkdir(&f->scanned.dir, "source/dir");
	tempdir_fill(&f->scanned.dir, "source/dir/victim", 1, size);
	tempdir_set_mtime(&f->scanned.dir, "source/dir/victim", 1000, 5);
	scan(f);
	place_one(f, "dir/victim", 0);
}

static void test_shrank(void **state)
{
	struct fixture *f = *state;

	prepare_change(f, 3 * MIB);
	tempdir_fill(&f->scanned.dir, "source/dir/victim", 1, 3 * MIB - 1);
	scanned_assert_failed(&f->scanned, run(f), ESTALE, "dir/victim shrank");
}

static void test_grew(void **state)
{
	struct fixture *f = *state;

	prepare_change(f, 100);
	tempdir_fill(&f->scanned.dir, "source/dir/victim", 1, 101);
	scanned_assert_failed(&f->scanned, run(f), ESTALE, "dir/victim grew");
}

static void test_written(void **state)
{
	struct fixture *f = *state;

	prepare_change(f, 100);
	tempdir_set_mtime(&f->scanned.dir, "source/dir/victim", 1000, 6);
	scanned_assert_failed(&f->scanned, run(f), ESTALE, "dir/victim was written");
}

static void test_replaced(void **state)
{
	struct fixture *f = *state;

	prepare_change(f, 100);
	tempdir_fill(&f->scanned.dir, "source/dir/other", 1, 100);
	tempdir_set_mtime(&f->scanned.dir, "source/dir/other", 1000, 5);
	assert_int_equal(renameat(f->scanned.dir.fd, "source/dir/other", f->scanned.dir.fd,
				  "source/dir/victim"),
			 0);
	scanned_assert_failed(&f->scanned, run(f), ESTALE, "dir/victim was replaced");
}

static void test_vanished(void **state)
{
	struct fixture *f = *state;

	prepare_change(f, 100);
	assert_int_equal(unlinkat(f->scanned.dir.fd, "source/dir/victim", 0), 0);
	scanned_assert_failed(&f->scanned, run(f), ESTALE, "dir/victim vanished");
}

/* Its bytes are still there then, but only for who has it open. */
static void test_vanished_while_open(void **state)
{
	struct fixture *f = *state;
	struct tree_reader *reader autocall(cleanup_tree_reader_free) = NULL;

	prepare_change(f, 100);
	reader = tree_reader_new(f->scanned.tree);
	assert_non_null(reader);
	assert_true(tree_reader_open(reader, scanned_find(&f->scanned, "dir/victim"),
				     &f->scanned.error) >= 0);
	assert_int_equal(unlinkat(f->scanned.dir.fd, "source/dir/victim", 0), 0);
	scanned_assert_failed(&f->scanned, tree_reader_check(reader, &f->scanned.error), ESTALE,
			      "dir/victim vanished");
}

static void test_fifo_now(void **state)
{
	struct fixture *f = *state;

	prepare_change(f, 100);
	assert_int_equal(unlinkat(f->scanned.dir.fd, "source/dir/victim", 0), 0);
	assert_int_equal(mkfifoat(f->scanned.dir.fd, "source/dir/victim", 0600), 0);
	scanned_assert_failed(&f->scanned, run(f), ESTALE, "dir/victim was replaced");
}

/* The same file is still to be had through the link, and must not be. */
static void test_link_on_the_way(void **state)
{
	struct fixture *f = *state;

	prepare_change(f, 100);
	assert_int_equal(renameat(f->scanned.dir.fd, "source/dir", f->scanned.dir.fd, "elsewhere"),
			 0);
	assert_int_equal(symlinkat("../elsewhere", f->scanned.dir.fd, "source/dir"), 0);
	scanned_assert_failed(&f->scanned, run(f), ESTALE, "dir/victim vanished");
}

static void test_lowest_error(void **state)
{
	char name[32];

	for (unsigned int threads = 1; threads <= 8; threads *= 2) {
		struct fixture *f = *state;

		for (unsigned int i = 0; i < 40; i++) {
			snprintf(name, sizeof(name), "source/f%02u", i);
			tempdir_fill(&f->scanned.dir, name, i, 50000);
		}
		scan(f);
		for (unsigned int i = 0; i < 40; i++) {
			snprintf(name, sizeof(name), "f%02u", i);
			place_one(f, name, i * MIB);
		}
		for (unsigned int i = 7; i < 40; i++) {
			snprintf(name, sizeof(name), "source/f%02u", i);
			assert_int_equal(unlinkat(f->scanned.dir.fd, name, 0), 0);
		}
		f->options.threads = threads;
		scanned_assert_failed(&f->scanned, run(f), ESTALE, "f07 vanished");
		teardown(state);
		assert_int_equal(setup(state), 0);
	}
}

static void test_image_cannot_be_written(void **state)
{
	struct fixture *f = *state;
	int fd = openat(f->scanned.dir.fd, "image", O_RDONLY | O_CLOEXEC);

	tempdir_fill(&f->scanned.dir, "source/a", 1, 100);
	scan(f);
	place_one(f, "a", 0);
	close(f->image);
	f->image = fd;
	scanned_assert_failed(&f->scanned, run(f), EBADF, "cannot write the image");
}

struct watch {
	uint64_t last_done, total;
	unsigned int calls, cancel_at;
};

static void watch_progress(void *arg, uint64_t done, uint64_t total)
{
	struct watch *watch = arg;

	assert_true(done >= watch->last_done && done <= total);
	watch->last_done = done;
	watch->total = total;
	if (++watch->calls == watch->cancel_at)
		cancel_request();
}

/* ---- Nothing in memory ---- */

/* Where the directory is on a disk. */
static void forget(const struct fixture *f, const char *name)
{
	const unsigned int wait =
		SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
	int fd = openat(f->scanned.dir.fd, name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	sync_file_range(fd, 0, 0, wait);
	assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	close(fd);
}

static void test_from_disk(void **state)
{
	struct fixture *f = *state;
	char name[64];

	for (unsigned int i = 0; i < 80; i++) {
		snprintf(name, sizeof(name), "source/%02u", i);
		tempdir_fill(&f->scanned.dir, name, i, i == 0 ? 3 * MIB : 5000);
	}
	scan(f);
	for (unsigned int i = 0; i < 80; i++) {
		snprintf(name, sizeof(name), "source/%02u", i);
		forget(f, name);
		place_one(f, name + 7, i * 4 * MIB / 80 / BLOCK * BLOCK + (i ? 3 * MIB : 0));
	}
	run_ok(f);
	assert_pattern(f, 0, 0, 0, 3 * MIB);
	for (unsigned int i = 1; i < 80; i++)
		assert_pattern(f, i * 4 * MIB / 80 / BLOCK * BLOCK + 3 * MIB, i, 0, 5000);
}

/* ---- A second run ---- */

/* Holds jobs of one second run against those of the first: -EUCLEAN and the place, or 0. */
static void assert_again(struct copy *again, const char *place)
{
	autoerror struct error error = ERROR_INIT;
	int ret = copy_check_same(again, &error);

	assert_int_equal(ret, place ? -EUCLEAN : 0);
	if (place)
		assert_non_null(strstr(error.message, place));
	copy_free(again);
}

static struct copy *begin_again(struct fixture *f)
{
	struct copy *again = copy_new_again(f->copy);

	assert_non_null(again);
	return again;
}

/* Whatever comes first, whatever the rest is. */
static void test_again(void **state)
{
	struct fixture *f = *state;
	const struct kataimg_node *node;
	struct copy *again;

	tempdir_fill(&f->scanned.dir, "source/file", 1, 3 * BLOCK);
	scan(f);
	node = scanned_find(&f->scanned, "file");
	assert_int_equal(copy_add_node(f->copy, 8 * BLOCK, node, BLOCK, BLOCK), 0);
	assert_int_equal(copy_add_node(f->copy, BLOCK, node, 0, 3 * BLOCK), 0);
	assert_int_equal(copy_add_fd(f->copy, 20 * BLOCK, f->image, 0, BLOCK), 0);

	again = begin_again(f);
	assert_int_equal(copy_add_node(again, BLOCK, node, 0, 3 * BLOCK), 0);
	assert_int_equal(copy_add_fd(again, 20 * BLOCK, f->scanned.dir.fd, 0, BLOCK), 0);
	assert_int_equal(copy_add_node(again, 8 * BLOCK, node, BLOCK, BLOCK), 0);
	assert_int_equal(copy_add_node(again, 8 * BLOCK, node, BLOCK, BLOCK), -EEXIST);
	assert_again(again, NULL);

	again = begin_again(f); /* one is missing */
	assert_int_equal(copy_add_node(again, BLOCK, node, 0, 3 * BLOCK), 0);
	assert_int_equal(copy_add_fd(again, 20 * BLOCK, f->image, 0, BLOCK), 0);
	assert_again(again, "(at byte 32768 ");

	again = begin_again(f); /* one is more, behind all */
	assert_int_equal(copy_add_node(again, BLOCK, node, 0, 3 * BLOCK), 0);
	assert_int_equal(copy_add_node(again, 8 * BLOCK, node, BLOCK, BLOCK), 0);
	assert_int_equal(copy_add_fd(again, 20 * BLOCK, f->image, 0, BLOCK), 0);
	assert_int_equal(copy_add_node(again, 30 * BLOCK, node, 0, BLOCK), 0);
	assert_again(again, "(at byte 122880 ");

	again = begin_again(f); /* one is of another part, and one of a file, not of scratch */
	assert_int_equal(copy_add_node(again, BLOCK, node, 0, 3 * BLOCK), 0);
	assert_int_equal(copy_add_node(again, 8 * BLOCK, node, 2 * BLOCK, BLOCK), 0);
	assert_int_equal(copy_add_node(again, 20 * BLOCK, node, 0, BLOCK), 0);
	assert_again(again, "(at byte 32768 ");
}

static void test_progress(void **state)
{
	struct fixture *f = *state;
	struct watch watch = { 0 };

	make_many(f);
	place_many(f);
	f->options.threads = 4;
	f->options.progress = watch_progress;
	f->options.progress_arg = &watch;
	run_ok(f);
	assert_in_range(watch.calls, 2, FILES + 8);
	assert_int_equal(watch.last_done, watch.total);
}

static void test_cancel(void **state)
{
	struct fixture *f = *state;
	struct watch watch = { .cancel_at = 1 };

	tempdir_fill(&f->scanned.dir, "source/large", 9, 40 * MIB);
	scan(f);
	place_one(f, "large", 0);
	f->options.threads = 2;
	f->options.progress = watch_progress;
	f->options.progress_arg = &watch;
	scanned_assert_failed(&f->scanned, run(f), ECANCELED, "interrupted");
	assert_in_range(watch.last_done, 8 * MIB, 16 * MIB);
}

static void test_nothing_to_do(void **state)
{
	struct fixture *f = *state;

	scan(f);
	run_ok(f);
	assert_int_equal(f->stats.jobs, 0);
	assert_int_equal(f->stats.writes, 0);
}

/* Where it is refused, and where it is not, the bytes are the same. */
static void test_reflink_or_not(void **state)
{
	struct fixture *f = *state;

	tempdir_fill(&f->scanned.dir, "source/a", 1, 2 * MIB + 5);
	tempdir_fill(&f->scanned.dir, "source/b", 2, 70000);
	scan(f);
	place_one(f, "a", 0);
	place_one(f, "b", 4 * MIB);
	f->options.reflink = true;
	f->options.threads = 2;
	run_ok(f);
	assert_pattern(f, 0, 1, 0, 2 * MIB + 5);
	assert_pattern(f, 4 * MIB, 2, 0, 70000);
	assert_int_equal(f->stats.reflinked_bytes + f->stats.written_bytes, 2 * MIB + 5 + 70000);
	assert_int_equal(f->stats.reflinked_bytes % BLOCK, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(gathers),
		TEST(gathers_2_threads),
		TEST(gathers_8_threads),
		TEST(claims),
		TEST(gap_with_metadata),
		TEST(gap_of_blocks),
		TEST(parts_in_any_order),
		TEST(holes_stay),
		TEST(all_hole),
		TEST(scratch),
		TEST(scratch_to_and_fro),
		TEST(scratch_too_short),
		TEST(shrank),
		TEST(grew),
		TEST(written),
		TEST(replaced),
		TEST(vanished),
		TEST(vanished_while_open),
		TEST(fifo_now),
		TEST(link_on_the_way),
		TEST(lowest_error),
		TEST(image_cannot_be_written),
		TEST(from_disk),
		TEST(again),
		TEST(progress),
		TEST(cancel),
		TEST(nothing_to_do),
		TEST(reflink_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
