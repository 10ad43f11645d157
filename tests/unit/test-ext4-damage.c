/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ext4 reader refuses what is damaged: every number of its metadata, of a filesystem without
 * checksums, and with them, which are then wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/crc32c.h"
#include "plugins/ext4/format.h"
#include "tests/support/damage.h"
#include "tests/support/runs.h"

#define BLOCK EXT4_BLOCK_BYTES

/* ---- A tree of all forms that metadata has ---- */

static struct memtree *new_tree(void)
{
	static const uint8_t acl[] = {
		2, 0, 0,   0,   1,   0,   7,  0, 255, 255, 255, 255, 4,   0,
		5, 0, 255, 255, 255, 255, 32, 0, 5,   0,   255, 255, 255, 255
	};
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	struct kataimg_node *dir = memtree_add_dir(root, "dir");
	struct kataimg_node *file = memtree_add_file(root, "f", "", 0);
	struct kataimg_node *pieces = memtree_add_pattern(root, "pieces", 20 * 8192, 1);
	char name[64], target[301];

	for (uint64_t i = 0; i < 20; i++)
		memtree_punch_hole(pieces, i * 8192 + 4096, 4096);
	for (unsigned int i = 0; i < 250; i++) {
		snprintf(name, sizeof(name), "%u-is-a-name-of-some-length", i * 7919);
		memtree_add_link(dir, name, file);
	}
	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	memtree_add_symlink(root, "long", target);
	memtree_add_symlink(root, "short", "f");
	memtree_add_device(root, "device", KATAIMG_CHR, 1, 3);
	memtree_set_xattr(file, "user.a", "b", 1);
	memtree_set_xattr(dir, "system.posix_acl_access", acl, sizeof(acl));
	memset(target, 'v', sizeof(target) - 1);
	memtree_set_xattr(pieces, "user.block", target, 300);
	memtree_set_xattr(pieces, "user.more", target, 200);
	return tree;
}

/* ---- What is in it ---- */

static void seal_super(uint8_t *object, size_t len)
{
	const size_t off = len - sizeof(le32);
	le32 checksum = to_le32(crc32c(~0u, object, off));

	memcpy(object + off, &checksum, sizeof(checksum));
}

static bool is_dir_block(const uint8_t *bytes)
{
	const uint8_t *tail = bytes + EXT4_DIR_BLOCK_SPACE;
	bool has_tail =
		tail[4] == sizeof(struct ext4_dirent_tail) && tail[7] == EXT4_DIRENT_TAIL_TYPE;

	return has_tail || (bytes[6] == 1 && bytes[8] == '.');
}

static void walk_block(struct damage *damage, uint64_t off, bool sealed)
{
	const struct damage_object object = { off, BLOCK, NULL };
	uint8_t bytes[BLOCK];
	le32 magic;

	trial_read(damage->trial, off, bytes, sizeof(bytes));
	memcpy(&magic, bytes, sizeof(magic));
	if (from_le32(magic) == EXT4_XATTR_MAGIC) {
		damage_walk(damage, &object, 0, sealed ? 40 : 80);
	} else if ((from_le32(magic) & 0xffff) == EXT4_EXTENT_MAGIC) {
		damage_walk(damage, &object, 0, sealed ? 12 : 40);
	} else if (is_dir_block(bytes)) {
		damage_walk(damage, &object, sealed ? 24 : 0, 50);
		damage_walk(damage, &object, EXT4_DIR_BLOCK_SPACE, BLOCK);
	}
}

static void walk_inodes(struct damage *damage, bool sealed)
{
	struct ext4_descriptor descriptor;
	struct ext4_super super;
	uint64_t table;

	trial_read(damage->trial, EXT4_SUPER_OFFSET, &super, sizeof(super));
	trial_read(damage->trial, BLOCK, &descriptor, sizeof(descriptor));
	table = (uint64_t)from_le32(descriptor.inode_table_lo) * BLOCK;
	for (uint32_t i = 0; i < from_le32(super.inodes_per_group); i++) {
		const struct damage_object object = { table + i * EXT4_INODE_BYTES,
						      EXT4_INODE_BYTES, NULL };
		struct ext4_inode inode;

		trial_read(damage->trial, object.off, &inode, sizeof(inode));
		if (from_le16(inode.mode) && !sealed)
			damage_walk(damage, &object, 0, offsetof(struct ext4_inode, xattrs) + 40);
		else if (from_le16(inode.mode))
			damage_walk(damage, &object, 0, 4);
	}
}

