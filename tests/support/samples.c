/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/support/must.h"

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

/* ---- Trees ---- */

static struct memtree *new_little(void)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *dir = memtree_add_dir(memtree_root(tree), "dir");

	memtree_add_pattern(dir, "file", 20000, 1);
	memtree_add_symlink(dir, "link", "file");
	return tree;
}

/* With a name that cpio must write in another way, and two of one file. */
static struct memtree *new_archive(void)
{
	struct memtree *tree = new_little();
	struct kataimg_node *root = memtree_root(tree);

	memtree_add_link(root, "again", memtree_add_file(root, "TRAILER!!!", "end", 3));
	memtree_add_file(root, "empty", "", 0);
	memtree_add_device(root, "null", KATAIMG_CHR, 1, 3);
	return tree;
}

/* Of 9 bits, names of 12 bytes, and others, to which XFS gives one hash: it shifts by 7 bits for
 * each byte of 8, and so the lowest bit of one byte does what the highest of the next does. */
static void make_alike(char *name, size_t size, unsigned int number)
{
	snprintf(name, size, "abababababab");
	for (unsigned int i = 0; i < 9; i++) {
		size_t at = i / 3 * 4 + i % 3;

		if (!(number >> i & 1))
			continue;
		name[at] = (char)(name[at] ^ 1);
		name[at + 1] = (char)(name[at + 1] ^ 0x80);
	}
}

static void add_names(struct kataimg_node *dir, unsigned int count)
{
	struct kataimg_node *file = memtree_add_file(dir, "file", "", 0);
	char name[64];

	for (unsigned int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%u-is-a-name-of-some-length", i * 7919);
		memtree_add_link(dir, name, file);
	}
}

static void add_sieve(struct kataimg_node *dir, const char *name, unsigned int extents)
{
	struct kataimg_node *file = memtree_add_pattern(dir, name, extents * UINT64_C(8192), 3);

	for (unsigned int i = 0; i < extents; i++)
		memtree_punch_hole(file, i * UINT64_C(8192) + 4096, 4096);
}

/* So many of the entries for owner, a user, group, mask and others; three are what a mode says. */
static void set_acl(struct kataimg_node *node, const char *name, bool trivial)
{
	static const uint8_t whole[] = { 2,   0,   0,   0,   1,   0,   7,  0,   255, 255, 255,
					 255, 2,   0,   7,   0,   9,   0,  0,   0,   4,   0,
					 5,   0,   255, 255, 255, 255, 16, 0,   7,   0,   255,
					 255, 255, 255, 32,  0,   5,   0,  255, 255, 255, 255 };
	static const uint8_t plain[] = { 2,   0,   0, 0, 1,   0,   7,   0,   255, 255,
					 255, 255, 4, 0, 5,   0,   255, 255, 255, 255,
					 32,  0,   5, 0, 255, 255, 255, 255 };

	if (trivial)
		memtree_set_xattr(node, name, plain, sizeof(plain));
	else
		memtree_set_xattr(node, name, whole, sizeof(whole));
}

static void add_attributes(struct kataimg_node *node, unsigned int count, size_t bytes)
{
	static char value[65536];
	char name[64];

	memset(value, 'v', sizeof(value));
	must(bytes <= sizeof(value));
	for (unsigned int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "user.attribute-%u", i * 7919);
		memtree_set_xattr(node, name, value, bytes);
	}
}

/* All that makes metadata large, and small enough for ext4. */
static struct memtree *new_large(void)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	struct kataimg_node *many = memtree_add_dir(root, "many");
	struct kataimg_node *few = memtree_add_dir(root, "few");
	char target[901];

	add_names(many, 2500);
	add_names(few, 90);
	memtree_add_dir(root, "lost+found")->mode = 0700;
	add_sieve(root, "pieces", 30);
	add_sieve(root, "sieve", 700);
	set_acl(many, ACL_ACCESS, false);
	set_acl(many, ACL_DEFAULT, false);
	set_acl(few, ACL_ACCESS, true);
	set_acl(few, ACL_DEFAULT, true);
	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	memtree_set_xattr(memtree_add_symlink(root, "link", target), "security.label", "l", 1);
	add_attributes(memtree_add_file(root, "named", "x", 1), 25, 40);
	memtree_set_xattr(memtree_add_file(root, "again", "y", 1), "user.attribute-0", "", 0);
	memtree_add_device(root, "device", KATAIMG_BLK, 259, 70000);
	return tree;
}

