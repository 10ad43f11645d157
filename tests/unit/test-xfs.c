/* SPDX-License-Identifier: Apache-2.0 */
/* The XFS backend in trials: what xfs_repair and mkfs.xfs say, refusals, and failures at every
 * step. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/runs.h"
#include "tests/support/trees.h"

#define BLOCK 4096u
#define HUGE (2u << 20)
#define MIB (UINT64_C(1) << 20)
#define UUID "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"

/* ---- Trees ---- */

/* A file of so many extents of a block. */
static struct memtree *new_sieve(uint32_t extents)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *file =
		memtree_add_pattern(memtree_root(tree), "sieve", extents * UINT64_C(8192), 1);

	for (uint32_t i = 0; i < extents; i++)
		memtree_punch_hole(file, i * UINT64_C(8192) + BLOCK, BLOCK);
	return tree;
}

static struct memtree *new_directory(uint32_t names, int name_len)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *dir = memtree_add_dir(memtree_root(tree), "dir");
	struct kataimg_node *file = memtree_add_file(dir, "file", "", 0);
	char name[256];

	for (uint32_t i = 1; i < names; i++) {
		snprintf(name, sizeof(name), "%0*u", name_len, i);
		memtree_add_link(dir, name, file);
	}
	return tree;
}

/* ---- The judges: xfs_repair and xfs_db have nothing to say, and repair has room to work ---- */

static void judge(const struct trial *trial)
{
	char path[] = "/tmp/test-xfs-XXXXXX";
	char command[256];
	int fd = mkstemp(path);
	int structure, accounting, repair;

	assert_true(fd >= 0);
	close(fd);
	trial_save(trial, path);
	/* Phases, their steps, and remarks on the file system below. */
	snprintf(command, sizeof(command),
		 "out=$(xfs_repair -n -f %s 2>&1) && ! echo \"$out\" | grep -vE "
		 "'^Phase|^        - |^No modify|^Cannot get host|^Repair may|^the image and'",
		 path);
	structure = system(command);
	snprintf(command, sizeof(command), "! xfs_db -r -c 'blockget -n' %s 2>&1 | grep .", path);
	accounting = system(command);
	snprintf(command, sizeof(command), "xfs_repair -f %s > /dev/null 2>&1", path);
	repair = system(command);
	unlink(path);
	assert_int_equal(structure, 0);
	assert_int_equal(accounting, 0);
	assert_int_equal(repair, 0);
}

static void run_judged(struct memtree *tree, const char *const *options, uint64_t extra_bytes)
{
	struct trial_setup setup = {
		.tree = tree,
		.options = options,
		.extra_bytes = extra_bytes,
	};
	struct trial *trial = run_ok(&setup);

	judge(trial);
	trial_free(trial);
	memtree_free(tree);
}

static void test_judges(void **state)
{
	static const char *const variants[][4] = {
		{ NULL },
		{ "profile=compat", "label=twelve bytes", NULL },
		{ "sector-size=4096", "uuid=" UUID, NULL },
		{ "agcount=5", "log-size=8M", NULL },
	};

	(void)state;
	if (!have_program("xfs_repair") || !have_program("xfs_db"))
		skip();
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
		run_judged(memtree_new_sample(), variants[i], i * 17 * BLOCK);
	run_judged(trees_new_large(5, 3 * HUGE + 100, 400), NULL, 0);
	run_judged(trees_new_large(3, 20 * MIB, 10), variants[3], 0);
	run_judged(trees_new_large(0, 0, 17000), NULL, 0);
}

/* Both sides of what makes a directory or a file change its form. */
static void test_forms(void **state)
{
	static const uint32_t names[] = { 37, 38, 124, 125, 500, 501, 502, 503, 5000 };
	static const uint32_t extents[] = { 21, 22, 251, 252, 5020, 5021 };

	(void)state;
	if (!have_program("xfs_repair") || !have_program("xfs_db"))
		skip();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		run_judged(new_directory(names[i], 8), NULL, 0);
	for (size_t i = 0; i < sizeof(extents) / sizeof(extents[0]); i++)
		run_judged(new_sieve(extents[i]), NULL, 0);
}