static void walk_all(struct damage *damage, bool sealed)
{
	const struct damage_object super = { EXT4_SUPER_OFFSET, sizeof(struct ext4_super),
					     seal_super };
	const struct damage_object descriptors = { BLOCK, BLOCK, NULL };
	const struct damage_object unsealed = { EXT4_SUPER_OFFSET, sizeof(struct ext4_super),
						NULL };

	damage_walk(damage, &super, 0, sizeof(struct ext4_super));
	if (sealed)
		damage_walk(damage, &unsealed, 0, 4);
	damage_walk(damage, &descriptors, 0, sizeof(struct ext4_descriptor));
	walk_inodes(damage, sealed);
	for (uint64_t off = 2 * BLOCK; off < trial_window_bytes(damage->trial); off += BLOCK)
		walk_block(damage, off, sealed);
}

static void drop_checksums(struct trial *trial)
{
	struct ext4_super super;
	uint32_t features;

	trial_read(trial, EXT4_SUPER_OFFSET, &super, sizeof(super));
	features = from_le32(super.feature_ro_compat);
	assert_true(features & EXT4_RO_COMPAT_METADATA_CSUM);
	super.feature_ro_compat = to_le32(features & ~EXT4_RO_COMPAT_METADATA_CSUM);
	trial_overwrite(trial, EXT4_SUPER_OFFSET, &super, sizeof(super));
}

static void walk(bool sealed, const char *const *refusals, size_t count)
{
	static const char *const options[] = { "journal=no", NULL };
	struct damage *damage = calloc(1, sizeof(*damage));
	struct memtree *tree = new_tree();
	struct trial *trial = run_ok(&(struct trial_setup){ .tree = tree, .options = options });

	assert_non_null(damage);
	damage->trial = trial;
	if (!sealed)
		drop_checksums(trial);
	walk_all(damage, sealed);
	damage_check_said(damage, refusals, count);
	free(damage);
	trial_free(trial);
	memtree_free(tree);
}

/* All refusals that one number alone brings about. */
static void numbers_are_refused(void **state)
{
	static const char *const refusals[] = {
		"it has no ext# superblock",
		"the superblock claims # inodes, for which there is no room",
		"the superblock claims no blocks or no inodes",
		"the superblock claims more blocks than there are",
		"the superblock claims more free than there is",
		"the superblock has impossible groups",
		"the superblock has an impossible block size",
		"the superblock has inodes of # bytes",
		"the superblock has group descriptors of # bytes",
		"it has what cannot be read here: compression",
		"it has what cannot be read here: incompat:#x#",
		"it is the journal of another filesystem",
		"the inodes of group # are outside the filesystem",
		"its metadata is outside the filesystem",
		"it has no root directory",
		"is of no known type: mode #",
		"which is the filesystem's own, has a name",
		"which is deleted, has a name",
		"there is no inode #, which is named",
		"has # bytes of members, too many",
		"is encrypted",
		"has data outside the filesystem",
		"is a symbolic link of # bytes",
		"has an entry of an impossible length",
		"has an entry without room for its name",
		"has a node that is none",
		"has an extent that is empty or lies over another",
		"has a node with more entries than it has room for",
		"has a node at a depth that is not its own",
		"is deeper than any",
		"has a block of attributes that is none",
		"has an attribute whose name is cut off",
		"has an attribute whose value is cut off",
		"has an attribute of more than # bytes",
		"has an ACL that is none",
		"has a value in an inode that holds none",
	};

	(void)state;
	walk(false, refusals, sizeof(refusals) / sizeof(refusals[0]));
}

static void checksums_are_held(void **state)
{
	static const char *const refusals[] = {
		"the superblock has a wrong checksum",
		"its checksums are of a kind that is newer than this reader",
		"the descriptor of group # has a wrong checksum",
		"inode # has a wrong checksum",
		"has a block with a wrong checksum",
		"has a block without a checksum",
		"has an index with a wrong checksum",
		"has an index without room for its checksum",
		"has an extent block with a wrong checksum",
		"has a block of attributes with a wrong checksum",
	};

	(void)state;
	walk(true, refusals, sizeof(refusals) / sizeof(refusals[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_refused),
		cmocka_unit_test(checksums_are_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
