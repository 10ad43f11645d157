/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest useful backend: uncompressed EROFS, with nothing but libc and the contract.
 * docs/writing-a-backend.md walks through this file, from its first line to its last.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kataimg/backend.h"

/*
 * The filesystem: superblock, one inode of 64 bytes for each node of the tree, and from the next
 * whole block on what directories, symbolic links and files hold, each from a block of its own.
 * All numbers are little-endian. An inode's number (nid) is its byte offset divided by 32.
 */
#define BLOCK_BYTES 4096u
#define SUPER_OFF 1024u
#define SUPER_BYTES 128u
#define INODES_OFF (SUPER_OFF + SUPER_BYTES)
#define INODE_BYTES 64u
#define NID_BYTES 32u
#define DIRENT_BYTES 12u
#define LABEL_BYTES 16u
#define MAGIC 0xE0F5E1E2u
#define FEATURE_MTIME 0x2u

struct stub {
	const struct kataimg_host *host;
	const struct kataimg_job *job;
	const struct kataimg_tree *tree;
	uint32_t *start_block; /* of each node's content, by node index */
	uint64_t blocks;
	char label[LABEL_BYTES];
	uint8_t uuid[16];
};

static void put(uint8_t *at, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t *at, unsigned int bytes)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

static const struct kataimg_option stub_options[] = {
	{ .name = "label",
	  .type = KATAIMG_OPT_STRING,
	  .default_value = "",
	  .max = LABEL_BYTES - 1,
	  .help = "the volume's name",
	  .since = "1.0" },
};

static void stub_close(void *state)
{
	struct stub *stub = state;

	free(stub->start_block);
	free(stub);
}

static int stub_open(const struct kataimg_host *host, const struct kataimg_job *job,
		     const struct kataimg_value *values, void **state)
{
	struct stub *stub = calloc(1, sizeof(*stub));
	int ret;

	if (!stub)
		return -ENOMEM;
	stub->host = host;
	stub->job = job;
	snprintf(stub->label, sizeof(stub->label), "%s", values[0].string);
	ret = host->uuid(host->ctx, "erofs-stub", stub->uuid);
	if (ret < 0) {
		stub_close(stub);
		return ret;
	}
	*state = stub;
	return 0;
}

static int stub_limits(void *state, struct kataimg_limits *limits)
{
	(void)state;
	limits->name_bytes = 255;
	limits->symlink_bytes = BLOCK_BYTES - 1;
	limits->device_major = 0xfff;
	limits->device_minor = 0xfffff;
	limits->id = UINT32_MAX - 1; /* -1 is no user */
	limits->file_bytes = (uint64_t)UINT32_MAX * BLOCK_BYTES;
	return 0;
}

/* A walk over a directory's entries and "." and "..", which a tree does not have. */
struct walk {
	const struct kataimg_node *dir;
	uint32_t next; /* in dir->entries */
	uint32_t dots; /* how many of "." and ".." were given */
};

/* The entries in bytewise order of their names; "!" comes before ".". false: there are no more. */
static bool walk_next(struct walk *walk, struct kataimg_entry *entry)
{
	const struct kataimg_node *dir = walk->dir;
	struct kataimg_entry dots = { .name = walk->dots ? ".." : ".",
				      .node = walk->dots ? dir->parent : dir,
				      .name_len = walk->dots + 1 };
	bool more = walk->next < dir->entry_count;

	if (more)
		*entry = dir->entries[walk->next];
	if (walk->dots < 2 && (!more || strcmp(dots.name, entry->name) < 0)) {
		*entry = dots;
		walk->dots++;
		return true;
	}
	walk->next++;
	return more;
}