/* More than 505 free runs in an AG: gaps before the boundaries of huge pages that nothing fills. */
static void test_many_free_runs(void **state)
{
	struct kataimg_job job = trial_default_job();
	struct trial_setup setup = { .tree = memtree_new(), .job = &job };
	struct trial *trial;
	char name[32];

	(void)state;
	if (!have_program("xfs_repair") || !have_program("xfs_db"))
		skip();
	job.hugepage_bytes = 1 << 16;
	for (int i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		memtree_add_pattern(memtree_root(setup.tree), name, (1 << 16) + 1, 1);
	}
	setup.extra_bytes = 100 * MIB;
	trial = run_ok(&setup);
	assert_int_equal(trial_place_count(trial), 600);
	judge(trial);
	trial_free(trial);
	memtree_free(setup.tree);
}

/* ---- The same as mkfs.xfs ---- */

/* mkfs.xfs sets "has attributes" late, leaves stale counts in the copies of the superblock, and
 * takes time and generation of inodes from elsewhere. */
static bool may_differ(uint64_t off)
{
	uint64_t in_block = off % BLOCK;
	uint64_t in_inode = off % 512;

	if (off / BLOCK == 16)
		return (in_inode >= 32 && in_inode < 56) || (in_inode >= 92 && in_inode < 112) ||
		       (in_inode >= 144 && in_inode < 152);
	/* From 6.13 on, the rest of the chunk has generations, and with them checksums, of its own.
	 */
	if (off / BLOCK > 16 && off / BLOCK < 24)
		return (in_inode >= 92 && in_inode < 96) || (in_inode >= 100 && in_inode < 104);
	if (off / BLOCK % 19200)
		return false;
	if (in_block == 101 || (in_block >= 224 && in_block < 228))
		return true;
	return off >= BLOCK && ((in_block >= 56 && in_block < 80) || in_block == 126 ||
				(in_block >= 128 && in_block < 152));
}

static void compare_with_file(const struct trial *trial, const char *path)
{
	static uint8_t ours[1 << 16], theirs[1 << 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	for (uint64_t off = 0; off < 300 * MIB; off += sizeof(ours)) {
		trial_read(trial, off, ours, sizeof(ours));
		assert_int_equal(pread(fd, theirs, sizeof(theirs), (off_t)off), sizeof(theirs));
		for (size_t i = 0; i < sizeof(ours); i++)
			if (ours[i] != theirs[i] && !may_differ(off + i))
				fail_msg("byte %llu is %02x, mkfs.xfs has %02x",
					 (unsigned long long)(off + i), ours[i], theirs[i]);
	}
	close(fd);
}

static void test_same_as_mkfs(void **state)
{
	static const char *const options[] = { "agcount=4", "log-size=64M", "uuid=" UUID, NULL };
	struct trial_setup setup = {
		.tree = memtree_new(),
		.options = options,
		.window_bytes = 300 * MIB,
	};
	char path[] = "/tmp/test-xfs-XXXXXX";
	char command[256];
	struct trial *trial;
	int fd;

	(void)state;
	if (!have_program("mkfs.xfs"))
		skip();
	fd = mkstemp(path);
	assert_true(fd >= 0 && ftruncate(fd, 300 * MIB) == 0);
	close(fd);
	snprintf(command, sizeof(command),
		 "mkfs.xfs -q -f -i sparse=1,nrext64=0 "
		 "-m reflink=0,rmapbt=0,finobt=1,inobtcount=1,bigtime=1,uuid=%s %s > /dev/null "
		 "2>&1",
		 UUID, path);
	assert_int_equal(system(command), 0);
	trial = run_ok(&setup);
	compare_with_file(trial, path);
	unlink(path);
	trial_free(trial);
	memtree_free(setup.tree);
}

/* ---- Determinism ---- */

static void test_deterministic(void **state)
{
	struct trial_setup setup = { .tree = memtree_new_sample(), .extra_bytes = 40 * MIB };
	struct trial *first = run_ok(&setup);
	struct trial *second = run_ok(&setup);
	static uint8_t left[1 << 16], right[1 << 16];

	(void)state;
	assert_int_equal(trial_window_bytes(first), trial_window_bytes(second));
	for (uint64_t off = 0; off < trial_window_bytes(first); off += BLOCK) {
		trial_read(first, off, left, BLOCK);
		trial_read(second, off, right, BLOCK);
		assert_memory_equal(left, right, BLOCK);
	}
	trial_free(first);
	trial_free(second);
	memtree_free(setup.tree);
}

/* ---- Refusals ---- */

static void test_options(void **state)
{
	static const struct {
		const char *option, *text;
	} cases[] = {
		{ "uuid=0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8fx", "not a UUID" },
		{ "uuid=00000000-0000-0000-0000-000000000000", "not a UUID" },
		{ "uuid=short", "not a UUID" },
		{ "log-size=8388609", "multiples of 4K from " },
	};
	static const char *const small_log[] = { "sector-size=4096", "log-size=4M", NULL };
	struct trial_setup setup = { .tree = memtree_new() };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const options[] = { cases[i].option, NULL };

		setup.options = options;
		run_refused(&setup, "open", -EINVAL, cases[i].text);
	}
	setup.options = small_log;
	run_refused(&setup, "open", -EINVAL, "multiples of 4K from ");
	memtree_free(setup.tree);
}

