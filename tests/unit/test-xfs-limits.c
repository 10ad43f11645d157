/* SPDX-License-Identifier: Apache-2.0 */
/* What XFS cannot hold, and windows of which it uses a part. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/acl.h"
#include "plugins/xfs/dir.h"
#include "plugins/xfs/limits.h"
#include "tests/support/runs.h"

#define BLOCK 4096u
#define NO_ID UINT32_MAX

static void set_entry(uint8_t *value, size_t number, uint16_t tag, uint16_t perm, uint32_t id)
{
	const struct acl_entry entry = { .tag = to_le16(tag),
					 .perm = to_le16(perm),
					 .id = to_le32(id) };

	acl_set_entry(value, number, &entry);
}

/* An ACL of an owner, so many users, a group, a mask and others. */
static uint8_t *make_acl(size_t users, size_t *len)
{
	uint8_t *value;

	*len = sizeof(struct acl_header) + (users + 4) * sizeof(struct acl_entry);
	value = calloc(1, *len);
	assert_non_null(value);
	value[0] = 2; /* the version */
	set_entry(value, 0, ACL_USER_OBJ, 7, NO_ID);
	for (size_t i = 0; i < users; i++)
		set_entry(value, i + 1, ACL_USER, 4, (uint32_t)i);
	set_entry(value, users + 1, ACL_GROUP_OBJ, 5, NO_ID);
	set_entry(value, users + 2, ACL_MASK, 7, NO_ID);
	set_entry(value, users + 3, ACL_OTHER, 0, NO_ID);
	return value;
}

static void check_acl(const uint8_t *value, size_t len, const char *refusal)
{
	struct memtree *tree = memtree_new();
	const struct trial_setup setup = { .tree = tree };

	memtree_set_xattr(memtree_add_file(memtree_root(tree), "file", "x", 1), ACL_ACCESS_NAME,
			  value, len);
	if (refusal)
		run_refused(&setup, "check", -EOPNOTSUPP, refusal);
	else
		trial_free(run_ok(&setup));
	memtree_free(tree);
}

static void acls_are_judged(void **state)
{
	static const char *const invalid =
		"extended attribute system.posix_acl_access: it is not a "
		"valid ACL";
	size_t len;
	uint8_t *value = make_acl(2, &len);

	(void)state;
	check_acl(value, len, NULL);
	check_acl(value, len - 1, invalid);
	check_acl(value, 3, invalid);
	set_entry(value, 2, ACL_USER, 8, 1);
	check_acl(value, len, invalid);
	/* One user twice. */
	set_entry(value, 2, ACL_USER, 4, 0);
	check_acl(value, len, invalid);
	/* Three entries are what the mode says, but not these. */
	set_entry(value, 1, ACL_USER, 4, 0);
	check_acl(value, sizeof(struct acl_header) + 3 * sizeof(struct acl_entry), invalid);
	free(value);
}

static void long_acls_are_refused(void **state)
{
	size_t len;
	uint8_t *value = make_acl(5457, &len);

	(void)state;
	check_acl(value, len, NULL);
	free(value);
	value = make_acl(5458, &len);
	check_acl(value, len, "XFS holds ACLs of up to 5461 entries");
	free(value);
}

static void check_use(uint64_t blocks, uint64_t used)
{
	static const char *const options[] = { "agcount=512", NULL };
	struct memtree *tree = memtree_new();
	struct trial *trial = run_ok(&(struct trial_setup){
		.tree = tree, .options = options, .window_bytes = blocks * BLOCK });

	assert_int_equal(trial_described(trial)->size_bytes, used * BLOCK);
	assert_int_equal(strstr(trial_log(trial), "bytes of the window stay unused") != NULL,
			 used < blocks);
	trial_free(trial);
	memtree_free(tree);
}

/* Groups are equal, and of whole inode chunks: of 4104 blocks each the last would have 9. */
static void short_ends_stay_unused(void **state)
{
	(void)state;
	check_use(512 * 4096, 512 * 4096);
	check_use(512 * 4096 + 1, 512 * 4096);
}

/* Each has a block to itself; they are the same few entries over and over. */
#define CHUNK_ENTRIES (UINT32_C(1) << 17)
#define CHUNK_BYTES (CHUNK_ENTRIES * sizeof(struct kataimg_entry))

static struct kataimg_entry *map_entries(uint32_t chunks)
{
	int fd = memfd_create("entries", MFD_CLOEXEC);
	uint8_t *all =
		mmap(NULL, chunks * CHUNK_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kataimg_entry *first = NULL;

	assert_true(fd >= 0 && all != MAP_FAILED);
	assert_int_equal(ftruncate(fd, (off_t)CHUNK_BYTES), 0);
	for (uint32_t i = 0; i < chunks; i++) {
		first = mmap(all + i * CHUNK_BYTES, CHUNK_BYTES, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_FIXED, fd, 0);
		assert_true(first != MAP_FAILED);
	}
	for (uint32_t i = 0; i < CHUNK_ENTRIES; i++)
		first[i].name_len = BLOCK - 32;
	close(fd);
	return (struct kataimg_entry *)all;
}

static void names_take_32_gib_at_most(void **state)
{
	const uint32_t chunks = (uint32_t)(XFS_DIR_MAX_DATA_BLOCKS / CHUNK_ENTRIES);
	struct kataimg_entry *entries = map_entries(chunks);
	struct kataimg_node dir = { .type = KATAIMG_DIR, .entries = entries };
	char reason[64] = "";

	(void)state;
	/* The first block has . and .. alone. */
	dir.entry_count = (uint32_t)XFS_DIR_MAX_DATA_BLOCKS - 1;
	assert_int_equal(xfs_limits_check(&dir, reason, sizeof(reason)), 0);
	dir.entry_count++;
	assert_int_equal(xfs_limits_check(&dir, reason, sizeof(reason)), KATAIMG_CHECK_NODE);
	assert_string_equal(reason, "its names take more than 32 GiB");
	munmap(entries, chunks * CHUNK_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acls_are_judged),
		cmocka_unit_test(long_acls_are_refused),
		cmocka_unit_test(short_ends_stay_unused),
		cmocka_unit_test(names_take_32_gib_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
