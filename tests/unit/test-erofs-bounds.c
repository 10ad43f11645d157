/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds of the EROFS reader, to the byte: what reaches the end of its place is read, what goes one
 * farther is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/erofs/format.h"
#include "tests/support/damage.h"
#include "tests/support/runs.h"

#define BLOCK 4096u
#define WHOLE_BYTES (2 * BLOCK)

/* It is over the first block, in which inodes are, too. */
static void drop_checksum(struct trial *trial)
{
	struct erofs_super super;
	uint32_t features;

	trial_read(trial, EROFS_SUPER_OFFSET, &super, sizeof(super));
	features = from_le32(super.feature_compat);
	assert_true(features & EROFS_COMPAT_SB_CHKSUM);
	super.feature_compat = to_le32(features & ~EROFS_COMPAT_SB_CHKSUM);
	trial_overwrite(trial, EROFS_SUPER_OFFSET, &super, sizeof(super));
}

static int build(struct damaged *f, const char *const *options, void **state)
{
	f->trial = run_ok(&(struct trial_setup){ .tree = f->tree, .options = options });
	f->damage.trial = f->trial;
	drop_checksum(f->trial);
	*state = f;
	return 0;
}

static struct damaged *new_tree(void)
{
	struct damaged *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->tree = memtree_new();
	return f;
}

static int set_up(void **state)
{
	struct damaged *f = new_tree();
	struct kataimg_node *root = memtree_root(f->tree);

	memtree_set_xattr(memtree_add_file(root, "f", "", 0), "user.a", "bcd", 3);
	memtree_add_pattern(root, "whole", WHOLE_BYTES, 1);
	return build(f, NULL, state);
}

/* Its tail is compressed, and lies behind its inode. */
#define TAILED_BYTES 6007u

static int set_up_tail(void **state)
{
	static const char *const options[] = { "compress=lz4", "tail=inline", NULL };
	struct damaged *f = new_tree();
	static char content[TAILED_BYTES];

	for (size_t i = 0; i < TAILED_BYTES; i++)
		content[i] = (char)('a' + i / 64 % 26);
	memtree_add_file(memtree_root(f->tree), "tailed", content, sizeof(content));
	return build(f, options, state);
}

/* The packed inode holds this file, and nothing else. */
#define PACKED_BYTES 3000u
#define FIRST_PREFIX 2988u /* whole */
#define LAST_PREFIX 2996u  /* reaches one byte too far */

static int set_up_packed(void **state)
{
	static const char *const options[] = { "compress=lz4", "fragments=all", NULL };
	static const uint8_t prefix[] = { 3, 0, EROFS_XATTR_USER, 'a', 'b' };
	struct damaged *f = new_tree();
	static char content[PACKED_BYTES];

	memset(content, 'x', sizeof(content));
	memcpy(content + FIRST_PREFIX, prefix, sizeof(prefix));
	memcpy(content + LAST_PREFIX, prefix, PACKED_BYTES - LAST_PREFIX);
	memtree_add_file(memtree_root(f->tree), "packed", content, sizeof(content));
	return build(f, options, state);
}

/* What begins with these bytes, at a multiple of 4. */
static struct damage_object find(const struct damaged *f, const void *bytes, size_t len)
{
	for (uint64_t off = BLOCK / 4; off + len <= trial_window_bytes(f->trial); off += 4) {
		uint8_t found[64];

		trial_read(f->trial, off, found, len);
		if (memcmp(found, bytes, len) == 0)
			return (struct damage_object){ off, len, NULL };
	}
	fail_msg("nothing begins so");
	return (struct damage_object){ 0 };
}

static void expect_le16(struct damaged *f, const struct damage_object *object, size_t at,
			uint16_t value, const char *text)
{
	const le16 disk = to_le16(value);

	damage_expect(&f->damage, object, at, &disk, sizeof(disk), text);
}

static void attributes_end_with_their_inode(void **state)
{
	struct damaged *f = *state;
	const uint8_t bytes[] = { 1, EROFS_XATTR_USER, 3, 0, 'a', 'b', 'c', 'd' };
	const struct damage_object entry = find(f, bytes, sizeof(bytes));
	const size_t at = offsetof(struct erofs_xattr_entry, value_len);

	expect_le16(f, &entry, at, 3, NULL);
	expect_le16(f, &entry, at, 4, "has an attribute longer than its place");
}

/* The root has an entry for itself, its parent, f and whole. */
#define ENTRIES 4u
#define NAMES (ENTRIES * (uint16_t)sizeof(struct erofs_dirent))
#define USED (NAMES + 1 + 2 + 1 + 5) /* . .. f whole */

static struct damage_object find_root(const struct damaged *f)
{
	static const char names[] = "...fwhole";

	for (uint64_t off = BLOCK / 4; off + USED <= trial_window_bytes(f->trial); off += 4) {
		char found[sizeof(names) - 1];

		trial_read(f->trial, off + NAMES, found, sizeof(found));
		if (memcmp(found, names, sizeof(found)) == 0)
			return (struct damage_object){ off, USED, NULL };
	}
	fail_msg("no root");
	return (struct damage_object){ 0 };
}