/* Takes the entries that fit one block: how many, and the bytes that they use. */
static uint32_t walk_block(struct walk *walk, uint32_t *bytes)
{
	struct walk ahead = *walk;
	struct kataimg_entry entry;
	uint32_t count = 0;

	*bytes = 0;
	while (walk_next(&ahead, &entry) && *bytes + DIRENT_BYTES + entry.name_len <= BLOCK_BYTES) {
		*bytes += DIRENT_BYTES + entry.name_len;
		*walk = ahead;
		count++;
	}
	return count;
}

static uint64_t blocks_of(uint64_t bytes)
{
	return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
}

/* The size that an inode gives. */
static uint64_t content_bytes(const struct kataimg_node *node)
{
	struct walk walk = { .dir = node };
	uint64_t size = 0;
	uint32_t bytes;

	if (node->type != KATAIMG_DIR)
		return node->size;
	while (walk_block(&walk, &bytes))
		size = blocks_of(size) * BLOCK_BYTES + bytes;
	return size;
}

/* Where content goes that wants huge pages: they count from the start of the image. */
static uint64_t align_block(const struct stub *stub, const struct kataimg_node *node,
			    uint64_t block)
{
	uint64_t huge_blocks = stub->job->hugepage_bytes / BLOCK_BYTES;
	uint64_t before = stub->job->window_offset / BLOCK_BYTES;

	if (!huge_blocks || node->type != KATAIMG_REG || node->size < stub->job->hugepage_bytes)
		return block;
	return (before + block + huge_blocks - 1) / huge_blocks * huge_blocks - before;
}

static int stub_plan(void *state, const struct kataimg_tree *tree, struct kataimg_plan *plan)
{
	struct stub *stub = state;
	uint64_t block = blocks_of(INODES_OFF + tree->node_count * INODE_BYTES);

	stub->tree = tree;
	stub->start_block = calloc((size_t)tree->node_count, sizeof(*stub->start_block));
	if (!stub->start_block)
		return -ENOMEM;
	for (uint64_t i = 0; i < tree->node_count; i++) {
		uint64_t blocks = blocks_of(content_bytes(tree->nodes[i]));

		if (blocks)
			block = align_block(stub, tree->nodes[i], block);
		stub->start_block[i] = (uint32_t)block;
		block += blocks;
		if (block > UINT32_MAX) {
			stub->host->error(stub->host->ctx, "the tree needs too many blocks");
			return -EFBIG;
		}
	}
	stub->blocks = block;
	plan->bytes = block * BLOCK_BYTES;
	plan->granularity = BLOCK_BYTES;
	return 0;
}

static void encode_super(const struct stub *stub, uint8_t super[SUPER_BYTES])
{
	memset(super, 0, SUPER_BYTES);
	put(super, MAGIC, 4);
	put(super + 8, FEATURE_MTIME, 4);
	put(super + 12, 12, 1);                     /* log2 of the block size */
	put(super + 14, INODES_OFF / NID_BYTES, 2); /* the root's nid */
	put(super + 16, stub->tree->node_count, 8);
	put(super + 24, (uint64_t)stub->job->build_time, 8);
	put(super + 36, stub->blocks, 4);
	memcpy(super + 48, stub->uuid, sizeof(stub->uuid));
	memcpy(super + 64, stub->label, sizeof(stub->label));
}

static void describe_super(const uint8_t super[SUPER_BYTES], struct kataimg_fs_info *info)
{
	info->size_bytes = get(super + 36, 4) * BLOCK_BYTES;
	info->block_bytes = BLOCK_BYTES;
	info->inodes = get(super + 16, 8);
	memcpy(info->uuid, super + 48, sizeof(info->uuid));
	snprintf(info->label, sizeof(info->label), "%.*s", (int)LABEL_BYTES,
		 (const char *)super + 64);
	snprintf(info->type, sizeof(info->type), "erofs");
	snprintf(info->features, sizeof(info->features), "mtime");
	snprintf(info->min_kernel, sizeof(info->min_kernel), "5.4");
}

