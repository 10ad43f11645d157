/* SPDX-License-Identifier: Apache-2.0 */
/* The cpio reader: every byte of an archive damaged, and archives that no tool of today writes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/reader/reader.h"
#include "plugins/cpio/format.h"
#include "tests/support/damage.h"
#include "tests/support/runs.h"

#define DIR 040755u
#define REG 0100644u
#define LNK 0120777u

static void bytes_are_refused(void **state)
{
	static const char *const refusals[] = {
		"there is no cpio archive",
		"has a header that is none",
		"has a type that there is not",
		"has data that ends behind the archive: it is cut off",
		"has a path of a length that the kernel passes over",
		"has a path that does not end with a NUL",
		"has data of another sum: it is damaged",
		"is a directory in an earlier one",
		"is something that is no archive: the kernel calls it junk",
	};
	static struct damage damage;
	struct memtree *tree = memtree_new();
	struct kataimg_node *dir = memtree_add_dir(memtree_root(tree), "dir");
	struct damage_object archive = { 0 };
	struct trial *trial;

	(void)state;
	memtree_add_file(dir, "file", "some bytes", 10);
	memtree_add_symlink(dir, "link", "file");
	trial = run_ok(&(struct trial_setup){ .tree = tree });
	damage.trial = trial;
	archive.len = trial_window_bytes(trial);
	damage_walk(&damage, &archive, 0, archive.len);
	damage_check_said(&damage, refusals, sizeof(refusals) / sizeof(refusals[0]));
	trial_free(trial);
	memtree_free(tree);
}

/* ---- Archives by hand ---- */

struct member {
	const char *path; /* NULL: the end of them */
	const char *data;
	uint32_t mode, ino, nlink, sum;
};

struct archive {
	char bytes[8192];
	size_t len;
};

static void fill(struct archive *archive)
{
	while (archive->len % CPIO_ALIGN_BYTES)
		archive->bytes[archive->len++] = '\0';
}

static void add(struct archive *archive, const char *magic, const struct member *member)
{
	const char *data = member->data ? member->data : "";
	const uint32_t fields[CPIO_FIELDS] = {
		[CPIO_INO] = member->ino,
		[CPIO_MODE] = member->mode,
		[CPIO_NLINK] = member->nlink ? member->nlink : 1,
		[CPIO_MTIME] = 1000,
		[CPIO_SIZE] = (uint32_t)strlen(data),
		[CPIO_NAME_BYTES] = (uint32_t)strlen(member->path) + 1,
		[CPIO_SUM] = member->sum,
	};

	archive->len += (size_t)sprintf(archive->bytes + archive->len, "%s", magic);
	for (unsigned int i = 0; i < CPIO_FIELDS; i++)
		archive->len += (size_t)sprintf(archive->bytes + archive->len, "%08x", fields[i]);
	archive->len += (size_t)sprintf(archive->bytes + archive->len, "%s", member->path) + 1;
	fill(archive);
	archive->len += (size_t)sprintf(archive->bytes + archive->len, "%s", data);
	fill(archive);
}

/* A member "" ends an archive, and another one begins. */
static void make(struct archive *archive, const char *magic, const struct member *members)
{
	static const struct member trailer = { .path = CPIO_TRAILER };

	memset(archive, 0, sizeof(*archive));
	for (; members->path; members++)
		add(archive, magic, *members->path ? members : &trailer);
	add(archive, magic, &trailer);
}

static int read_archive(const struct archive *archive, struct tree **tree, struct error *error)
{
	const struct reader_options reading = { .threads = 1 };
	struct backend backend = { .table = *trial_load_backend() };
	int fd = memfd_create("archive", MFD_CLOEXEC), ret;
	const struct host_range window = { fd, 0, archive->len };

	assert_int_equal(write(fd, archive->bytes, archive->len), archive->len);
	ret = reader_read(&backend, &window, &reading, tree, error);
	close(fd);
	return ret;
}

