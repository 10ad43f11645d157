/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: read-xfs SECONDS SEED IMAGE...: damages the metadata of the images, in memory and with its
 * checksums made right again, and reads them. What comes of it is of no matter, as long as
 * something comes: dead or hanging, the seed of the last line says how.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/reader/reader.h"
#include "lib/array.h"
#include "plugins/xfs/read.h"
#include "plugins/xfs/seal.h"

#define HANG_SECONDS 30
#define READ_BYTES 4096u
#define SECTOR_BYTES 512u
#define ROUND 256
#define DAMAGED_MAX 4

/* A piece of metadata that has a checksum. */
struct object {
	size_t off, len, crc_off;
	uint32_t magic;
};

struct image {
	const char *path;
	int fd;
	uint8_t *bytes; /* of fd */
	size_t len;
	ARRAY(struct object) objects;
};

struct saved {
	struct object object;
	uint8_t *bytes;
};

static const struct {
	uint32_t magic;
	uint32_t magic_off, magic_bytes;
	size_t crc_off;
} kinds[] = {
	{ XFS_INODE_MAGIC, 0, 2, offsetof(struct xfs_dinode, crc) },
	{ XFS_SB_MAGIC, 0, 4, offsetof(struct xfs_superblock, crc) },
	{ XFS_BMBT_MAGIC, 0, 4, offsetof(struct xfs_long_btree, crc) },
	{ XFS_SYMLINK_MAGIC, 0, 4, offsetof(struct xfs_symlink_header, crc) },
	{ XFS_ATTR_VALUE_MAGIC, 0, 4, offsetof(struct xfs_attr_value, crc) },
	{ XFS_DIR_BLOCK_MAGIC, 0, 4, offsetof(struct xfs_dir_block, crc) },
	{ XFS_DIR_DATA_MAGIC, 0, 4, offsetof(struct xfs_dir_block, crc) },
	{ XFS_DA_NODE_MAGIC, 8, 2, offsetof(struct xfs_da_block, crc) },
	{ XFS_ATTR_LEAF_MAGIC, 8, 2, offsetof(struct xfs_da_block, crc) },
};

static uint64_t random_state;

static uint64_t next_random(uint64_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (random_state >> 33) % below;
}

/* ---- Images ---- */

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

/* Images are sparse, and larger than they need be. */
static void copy_data(int from, const struct image *image)
{
	off_t off = 0;

	while ((off = lseek(from, off, SEEK_DATA)) >= 0) {
		off_t end = lseek(from, off, SEEK_HOLE);

		for (ssize_t part; off < end; off += part) {
			part = pread(from, image->bytes + off, (size_t)(end - off), off);
			if (part <= 0)
				fail(image->path);
		}
	}
}

static size_t size_of(const struct xfs_superblock *super, uint32_t magic)
{
	switch (magic) {
	case XFS_INODE_MAGIC:
		return from_be16(super->inodesize);
	case XFS_SB_MAGIC:
		return from_be16(super->sectsize);
	case XFS_DIR_BLOCK_MAGIC:
	case XFS_DIR_DATA_MAGIC:
		return (size_t)from_be32(super->blocksize) << super->dirblklog;
	default:
		return from_be32(super->blocksize);
	}
}

/* Changes nothing, whatever it is. */
static bool is_sealed(uint8_t *bytes, const struct object *object)
{
	uint8_t stored[sizeof(le32)];
	bool sealed;

	memcpy(stored, bytes + object->crc_off, sizeof(stored));
	sealed = xfs_seal_matches(bytes, object->len, object->crc_off);
	memcpy(bytes + object->crc_off, stored, sizeof(stored));
	return sealed;
}

/* An object whose checksum is right. */
static void find_object(struct image *image, size_t off)
{
	struct xfs_superblock super;

	memcpy(&super, image->bytes, sizeof(super));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const uint8_t *at = image->bytes + off + kinds[i].magic_off;
		struct object object = { off, size_of(&super, kinds[i].magic), kinds[i].crc_off,
					 kinds[i].magic };
		uint32_t magic = 0;
		struct object *added;

		for (uint32_t byte = 0; byte < kinds[i].magic_bytes; byte++)
			magic = magic << 8 | at[byte];
		if (magic != object.magic || object.len > image->len - off ||
		    !is_sealed(image->bytes + off, &object))
			continue;
		added = array_add(&image->objects);
		if (!added)
			fail(image->path);
		*added = object;
	}
}

static struct image load(const char *path)
{
	struct image image = { .path = path, .fd = memfd_create("image", MFD_CLOEXEC) };
	int from = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (from < 0 || fstat(from, &st) < 0 || image.fd < 0 || ftruncate(image.fd, st.st_size) < 0)
		fail(path);
	image.len = (size_t)st.st_size;
	image.bytes = mmap(NULL, image.len, PROT_READ | PROT_WRITE, MAP_SHARED, image.fd, 0);
	if (image.bytes == MAP_FAILED)
		fail(path);
	copy_data(from, &image);
	close(from);
	for (off_t off = 0; (off = lseek(image.fd, off, SEEK_DATA)) >= 0;) {
		off_t end = lseek(image.fd, off, SEEK_HOLE);

		for (off -= off % SECTOR_BYTES; off + (off_t)SECTOR_BYTES <= end;
		     off += SECTOR_BYTES)
			find_object(&image, (size_t)off);
		off = end;
	}
	return image;
}

/* ---- Damage ---- */