static int stub_describe(void *state, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	uint8_t super[SUPER_BYTES];

	(void)window_bytes; /* a read-only filesystem need not fill its window */
	encode_super(state, super);
	describe_super(super, info);
	return 0;
}

static uint64_t nid_of(const struct kataimg_node *node)
{
	return (INODES_OFF + (uint64_t)node->index * INODE_BYTES) / NID_BYTES;
}

static const uint32_t type_bits[] = {
	[KATAIMG_REG] = S_IFREG, [KATAIMG_DIR] = S_IFDIR,  [KATAIMG_CHR] = S_IFCHR,
	[KATAIMG_BLK] = S_IFBLK, [KATAIMG_FIFO] = S_IFIFO, [KATAIMG_SOCK] = S_IFSOCK,
	[KATAIMG_LNK] = S_IFLNK,
};

static void encode_inode(const struct stub *stub, const struct kataimg_node *node,
			 uint8_t inode[INODE_BYTES])
{
	uint32_t where = stub->start_block[node->index];

	if (node->type == KATAIMG_CHR || node->type == KATAIMG_BLK)
		where = (node->rdev_minor & 0xff) | node->rdev_major << 8 |
			(node->rdev_minor & ~0xffu) << 12;
	memset(inode, 0, INODE_BYTES);
	put(inode, 1, 2); /* the extended form; its data lies in consecutive blocks */
	put(inode + 4, type_bits[node->type] | node->mode, 2);
	put(inode + 8, content_bytes(node), 8);
	put(inode + 16, where, 4);
	put(inode + 20, node->index + 1, 4);
	put(inode + 24, node->uid, 4);
	put(inode + 28, node->gid, 4);
	put(inode + 32, (uint64_t)node->mtime_sec, 8);
	put(inode + 40, node->mtime_nsec, 4);
	put(inode + 44, node->type == KATAIMG_DIR ? node->nlink : 1, 4);
}

/* A block is an array of entries, then their names; the first name's offset tells how many. */
static void encode_block(struct walk *walk, uint8_t block[BLOCK_BYTES])
{
	struct walk ahead = *walk;
	uint32_t bytes, count = walk_block(&ahead, &bytes);
	uint32_t name_off = count * DIRENT_BYTES;
	struct kataimg_entry entry;

	memset(block, 0, BLOCK_BYTES);
	for (uint32_t i = 0; i < count && walk_next(walk, &entry); i++) {
		uint8_t *dirent = block + (size_t)i * DIRENT_BYTES;

		put(dirent, nid_of(entry.node), 8);
		put(dirent + 8, name_off, 2);
		put(dirent + 10, entry.node->type, 1);
		memcpy(block + name_off, entry.name, entry.name_len);
		name_off += entry.name_len;
	}
}