static size_t name_off(size_t number)
{
	return number * sizeof(struct erofs_dirent) + offsetof(struct erofs_dirent, name_off);
}

static void names_end_with_their_block(void **state)
{
	struct damaged *f = *state;
	const struct damage_object root = find_root(f);

	expect_le16(f, &root, name_off(ENTRIES - 1), USED - 1, NULL);
	expect_le16(f, &root, name_off(ENTRIES - 1), USED, "has a block that is none");
	expect_le16(f, &root, name_off(ENTRIES - 1), NAMES + 4, NULL);
	expect_le16(f, &root, name_off(ENTRIES - 1), NAMES + 3, "has a block that is none");
}

static void blocks_have_room_for_so_many_entries(void **state)
{
	struct damaged *f = *state;
	const struct damage_object root = find_root(f);

	expect_le16(f, &root, name_off(0), NAMES, NULL);
	expect_le16(f, &root, name_off(0), NAMES - 1, "has a block that is none");
	expect_le16(f, &root, name_off(0), NAMES + sizeof(struct erofs_dirent),
		    "has a block that is none");
}

/* Its blocks are the first that data has. */
static void data_ends_with_the_filesystem(void **state)
{
	struct damaged *f = *state;
	const struct {
		le16 nlink;
		le32 size;
	} __attribute__((packed)) part = { to_le16(1), to_le32(WHOLE_BYTES) };
	uint64_t blocks = trial_window_bytes(f->trial) / BLOCK;

	for (uint64_t off = BLOCK / 4; off < trial_window_bytes(f->trial) - 64; off += 32) {
		const struct damage_object inode = { off, sizeof(struct erofs_inode_compact),
						     NULL };
		struct erofs_inode_compact core;
		le32 block;

		trial_read(f->trial, off, &core, sizeof(core));
		if (memcmp(&core.nlink, &part, sizeof(part)) != 0)
			continue;
		block = to_le32((uint32_t)blocks - 2);
		damage_expect(&f->damage, &inode, offsetof(struct erofs_inode_compact, u), &block,
			      sizeof(block), NULL);
		block = to_le32((uint32_t)blocks - 1);
		damage_expect(&f->damage, &inode, offsetof(struct erofs_inode_compact, u), &block,
			      sizeof(block), "has data outside the filesystem");
		return;
	}
	fail_msg("no file of %u bytes", WHOLE_BYTES);
}

static void tails_end_with_their_block(void **state)
{
	struct damaged *f = *state;

	for (uint64_t off = BLOCK / 4; off < trial_window_bytes(f->trial) - 64; off += 32) {
		const struct damage_object inode = { off, sizeof(struct erofs_inode_compact) + 16,
						     NULL };
		const size_t at = sizeof(struct erofs_inode_compact) + 2; /* bytes of the tail */
		/* Behind the header and an index of one pack of two records. */
		const uint16_t room = (uint16_t)(BLOCK - (off + inode.len) % BLOCK);
		struct erofs_inode_compact core;

		trial_read(f->trial, off, &core, sizeof(core));
		if (from_le32(core.size) != TAILED_BYTES || from_le16(core.nlink) != 1)
			continue;
		expect_le16(f, &inode, at, room, NULL);
		expect_le16(f, &inode, at, room + 1, "is followed by data that leaves its block");
		return;
	}
	fail_msg("no file of %u bytes", TAILED_BYTES);
}

static void prefixes_end_with_the_packed_inode(void **state)
{
	struct damaged *f = *state;
	const struct damage_object object = { EROFS_SUPER_OFFSET, sizeof(struct erofs_super),
					      NULL };
	const size_t at = offsetof(struct erofs_super, xattr_prefix_start);
	const le32 whole = to_le32(FIRST_PREFIX / 4), last = to_le32(LAST_PREFIX / 4);
	struct erofs_super super;

	trial_read(f->trial, EROFS_SUPER_OFFSET, &super, sizeof(super));
	assert_true(from_le64(super.packed_nid) > 0);
	super.feature_incompat =
		to_le32(from_le32(super.feature_incompat) | EROFS_INCOMPAT_XATTR_PREFIX);
	super.xattr_prefix_count = 1;
	super.xattr_prefix_start = whole;
	trial_overwrite(f->trial, EROFS_SUPER_OFFSET, &super, sizeof(super));
	damage_expect(&f->damage, &object, at, &whole, sizeof(whole), NULL);
	damage_expect(&f->damage, &object, at, &last, sizeof(last),
		      "its attribute prefixes are outside the packed inode");
}

#define TEST_OF(function, set_up) \
	cmocka_unit_test_setup_teardown(function, set_up, damaged_tear_down)
#define TEST(function) TEST_OF(function, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(attributes_end_with_their_inode),
		TEST(names_end_with_their_block),
		TEST(blocks_have_room_for_so_many_entries),
		TEST(data_ends_with_the_filesystem),
		TEST_OF(tails_end_with_their_block, set_up_tail),
		TEST_OF(prefixes_end_with_the_packed_inode, set_up_packed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