/* "": it is a tree of so many nodes. */
static void check(const char *magic, const struct member *members, const char *refusal,
		  uint64_t nodes)
{
	autoerror struct error error = ERROR_INIT;
	struct tree *tree = NULL;
	struct archive archive;
	int ret;

	make(&archive, magic, members);
	ret = read_archive(&archive, &tree, &error);
	if (*refusal ? ret != -EUCLEAN || !strstr(error.message, refusal) : ret != 0)
		fail_msg("%s: %d: %s, not '%s'", members->path, ret,
			 error.message ? error.message : "", refusal);
	if (ret == 0)
		assert_int_equal(tree_public(tree)->node_count, nodes);
	tree_free(tree);
}

static void members_are_judged(void **state)
{
	static const struct {
		struct member members[5];
		const char *refusal;
		uint64_t nodes;
	} cases[] = {
		{ { { "a", "x", REG, 1, 1, 0 } }, "", 2 },
		{ { { "./a", "x", REG, 1, 1, 0 }, { "/b//.//", NULL, DIR, 2, 1, 0 } }, "", 3 },
		{ { { "a/../b", "x", REG, 1, 1, 0 } }, "leads out of its directory", 0 },
		{ { { "a", "x", REG, 1, 1, 0 }, { "a/b", "y", REG, 2, 1, 0 } },
		  "is below what is no directory",
		  0 },
		/* Directories that no member makes. */
		{ { { "d/e/a", "x", REG, 1, 1, 0 } }, "", 4 },
		/* A later member renews a directory, or takes another's place. */
		{ { { ".", NULL, DIR, 1, 1, 0 },
		    { "d", NULL, DIR, 2, 1, 0 },
		    { "", NULL, 0, 0, 0, 0 },
		    { "d", NULL, DIR, 3, 1, 0 } },
		  "",
		  2 },
		{ { { "a", "x", REG, 1, 1, 0 },
		    { "", NULL, 0, 0, 0, 0 },
		    { "a", "y", REG, 1, 1, 0 } },
		  "",
		  2 },
		{ { { "d", NULL, DIR, 1, 1, 0 },
		    { "", NULL, 0, 0, 0, 0 },
		    { "d", "x", REG, 1, 1, 0 } },
		  "is a directory in an earlier one",
		  0 },
		{ { { "a", "x", REG, 1, 1, 0 },
		    { "", NULL, 0, 0, 0, 0 },
		    { "a", NULL, DIR, 1, 1, 0 } },
		  "is no directory in an earlier one",
		  0 },
		{ { { ".", "x", REG, 1, 1, 0 } }, "is a directory in an earlier one", 0 },
		/* Hard links: by number, of one archive, of one type; the last name may have the
		 * data.
		 */
		{ { { "a", NULL, REG, 7, 2, 0 }, { "b", "data", REG, 7, 2, 0 } }, "", 2 },
		{ { { "a", "x", REG, 7, 2, 0 },
		    { "", NULL, 0, 0, 0, 0 },
		    { "b", "y", REG, 7, 2, 0 } },
		  "",
		  3 },
		{ { { "a", "x", REG, 7, 2, 0 }, { "b", "a", LNK, 7, 2, 0 } }, "", 3 },
		{ { { "a", "x", LNK, 1, 1, 0 }, { "b", NULL, LNK, 2, 1, 0 } },
		  "is a symbolic link that the kernel does not make",
		  0 },
		{ { { "a", NULL, 0070644, 1, 1, 0 } }, "has a type that there is not", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(CPIO_MAGIC_NEWC, cases[i].members, cases[i].refusal, cases[i].nodes);
}

static void sums_are_held(void **state)
{
	static char large[5001];
	struct member members[] = { { "a", "abc", REG, 1, 1, 'a' + 'b' + 'c' },
				    { "large", large, REG, 2, 1, 5000 * 'l' },
				    { "empty", NULL, REG, 3, 1, 0 },
				    { NULL, NULL, 0, 0, 0, 0 } };

	(void)state;
	memset(large, 'l', sizeof(large) - 1);
	check(CPIO_MAGIC_CRC, members, "", 4);
	members[1].sum++;
	check(CPIO_MAGIC_CRC, members, "has data of another sum: it is damaged", 0);
	check(CPIO_MAGIC_NEWC, members, "", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_refused),
		cmocka_unit_test(members_are_judged),
		cmocka_unit_test(sums_are_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
