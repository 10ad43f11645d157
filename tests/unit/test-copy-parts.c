/* SPDX-License-Identifier: Apache-2.0 */
/* The copy engine: parts of files, holes, scratch, and where their bytes come from. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/copying.h"

/* ---- One file ---- */

static void test_parts_in_any_order(void **state)
{
	struct copying *f = *state;
	const uint64_t size = 5 * MIB + 123, first = 2 * MIB + 77;
	const struct kataimg_node *node;

	tempdir_fill(&f->scanned.dir, "source/large", 9, size);
	copying_scan(f);
	node = scanned_find(&f->scanned, "large");
	assert_int_equal(copy_add_node(f->copy, 8 * MIB, node, 0, first), 0);
	assert_int_equal(copy_add_node(f->copy, 4097, node, first, size - first), 0);
	f->options.threads = 2;
	copying_run_ok(f);
	copying_assert_pattern(f, 8 * MIB, 9, 0, first);
	copying_assert_pattern(f, 4097, 9, first, size - first);
	copying_assert_zeros(f, 0, 4097);
	assert_int_equal(f->stats.written_bytes, size);
	/* each part is large, and less than what one worker gets: 1 MiB a write */
	assert_int_equal(f->stats.writes, 3 + 4);
}

static void test_holes_stay(void **state)
{
	struct copying *f = *state;
	const struct kataimg_node *node;
	struct stat image;
	char tail[10];

	tempdir_pattern(4, 0, tail, sizeof(tail));
	tempdir_write_at(&f->scanned.dir, "source/sparse", 2 * MIB, tail, sizeof(tail));
	tempdir_write_at(&f->scanned.dir, "source/sparse", 6 * MIB + 5, tail, sizeof(tail));
	copying_scan(f);
	node = scanned_find(&f->scanned, "sparse");
	if (node->segment_count != 2)
		skip(); /* the filesystem of TMPDIR knows no holes */
	assert_int_equal(ftruncate(f->image, 16 * MIB), 0);
	assert_int_equal(copy_add_node(f->copy, MIB, node, 0, node->size), 0);
	copying_run_ok(f);
	copying_assert_zeros(f, MIB, 2 * MIB);
	copying_assert_image(f, 3 * MIB, tail, sizeof(tail));
	copying_assert_zeros(f, 3 * MIB + 10, 4 * MIB - 5);
	copying_assert_image(f, 7 * MIB + 5, tail, sizeof(tail));
	assert_int_equal(f->stats.hole_bytes, 6 * MIB - BLOCK);
	assert_int_equal(f->stats.written_bytes, BLOCK + 15);
	assert_int_equal(f->stats.files, 1);
	assert_int_equal(fstat(f->image, &image), 0);
	assert_in_range(image.st_blocks * 512, 1, MIB);
}

static void test_all_hole(void **state)
{
	struct copying *f = *state;

	int fd = openat(f->scanned.dir.fd, "source/hole", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(fd, (off_t)(64 * MIB)), 0);
	close(fd);
	copying_scan(f);
	assert_int_equal(copy_add_node(f->copy, 0, scanned_find(&f->scanned, "hole"), 0, 64 * MIB),
			 0);
	copying_run_ok(f);
	assert_int_equal(f->stats.hole_bytes + f->stats.written_bytes, 64 * MIB);
}

/* ---- Open files ---- */