static void test_job(void **state)
{
	struct kataimg_job job = trial_default_job();
	struct trial_setup setup = { .tree = memtree_new(), .job = &job };

	(void)state;
	job.window_offset = 512;
	run_refused(&setup, "open", -EINVAL, "huge page");
	memtree_free(setup.tree);
}

static void test_limits(void **state)
{
	static const char *const compat[] = { "profile=compat", NULL };
	struct trial_setup setup = { .tree = memtree_new() };
	struct trial *trial = run_ok(&setup);
	const struct kataimg_limits *limits = trial_limits(trial);

	(void)state;
	assert_int_equal(limits->symlink_bytes, 1023);
	assert_int_equal(limits->device_major, 511);
	assert_int_equal(limits->device_minor, (1 << 18) - 1);
	assert_int_equal(limits->xattr_value_bytes, 65536);
	assert_true(limits->mtime_max == INT64_C(16299260424));
	assert_string_equal(trial_described(trial)->min_kernel, "5.10");
	trial_free(trial);
	setup.options = compat;
	trial = run_ok(&setup);
	assert_true(trial_limits(trial)->mtime_max == INT32_MAX);
	assert_string_equal(trial_described(trial)->min_kernel, "4.2");
	trial_free(trial);
	memtree_free(setup.tree);
}

static void refuse_xattr(const char *name, const char *text)
{
	struct trial_setup setup = { .tree = memtree_new() };
	struct kataimg_node *file = memtree_add_file(memtree_root(setup.tree), "file", "x", 1);

	memtree_set_xattr(file, name, "value", 5);
	run_refused(&setup, "check", -EOPNOTSUPP, text);
	memtree_free(setup.tree);
}

static void test_check(void **state)
{
	struct trial_setup setup = { .tree = memtree_new() };

	(void)state;
	refuse_xattr("system.nfs4_acl", "namespaces");
	refuse_xattr("system.posix_acl_access", "not a valid ACL");
	memtree_add_symlink(memtree_root(setup.tree), "link", "");
	run_refused(&setup, "check", -EOPNOTSUPP, "target");
	memtree_free(setup.tree);
}

/* ---- Failures ---- */

static void test_failures(void **state)
{
	struct trial_setup setup = {
		.backend = trial_load_backend(),
		.tree = memtree_new_sample(),
	};

	(void)state;
	trial_sweep(&setup, TRIAL_WRITE, EIO, 25);
	trial_sweep(&setup, TRIAL_WRITE, ENOSPC, 10);
	trial_sweep(&setup, TRIAL_PLACE, ENOSPC, 8);
	trial_sweep(&setup, TRIAL_WINDOW_READ, EIO, 10);
	trial_sweep(&setup, TRIAL_DERIVE, EIO, 5);
	memtree_free(setup.tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judges),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_many_free_runs),
		cmocka_unit_test(test_same_as_mkfs),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_job),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