static void damage(const struct image *image, const struct object *object)
{
	static const uint64_t values[] = {
		0,
		1,
		2,
		3,
		0x7f,
		0xff,
		0x7fff,
		0x8000,
		0xffff,
		0x7fffffff,
		0x80000000,
		0xffffffff,
		UINT64_C(0x7fffffffffffffff),
		UINT64_C(0x8000000000000000),
		UINT64_MAX,
	};
	/* What counts and points lies in front. */
	size_t most = next_random(2) && object->len > 256 ? 256 : object->len;
	size_t width = (size_t)1 << next_random(4), at = next_random(most / width) * width;
	uint64_t value = values[next_random(sizeof(values) / sizeof(values[0]))];
	const struct object *other = &image->objects.items[next_random(image->objects.count)];
	uint8_t *bytes = image->bytes + object->off;

	switch (next_random(5)) {
	case 0:
		bytes[at] ^= (uint8_t)(1u << next_random(8));
		break;
	case 1:
		bytes[at] = (uint8_t)next_random(256);
		break;
	case 2:
		for (size_t i = 0; i < width; i++)
			bytes[at + i] = (uint8_t)(value >> 8 * (width - 1 - i));
		break;
	case 3: /* what has its form, from elsewhere in the object */
		memmove(bytes + at, bytes + next_random(object->len / width) * width, width);
		break;
	default: /* or from the same place of another one */
		if (at + width <= other->len)
			memmove(bytes + at, image->bytes + other->off + at, width);
	}
}

static void save(const struct image *image, const struct object *object, struct saved *saved)
{
	saved->object = *object;
	saved->bytes = malloc(object->len);
	if (!saved->bytes)
		fail(image->path);
	memcpy(saved->bytes, image->bytes + object->off, object->len);
}

static void restore(const struct image *image, struct saved *saved)
{
	memcpy(image->bytes + saved->object.off, saved->bytes, saved->object.len);
	free(saved->bytes);
}

static void damage_object(const struct image *image, struct saved *saved)
{
	const struct object *object = &image->objects.items[next_random(image->objects.count)];
	le32 none = { 0 };

	/* One in eight is the superblock, on which all else stands. */
	if (next_random(8) == 0)
		object = &image->objects.items[0];
	save(image, object, saved);
	for (uint64_t i = next_random(4) + 1; i > 0; i--)
		damage(image, object);
	memcpy(image->bytes + object->off + object->crc_off, &none, sizeof(none));
	xfs_seal(image->bytes + object->off, object->len, object->crc_off);
}

/* ---- Reading ---- */

/* The first and last bytes of each file. */
static void read_files(const struct tree *tree)
{
	const struct kataimg_tree *nodes = tree_public(tree);
	static char bytes[READ_BYTES];

	for (uint64_t i = 0; i < nodes->node_count; i++) {
		const struct kataimg_node *node = nodes->nodes[i];
		size_t len = node->size < sizeof(bytes) ? (size_t)node->size : sizeof(bytes);
		autoerror struct error error = ERROR_INIT;

		if (node->type != KATAIMG_REG)
			continue;
		if (tree_read(tree, node, 0, bytes, len, &error) == 0)
			tree_read(tree, node, node->size - len, bytes, len, &error);
	}
}

static bool read_image(const struct image *image)
{
	const struct reader_options options = { .threads = 1 };
	const struct host_range window = { image->fd, 0, image->len };
	autoerror struct error error = ERROR_INIT;
	struct tree *tree = NULL;
	struct backend backend;
	int ret;

	memset(&backend, 0, sizeof(backend));
	backend.table.name = "xfs";
	backend.table.read = xfs_read;
	alarm(HANG_SECONDS);
	ret = reader_read(&backend, &window, &options, &tree, &error);
	if (ret < 0)
		return false;
	read_files(tree);
	tree_free(tree);
	return true;
}

static bool try_seed(const struct image *image, uint64_t seed)
{
	struct saved saved[DAMAGED_MAX];
	uint64_t count;
	bool sound;

	random_state = seed;
	count = next_random(DAMAGED_MAX) + 1;
	for (uint64_t i = 0; i < count; i++)
		damage_object(image, &saved[i]);
	sound = read_image(image);
	while (count > 0)
		restore(image, &saved[--count]);
	return sound;
}

static long memory_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 3 ? atoi(argv[1]) : 0);
	uint64_t seed = argc > 3 ? strtoull(argv[2], NULL, 10) : 0, tried = 0, sound = 0;
	struct image *images = calloc((size_t)argc, sizeof(*images));

	if (argc < 4 || !images)
		return 2;
	for (int i = 3; i < argc; i++) {
		images[i - 3] = load(argv[i]);
		if (!read_image(&images[i - 3])) {
			fprintf(stderr, "%s: cannot be read undamaged\n", argv[i]);
			return 1;
		}
	}
	for (; time(NULL) < end; tried++, seed++) {
		const struct image *image = &images[seed % (uint64_t)(argc - 3)];

		if (tried % ROUND == 0)
			fprintf(stderr, "\rfrom %" PRIu64 ", %ld KiB", seed, memory_kib());
		sound += try_seed(image, seed);
	}
	fprintf(stderr, "\n%" PRIu64 " tried, %" PRIu64 " could be read\n", tried, sound);
	for (int i = 3; i < argc; i++)
		array_free(&images[i - 3].objects);
	free(images);
	return 0;
}