static void test_scratch(void **state)
{
	struct copying *f = *state;
	int fd = openat(f->scanned.dir.fd, "scratch", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	tempdir_fill(&f->scanned.dir, "source/a", 1, 100);
	tempdir_fill(&f->scanned.dir, "scratch", 5, 3 * MIB);
	copying_scan(f);
	assert_int_equal(copy_add_fd(f->copy, 10000, fd, 1000, 2 * MIB), 0);
	assert_int_equal(copy_add_node(f->copy, 9900, scanned_find(&f->scanned, "a"), 0, 100), 0);
	f->options.threads = 2;
	copying_run_ok(f);
	copying_assert_pattern(f, 10000, 5, 1000, 2 * MIB);
	copying_assert_pattern(f, 9900, 1, 0, 100);
	close(fd);
}

/* 1 MiB of data, 1 MiB of hole, a block of data. */
static int make_holed(struct copying *f, const char *name, unsigned int seed)
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
	struct copying *f = *state;
	int fds[2] = { make_holed(f, "one", 5), make_holed(f, "two", 6) };
	size_t count = sizeof(parts) / sizeof(parts[0]);

	copying_scan(f);
	for (size_t i = 0; i < 2 * count; i++)
		assert_int_equal(copy_add_fd(f->copy, i * 2 * MIB, fds[i % 2], parts[i / 2].from,
					     parts[i / 2].len),
				 0);
	copying_run_ok(f);
	assert_int_equal(ftruncate(f->image, (off_t)(2 * count * 2 * MIB)), 0);
	for (size_t i = 0; i < 2 * count; i++) {
		uint64_t data_len = parts[i / 2].data_len;

		if (data_len)
			copying_assert_pattern(f, i * 2 * MIB, 5 + i % 2, parts[i / 2].from,
					       data_len);
		copying_assert_zeros(f, i * 2 * MIB + data_len, 2 * MIB - data_len);
	}
	close(fds[0]);
	close(fds[1]);
}

static void test_scratch_too_short(void **state)
{
	struct copying *f = *state;
	int fd = openat(f->scanned.dir.fd, "scratch", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	tempdir_fill(&f->scanned.dir, "scratch", 5, 1000);
	copying_scan(f);
	assert_int_equal(copy_add_fd(f->copy, 0, fd, 0, 1001), 0);
	scanned_assert_failed(&f->scanned, copying_run(f), ENODATA, "scratch");
	close(fd);
}

/* ---- Nothing in memory ---- */

/* Where the directory is on a disk. */
static void forget(const struct copying *f, const char *name)
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
	struct copying *f = *state;
	char name[64];

	for (unsigned int i = 0; i < 80; i++) {
		snprintf(name, sizeof(name), "source/%02u", i);
		tempdir_fill(&f->scanned.dir, name, i, i == 0 ? 3 * MIB : 5000);
	}
	copying_scan(f);
	for (unsigned int i = 0; i < 80; i++) {
		snprintf(name, sizeof(name), "source/%02u", i);
		forget(f, name);
		copying_place(f, name + 7, i * 4 * MIB / 80 / BLOCK * BLOCK + (i ? 3 * MIB : 0));
	}
	copying_run_ok(f);
	copying_assert_pattern(f, 0, 0, 0, 3 * MIB);
	for (unsigned int i = 1; i < 80; i++)
		copying_assert_pattern(f, i * 4 * MIB / 80 / BLOCK * BLOCK + 3 * MIB, i, 0, 5000);
}

/* ---- Shared or not ---- */

/* Where it is refused, and where it is not, the bytes are the same. */
static void test_reflink_or_not(void **state)
{
	struct copying *f = *state;

	tempdir_fill(&f->scanned.dir, "source/a", 1, 2 * MIB + 5);
	tempdir_fill(&f->scanned.dir, "source/b", 2, 70000);
	copying_scan(f);
	copying_place(f, "a", 0);
	copying_place(f, "b", 4 * MIB);
	f->options.reflink = true;
	f->options.threads = 2;
	copying_run_ok(f);
	copying_assert_pattern(f, 0, 1, 0, 2 * MIB + 5);
	copying_assert_pattern(f, 4 * MIB, 2, 0, 70000);
	assert_int_equal(f->stats.reflinked_bytes + f->stats.written_bytes, 2 * MIB + 5 + 70000);
	assert_int_equal(f->stats.reflinked_bytes % BLOCK, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COPYING_TEST(test_parts_in_any_order), COPYING_TEST(test_holes_stay),
		COPYING_TEST(test_all_hole),           COPYING_TEST(test_scratch),
		COPYING_TEST(test_scratch_to_and_fro), COPYING_TEST(test_scratch_too_short),
		COPYING_TEST(test_from_disk),          COPYING_TEST(test_reflink_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
