/* SPDX-License-Identifier: Apache-2.0 */
/* What the XFS backend says of finished filesystems: its own, damaged ones, and those of others. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "plugins/xfs/seal.h"
#include "tests/support/runs.h"

#define BLOCK 4096u
#define MIB (UINT64_C(1) << 20)

/* A number of a header under a right checksum: what is then no longer the sum of its parts. */
static void test_verify(void **state)
{
	static const struct {
		uint32_t off, crc_off;
		const char *what;
	} cases[] = {
		{ 52, 216, "free blocks" },
		{ 1024 - 512 + 16, 312, "inodes" },
		{ 1024 - 512 + 28, 312, "unused inodes" },
	};
	struct trial_setup setup = { .tree = memtree_new() };
	struct trial *trial = run_ok(&setup);
	uint8_t headers[1024], changed[512];

	(void)state;
	trial_read(trial, 512, headers, sizeof(headers));
	trial_free(trial);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t sector = cases[i].off / 512 * 512;

		memcpy(changed, headers + sector, sizeof(changed));
		changed[cases[i].off % 512 + 3]++;
		memset(changed + cases[i].crc_off, 0, 4);
		xfs_seal(changed, sizeof(changed), cases[i].crc_off);
		setup.corrupt = changed;
		setup.corrupt_len = sizeof(changed);
		setup.corrupt_off = 512 + sector;
		run_refused(&setup, "verify", -EUCLEAN, cases[i].what);
	}
	memset(changed, 0, sizeof(changed));
	setup.corrupt_off = 0;
	run_refused(&setup, "verify", -EUCLEAN, "no superblock");
	memtree_free(setup.tree);
}

static void test_probe_strangers(void **state)
{
	const struct kataimg_backend *backend = trial_load_backend();
	static uint8_t zeros[2 * BLOCK];
	struct kataimg_fs_info info = { .struct_size = sizeof(info) };

	(void)state;
	assert_int_equal(trial_probe_bytes(backend, zeros, sizeof(zeros), &info), -ENODATA);
	assert_int_equal(trial_probe_bytes(backend, zeros, 100, &info), -ENODATA);
	memcpy(zeros, "XFSB", 4);
	assert_int_equal(trial_probe_bytes(backend, zeros, sizeof(zeros), &info), -EUCLEAN);
}

/* A changed byte of the superblock is found, wherever it is; one of an AG's headers does no harm.
 */
static void test_probe_damaged(void **state)
{
	const struct kataimg_backend *backend = trial_load_backend();
	struct trial_setup setup = { .tree = memtree_new() };
	struct trial *trial = run_ok(&setup);
	uint64_t size = trial_window_bytes(trial);
	uint8_t *bytes = malloc(size);
	struct kataimg_fs_info info = { .struct_size = sizeof(info) };

	(void)state;
	assert_non_null(bytes);
	trial_read(trial, 0, bytes, size);
	for (uint32_t off = 4; off < 2048; off += 53) {
		int ret;

		bytes[off] ^= 0x55;
		ret = trial_probe_bytes(backend, bytes, size, &info);
		assert_true(off < 512 ? ret == -EUCLEAN : ret == 0 || ret == -EUCLEAN);
		bytes[off] ^= 0x55;
	}
	assert_int_equal(trial_probe_bytes(backend, bytes, size - BLOCK, &info), -EUCLEAN);
	assert_int_equal(trial_probe_bytes(backend, bytes, size, &info), 0);
	free(bytes);
	trial_free(trial);
	memtree_free(setup.tree);
}

/* A window of bytes, and nothing else of a host. */
struct window {
	uint8_t *bytes;
	uint64_t size;
};

static int read_window(struct kataimg_host_ctx *ctx, uint64_t off, void *buf, size_t len)
{
	const struct window *window = (const void *)ctx;

	if (off > window->size || len > window->size - off)
		return -ERANGE;
	memcpy(buf, window->bytes + off, len);
	return 0;
}