/* Names that have one hash, in a directory and of attributes. */
static void add_alike(struct kataimg_node *root)
{
	struct kataimg_node *dir = memtree_add_dir(root, "alike");
	struct kataimg_node *file = memtree_add_file(root, "alike-attributes", "", 0);
	struct kataimg_node *one = memtree_add_file(dir, "one", "", 0);
	char name[32] = "user.";

	for (unsigned int i = 0; i < 512; i++) {
		make_alike(name + 5, sizeof(name) - 5, i);
		memtree_add_link(dir, name + 5, one);
		if (i % 8 == 0)
			memtree_set_xattr(file, name, name, 12);
	}
	add_attributes(file, 30, 60);
}

/* More attributes than ext4 has room for. */
static struct memtree *new_attributes(void)
{
	struct memtree *tree = new_large();
	struct kataimg_node *root = memtree_root(tree);

	add_attributes(memtree_add_file(root, "block", "", 0), 60, 30);
	add_attributes(memtree_add_file(root, "leaves", "", 0), 400, 70);
	add_attributes(memtree_add_file(root, "values", "", 0), 5, 10000);
	add_attributes(memtree_add_file(root, "value", "", 0), 1, 60000);
	add_alike(root);
	return tree;
}

/* Files that shrink, wholly or in part, are equal, or hardly begun. */
static struct memtree *new_texts(void)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	struct kataimg_node *usr = memtree_add_dir(root, "usr");
	struct kataimg_node *sparse;
	char name[32];

	memtree_add_numbers(usr, "text", 300000, 1000);
	memtree_add_numbers(usr, "copy", 300000, 1000);
	memtree_add_numbers(usr, "other", 70000, 5);
	for (unsigned int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "small-%u", i);
		memtree_add_numbers(root, name, i * 511, i / 2);
	}
	memtree_add_pattern(usr, "noise", 150000, 1);
	memtree_add_pattern(usr, "noise-copy", 150000, 1);
	sparse = memtree_add_pattern(usr, "sparse", 40960, 2);
	memtree_punch_hole(sparse, 4096, 24576);
	add_attributes(sparse, 3, 20);
	set_acl(usr, ACL_ACCESS, false);
	return tree;
}

/* ---- Builds ---- */

#define MIB (UINT64_C(1) << 20)

static const struct sample samples[] = {
	{ "xfs", memtree_new_sample, { NULL }, 0 },
	{ "xfs", new_attributes, { NULL }, 0 },
	{ "xfs", new_attributes, { "profile=compat", "agcount=4" }, 64 * MIB },
	{ "xfs", new_large, { "sector-size=4096" }, 0 },
	{ "ext4", memtree_new_sample, { NULL }, 0 },
	{ "ext4", new_large, { NULL }, 0 },
	{ "ext4", new_large, { "journal=no", "reserved-percent=0", "inodes=5000" }, 300 * MIB },
	{ "erofs", memtree_new_sample, { NULL }, 0 },
	{ "erofs", memtree_new_sample, { "data=packed" }, 0 },
	{ "erofs", new_attributes, { "dedupe=yes" }, 0 },
	{ "erofs", new_texts, { "compress=lz4", "dedupe=yes" }, 0 },
	{ "erofs", new_texts, { "compress=lz4", "fragments=tails" }, 0 },
	{ "erofs", new_texts, { "compress=lz4hc", "tail=inline", "cluster-size=16K" }, 0 },
	{ "erofs", new_texts, { "compress=lz4hc", "fragments=all", "dedupe=yes" }, 0 },
#ifdef HAVE_ZSTD
	{ "erofs", new_texts, { "compress=zstd", "fragments=tails", "tail=inline" }, 0 },
#endif
	{ "erofs", new_texts, { "data=auto", "map=*noise* usr/text", "compress=lz4" }, 0 },
	{ "cpio", new_archive, { NULL }, 0 },
	{ NULL, new_little, { NULL }, 0 },
};

static bool has_own(const struct kataimg_backend *backend)
{
	for (size_t i = 0; samples[i].backend; i++)
		if (strcmp(samples[i].backend, backend->name) == 0)
			return true;
	return false;
}

const struct sample *sample_at(const struct kataimg_backend *backend, size_t number)
{
	bool own = has_own(backend);

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const char *of = samples[i].backend;

		if ((own ? of && strcmp(of, backend->name) == 0 : !of) && number-- == 0)
			return &samples[i];
	}
	return NULL;
}

struct trial_setup sample_setup(const struct sample *sample, const struct kataimg_backend *backend,
				struct memtree *tree, struct kataimg_job *job)
{
	*job = trial_default_job();
	job->free_bytes = sample->free_bytes;
	job->free_inodes = sample->free_bytes / MIB;
	if (sample->free_bytes)
		job->required |= KATAIMG_JOB_FREE_SPACE;
	return (struct trial_setup){ .backend = backend,
				     .tree = tree,
				     .job = job,
				     .options = sample->options,
				     .again = true };
}