static int write_dir(const struct stub *stub, const struct kataimg_node *dir, uint64_t off)
{
	uint64_t end = off + blocks_of(content_bytes(dir)) * BLOCK_BYTES;
	struct walk walk = { .dir = dir };
	uint8_t block[BLOCK_BYTES];

	for (; off < end; off += BLOCK_BYTES) {
		int ret;

		encode_block(&walk, block);
		ret = stub->host->write(stub->host->ctx, off, block, sizeof(block));
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int write_node(const struct stub *stub, const struct kataimg_node *node)
{
	const struct kataimg_host *host = stub->host;
	uint64_t off = (uint64_t)stub->start_block[node->index] * BLOCK_BYTES;
	uint8_t inode[INODE_BYTES];
	int ret;

	encode_inode(stub, node, inode);
	ret = host->write(host->ctx, nid_of(node) * NID_BYTES, inode, sizeof(inode));
	if (ret < 0)
		return ret;
	if (node->type == KATAIMG_DIR)
		return write_dir(stub, node, off);
	if (node->type == KATAIMG_LNK)
		return host->write(host->ctx, off, node->target, (size_t)node->size);
	if (node->type == KATAIMG_REG && node->size)
		return host->place(host->ctx, off, node, 0, node->size);
	return 0;
}

static int stub_write(void *state, const struct kataimg_tree *tree, uint64_t window_bytes)
{
	const struct stub *stub = state;
	uint8_t super[SUPER_BYTES];
	int ret;

	(void)window_bytes;
	encode_super(stub, super);
	ret = stub->host->write(stub->host->ctx, SUPER_OFF, super, sizeof(super));
	for (uint64_t i = 0; ret == 0 && i < tree->node_count; i++)
		ret = write_node(stub, tree->nodes[i]);
	return ret;
}

static int stub_probe(const struct kataimg_host *host, uint64_t window_bytes,
		      struct kataimg_fs_info *info)
{
	uint8_t super[SUPER_BYTES];
	int ret;

	if (window_bytes < BLOCK_BYTES)
		return -ENODATA;
	ret = host->window_read(host->ctx, SUPER_OFF, super, sizeof(super));
	if (ret < 0)
		return ret;
	if (get(super, 4) != MAGIC || get(super + 8, 4) != FEATURE_MTIME || get(super + 80, 4))
		return -ENODATA; /* not EROFS, or of a richer builder */
	describe_super(super, info);
	if (super[12] == 12 && info->size_bytes <= window_bytes)
		return 0;
	host->error(host->ctx, "the superblock's sizes do not fit its partition");
	return -EUCLEAN;
}

static int stub_verify(void *state, uint64_t window_bytes)
{
	(void)state;
	(void)window_bytes;
	return 0; /* with KATAIMG_CAP_WRITE_AGAIN the core has seen all that write made */
}

/* What read is given, and how many blocks of directories it may still look at. */
struct reading {
	const struct kataimg_host *host;
	const struct kataimg_sink *sink;
	uint64_t dir_blocks;
};

static int refuse(const struct reading *reading, uint64_t nid, const char *why)
{
	reading->host->error(reading->host->ctx, "inode %" PRIu64 " %s", nid, why);
	return -EUCLEAN;
}

static int read_block(const struct reading *reading, uint64_t nid, const uint8_t *block,
		      uint64_t used)
{
	uint64_t count = get(block + 8, 2) / DIRENT_BYTES;
	int ret = 0;

	if (count == 0 || count * DIRENT_BYTES > used)
		return refuse(reading, nid, "has a directory block that is none");
	for (uint64_t i = 0; ret == 0 && i < count; i++) {
		const uint8_t *dirent = block + i * DIRENT_BYTES;
		uint64_t start = get(dirent + 8, 2);
		uint64_t end = i + 1 < count ? get(dirent + DIRENT_BYTES + 8, 2) : used;
		const char *name = (const char *)block + start;
		size_t len;

		if (start >= end || end > used)
			return refuse(reading, nid, "has a name outside its directory block");
		len = strnlen(name, (size_t)(end - start)); /* zeros follow a block's last name */
		if (len > 2 || memcmp(name, "..", len) != 0)
			ret = reading->sink->entry(reading->sink->ctx, nid, name, len,
						   get(dirent, 8));
	}
	return ret;
}

static int read_dir(struct reading *reading, uint64_t nid, uint64_t off, uint64_t size)
{
	uint8_t block[BLOCK_BYTES];
	int ret = 0;

	for (uint64_t done = 0; ret == 0 && done < size; done += BLOCK_BYTES) {
		uint64_t used = size - done < BLOCK_BYTES ? size - done : BLOCK_BYTES;

		if (reading->dir_blocks == 0)
			return refuse(reading, nid, "is more directory than the filesystem holds");
		reading->dir_blocks--;
		ret = reading->host->window_read(reading->host->ctx, off + done, block,
						 sizeof(block));
		if (ret == 0)
			ret = read_block(reading, nid, block, used);
	}
	return ret;
}

static int read_inode(struct reading *reading, uint64_t nid)
{
	const struct kataimg_host *host = reading->host;
	const struct kataimg_sink *sink = reading->sink;
	struct kataimg_inode found = { .struct_size = sizeof(found), .id = nid };
	uint8_t inode[INODE_BYTES];
	char target[BLOCK_BYTES];
	uint64_t size, where, off;
	int ret = host->window_read(host->ctx, nid * NID_BYTES, inode, sizeof(inode));

	if (ret < 0)
		return ret;
	if (get(inode, 4) != 1)
		return refuse(reading, nid, "has a form that only the backend erofs reads");
	size = get(inode + 8, 8);
	where = get(inode + 16, 4);
	off = where * BLOCK_BYTES;
	for (uint8_t type = KATAIMG_REG; type <= KATAIMG_LNK; type++)
		if (type_bits[type] == (get(inode + 4, 2) & S_IFMT))
			found.type = type;
	found.mode = get(inode + 4, 2) & 07777;
	found.uid = (uint32_t)get(inode + 24, 4);
	found.gid = (uint32_t)get(inode + 28, 4);
	found.mtime_sec = (int64_t)get(inode + 32, 8);
	found.mtime_nsec = (uint32_t)get(inode + 40, 4);
	found.nlink = (uint32_t)get(inode + 44, 4);
	if (found.type == KATAIMG_REG || found.type == KATAIMG_LNK)
		found.size = size;
	if (found.type == KATAIMG_CHR || found.type == KATAIMG_BLK) {
		found.rdev_major = where >> 8 & 0xfff;
		found.rdev_minor = (where & 0xff) | (where >> 12 & 0xfff00);
	}
	if (found.type == KATAIMG_LNK) {
		found.target = target;
		ret = size < sizeof(target)
			      ? host->window_read(host->ctx, off, target, (size_t)size)
			      : refuse(reading, nid, "has too long a target");
	}
	if (ret == 0)
		ret = sink->inode(sink->ctx, &found);
	if (ret == 0 && found.type == KATAIMG_REG && size)
		ret = sink->range(sink->ctx, nid, 0, size, off);
	return ret == 0 && found.type == KATAIMG_DIR ? read_dir(reading, nid, off, size) : ret;
}

static int stub_read(const struct kataimg_host *host, uint64_t window_bytes,
		     const struct kataimg_sink *sink, void **state)
{
	struct reading reading = { host, sink, window_bytes / BLOCK_BYTES };
	struct kataimg_fs_info info = { .struct_size = sizeof(info) };
	int ret = stub_probe(host, window_bytes, &info);

	*state = NULL; /* nothing is decoded */
	if (ret == -ENODATA) {
		host->error(host->ctx, "there is no EROFS that this backend wrote");
		return -EUCLEAN;
	}
	if (ret == 0)
		ret = sink->root(sink->ctx, INODES_OFF / NID_BYTES);
	for (uint64_t i = 0; ret == 0 && i < info.inodes; i++)
		ret = read_inode(&reading, (INODES_OFF + i * INODE_BYTES) / NID_BYTES);
	return ret;
}

KATAIMG_BACKEND(.name = "erofs-stub", .version = "1.0",
		.summary = "EROFS, the least of it: the example of how to write a backend",
		.capabilities = KATAIMG_CAP_SYMLINKS | KATAIMG_CAP_DEVICES | KATAIMG_CAP_FIFOS |
				KATAIMG_CAP_SOCKETS | KATAIMG_CAP_NANOSECONDS | KATAIMG_CAP_DAX |
				KATAIMG_CAP_WRITE_AGAIN,
		.job_features = KATAIMG_JOB_DAX, .options = stub_options,
		.option_count = sizeof(stub_options) / sizeof(stub_options[0]), .open = stub_open,
		.limits = stub_limits, .plan = stub_plan, .describe = stub_describe,
		.write = stub_write, .verify = stub_verify, .close = stub_close,
		.probe = stub_probe, .read = stub_read);