static void ignore_error(struct kataimg_host_ctx *ctx, const char *fmt, ...)
{
	(void)ctx;
	(void)fmt;
}

/* Changes a byte of the superblock under a right checksum; what probe then says makes sense. */
static void probe_changed(struct window *window, uint32_t off, uint8_t mask)
{
	struct kataimg_host host = {
		.struct_size = sizeof(host),
		.ctx = (void *)window,
		.error = ignore_error,
		.window_read = read_window,
	};
	struct kataimg_fs_info info = { .struct_size = sizeof(info) };
	uint8_t super[512];

	memcpy(super, window->bytes, sizeof(super));
	window->bytes[off] ^= mask;
	memset(window->bytes + 224, 0, 4);
	xfs_seal(window->bytes, sizeof(super), 224);
	if (trial_load_backend()->probe(&host, window->size, &info) == 0) {
		assert_true(info.size_bytes <= window->size);
		assert_true(info.free_bytes <= info.size_bytes);
		assert_true(info.free_inodes <= info.inodes);
	}
	memcpy(window->bytes, super, sizeof(super));
}

static void test_probe_nonsense(void **state)
{
	struct trial_setup setup = { .tree = memtree_new() };
	struct trial *trial = run_ok(&setup);
	struct window window = { .size = trial_window_bytes(trial) };

	(void)state;
	window.bytes = malloc(window.size);
	assert_non_null(window.bytes);
	trial_read(trial, 0, window.bytes, window.size);
	for (uint32_t off = 4; off < 264; off++)
		for (int bit = 0; bit < 8; bit++)
			probe_changed(&window, off, (uint8_t)(1 << bit));
	free(window.bytes);
	trial_free(trial);
	memtree_free(setup.tree);
}

static int read_file(struct kataimg_host_ctx *ctx, uint64_t off, void *buf, size_t len)
{
	const int *fd = (const void *)ctx;

	return pread(*fd, buf, len, (off_t)off) == (ssize_t)len ? 0 : -EIO;
}

static void probe_made(const char *options, const char *feature)
{
	char path[] = "/tmp/test-xfs-XXXXXX";
	int fd = mkstemp(path);
	struct kataimg_host host = {
		.struct_size = sizeof(host),
		.ctx = (void *)&fd,
		.error = ignore_error,
		.window_read = read_file,
	};
	struct kataimg_fs_info info = { .struct_size = sizeof(info) };
	char command[256];

	assert_true(fd >= 0 && ftruncate(fd, 400 * MIB) == 0);
	snprintf(command, sizeof(command), "mkfs.xfs -q -f -L stranger %s %s > /dev/null 2>&1",
		 options, path);
	assert_int_equal(system(command), 0);
	assert_int_equal(trial_load_backend()->probe(&host, 400 * MIB, &info), 0);
	assert_int_equal(info.size_bytes, 400 * MIB);
	assert_string_equal(info.label, "stranger");
	assert_non_null(strstr(info.features, feature));
	assert_true(info.free_bytes > 300 * MIB && info.free_bytes < 400 * MIB);
	assert_true(info.free_inodes > 0 && info.free_inodes < info.inodes);
	close(fd);
	unlink(path);
}

/* Filesystems that this backend does not make. */
static void test_probe_made_by_mkfs(void **state)
{
	(void)state;
	if (!have_program("mkfs.xfs"))
		skip();
	probe_made("-m reflink=1,rmapbt=1", "reflink");
	probe_made("-b size=65536 -m rmapbt=0", "crc");
	probe_made("-b size=1024 -i size=256 -m crc=0", "v4");
	probe_made("-i size=2048 -s size=4096", "finobt");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_probe_strangers),
		cmocka_unit_test(test_probe_damaged),
		cmocka_unit_test(test_probe_nonsense),
		cmocka_unit_test(test_probe_made_by_mkfs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
