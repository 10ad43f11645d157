/* SPDX-License-Identifier: Apache-2.0 */
/* Where an inode's bytes are. */
#include <inttypes.h>
#include <string.h>

#include "lib/crc32c.h"
#include "lib/round.h"
#include "plugins/ext4/read.h"

/* A map that is being walked. Pieces come ascending; those that touch become one. */
struct map {
	struct ext4_reader *reader;
	const struct ext4_found_inode *inode;
	const struct ext4_emit *emit;
	struct ext4_piece piece; /* not told yet; of no bytes at first */
	uint64_t blocks;         /* that the size has room for */
	uint64_t next;           /* the first one that can still be mapped */
};

int ext4_reader_fetch_block(struct ext4_reader *reader, uint64_t block, uint8_t *buf)
{
	if (block >= reader->blocks)
		return window_refuse(&reader->window,
				     "its metadata is outside the filesystem: block %" PRIu64,
				     block);
	return window_fetch(&reader->window, block * reader->block_bytes, buf, reader->block_bytes);
}

static int refuse(const struct map *map, const char *why)
{
	return window_refuse(&map->reader->window, "the map of inode %u %s", map->inode->ino, why);
}

/* ---- Pieces ---- */

static int tell_piece(struct map *map)
{
	const struct ext4_piece piece = map->piece;

	map->piece.len = 0;
	return piece.len ? map->emit->emit(map->reader, map->emit->arg, &piece) : 0;
}

/* `size` is the inode's: what lies behind it is not told. */
static int add_piece(struct map *map, uint64_t file_off, uint64_t len, uint64_t off)
{
	struct ext4_piece *last = &map->piece;
	uint64_t size = map->inode->size;
	int ret;

	if (file_off >= size)
		return 0;
	if (len > size - file_off)
		len = size - file_off;
	if (last->len && last->file_off + last->len == file_off && last->off + last->len == off) {
		last->len += len;
		return 0;
	}
	ret = tell_piece(map);
	*last = (struct ext4_piece){ file_off, len, off };
	return ret;
}

static int add_blocks(struct map *map, uint64_t number, uint64_t count, uint64_t start)
{
	uint32_t bytes = map->reader->block_bytes;

	if (start >= map->reader->blocks || count > map->reader->blocks - start)
		return window_refuse(&map->reader->window,
				     "inode %u has data outside the filesystem: %" PRIu64
				     " blocks at block %" PRIu64,
				     map->inode->ino, count, start);
	return add_piece(map, number * bytes, count * bytes, start * bytes);
}

/* ---- Extents ---- */

/* A node of the tree, in the inode or in a block. */
struct node {
	const uint8_t *bytes;
	struct ext4_extent_header header;
	uint32_t next; /* entry */
};

static int open_node(const struct map *map, struct node *node, const uint8_t *bytes, uint32_t len)
{
	*node = (struct node){ .bytes = bytes };
	memcpy(&node->header, bytes, sizeof(node->header));
	if (from_le16(node->header.magic) != EXT4_EXTENT_MAGIC)
		return refuse(map, "has a node that is none");
	if (from_le16(node->header.entries) > from_le16(node->header.max) ||
	    from_le16(node->header.max) >
		    (len - sizeof(node->header)) / sizeof(struct ext4_extent_leaf))
		return refuse(map, "has a node with more entries than it has room for");
	return 0;
}

static int check_node(const struct map *map, const uint8_t *bytes)
{
	struct ext4_extent_header header;
	uint32_t len, crc;
	le32 checksum;

	if (!map->reader->has_checksums)
		return 0;
	memcpy(&header, bytes, sizeof(header));
	len = (uint32_t)(sizeof(header) + from_le16(header.max) * sizeof(struct ext4_extent_leaf));
	if (len > map->reader->block_bytes - sizeof(checksum))
		return refuse(map, "has a node without room for its checksum");
	memcpy(&checksum, bytes + len, sizeof(checksum));
	crc = crc32c(map->inode->seed, bytes, len);
	return crc == from_le32(checksum)
		       ? 0
		       : refuse(map, "has an extent block with a wrong checksum");
}

static int load_node(const struct map *map, uint64_t block, unsigned int level, struct node *node)
{
	struct ext4_reader *reader = map->reader;
	uint8_t *bytes = reader->levels[level];
	int ret = window_look(&reader->window, reader->block_bytes);

	if (ret < 0)
		return ret;
	ret = ext4_reader_fetch_block(reader, block, bytes);
	if (ret < 0)
		return ret;
	ret = open_node(map, node, bytes, reader->block_bytes);
	if (ret < 0)
		return ret;
	if (from_le16(node->header.depth) != level)
		return refuse(map, "has a node at a depth that is not its own");
	return check_node(map, bytes);
}

static int add_extent(struct map *map, const struct ext4_extent_leaf *extent)
{
	uint32_t len = from_le16(extent->len), number = from_le32(extent->block);
	uint64_t start = (uint64_t)from_le16(extent->start_hi) << 32 | from_le32(extent->start_lo);
	bool is_written = len <= EXT4_EXTENT_MAX_BLOCKS;

	if (!is_written)
		len -= EXT4_EXTENT_MAX_BLOCKS;
	if (len == 0 || number < map->next)
		return refuse(map, "has an extent that is empty or lies over another");
	map->next = (uint64_t)number + len;
	return is_written ? add_blocks(map, number, len, start) : 0;
}

static int descend(const struct map *map, const struct ext4_extent_index *index, unsigned int level,
		   struct node *node)
{
	return load_node(map, (uint64_t)from_le16(index->leaf_hi) << 32 | from_le32(index->leaf_lo),
			 level, node);
}

/* nodes[level]: the one that is being read at each distance from the leaves. */
static int walk_nodes(struct map *map, struct node *nodes, unsigned int depth)
{
	unsigned int level = depth;
	int ret = 0;

	while (ret == 0) {
		struct node *node = &nodes[level];
		const uint8_t *entry = node->bytes + sizeof(node->header) +
				       node->next * sizeof(struct ext4_extent_leaf);
		struct ext4_extent_leaf leaf;
		struct ext4_extent_index index;

		if (node->next == from_le16(node->header.entries)) {
			if (level == depth)
				return 0;
			level++;
			continue;
		}
		node->next++;
		memcpy(&leaf, entry, sizeof(leaf));
		memcpy(&index, entry, sizeof(index));
		if (level == 0) {
			ret = add_extent(map, &leaf);
		} else {
			level--;
			ret = descend(map, &index, level, &nodes[level]);
		}
	}
	return ret;
}

static int map_extents(struct map *map)
{
	struct node nodes[EXT4_EXTENT_DEPTH_MAX + 1];
	struct node root;
	unsigned int depth;
	int ret = open_node(map, &root, map->inode->block, EXT4_INODE_BLOCK_BYTES);

	if (ret < 0)
		return ret;
	depth = from_le16(root.header.depth);
	if (depth > EXT4_EXTENT_DEPTH_MAX)
		return refuse(map, "is deeper than any");
	nodes[depth] = root;
	return walk_nodes(map, nodes, depth);
}

/* ---- Block numbers, in blocks of them, as in ext2 ---- */

#define DIRECT_BLOCKS 12u
#define INDIRECT_LEVELS 3u

/* A block of numbers, of which each stands for `step` blocks. */
struct numbers {
	const uint8_t *bytes;
	uint32_t count;
	uint32_t next;
	uint64_t step;
};

static int load_numbers(const struct map *map, uint32_t block, unsigned int level,
			struct numbers *numbers)
{
	struct ext4_reader *reader = map->reader;
	uint32_t count = reader->block_bytes / (uint32_t)sizeof(le32);
	int ret = window_look(&reader->window, reader->block_bytes);

	if (ret < 0)
		return ret;
	*numbers = (struct numbers){ .bytes = reader->levels[level], .count = count, .step = 1 };
	for (unsigned int i = 0; i < level; i++)
		numbers->step *= count;
	return ext4_reader_fetch_block(reader, block, reader->levels[level]);
}

/* levels[0] has the numbers of data; `top` is where the inode's number led to. */
static int walk_numbers(struct map *map, struct numbers *levels, unsigned int top)
{
	unsigned int level = top;
	int ret = 0;

	while (ret == 0 && map->next < map->blocks) {
		struct numbers *numbers = &levels[level];
		le32 disk;
		uint32_t block;

		if (numbers->next == numbers->count) {
			if (level == top)
				return 0;
			level++;
			continue;
		}
		memcpy(&disk, numbers->bytes + numbers->next++ * sizeof(disk), sizeof(disk));
		block = from_le32(disk);
		if (block && level > 0) {
			level--;
			ret = load_numbers(map, block, level, &levels[level]);
			continue;
		}
		ret = block ? add_blocks(map, map->next, 1, block) : 0;
		map->next += numbers->step;
	}
	return ret;
}

static int map_indirect(struct map *map, uint32_t block, unsigned int level)
{
	struct numbers levels[INDIRECT_LEVELS];
	uint64_t span = 1;
	int ret;

	for (unsigned int i = 0; i <= level; i++)
		span *= map->reader->block_bytes / sizeof(le32);
	if (!block) {
		map->next += span;
		return 0;
	}
	ret = load_numbers(map, block, level, &levels[level]);
	return ret < 0 ? ret : walk_numbers(map, levels, level);
}

static int map_numbers(struct map *map)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < DIRECT_BLOCKS + INDIRECT_LEVELS; i++) {
		le32 disk;

		if (map->next >= map->blocks)
			break;
		memcpy(&disk, map->inode->block + i * sizeof(disk), sizeof(disk));
		if (i >= DIRECT_BLOCKS)
			ret = map_indirect(map, from_le32(disk), i - DIRECT_BLOCKS);
		else if (from_le32(disk))
			ret = add_blocks(map, map->next++, 1, from_le32(disk));
		else
			map->next++;
	}
	return ret;
}

/* ---- Inline ---- */

static int map_inline(struct map *map)
{
	uint64_t off;
	uint32_t bytes;
	int ret = ext4_reader_inline_rest(map->reader, map->inode, &off, &bytes);

	if (ret < 0)
		return ret;
	ret = add_piece(map, 0, EXT4_INODE_BLOCK_BYTES,
			map->inode->off + offsetof(struct ext4_inode, block));
	if (ret < 0 || bytes == 0)
		return ret;
	return add_piece(map, EXT4_INODE_BLOCK_BYTES, bytes, off);
}

int ext4_reader_pieces(struct ext4_reader *reader, const struct ext4_found_inode *inode,
		       const struct ext4_emit *emit)
{
	struct map map = { .reader = reader, .inode = inode, .emit = emit };
	int ret;

	map.blocks = div_up(inode->size, reader->block_bytes);
	if (inode->flags & EXT4_INODE_INLINE)
		ret = map_inline(&map);
	else if (inode->flags & EXT4_INODE_EXTENTS)
		ret = map_extents(&map);
	else
		ret = map_numbers(&map);
	return ret < 0 ? ret : tell_piece(&map);
}

/* ---- The bytes themselves ---- */

struct copy {
	uint8_t *bytes;
	size_t len;
};

static int copy_piece(struct ext4_reader *reader, void *arg, const struct ext4_piece *piece)
{
	const struct copy *copy = arg;
	uint64_t len = piece->len;

	if (piece->file_off >= copy->len)
		return 0;
	if (len > copy->len - piece->file_off)
		len = copy->len - piece->file_off;
	return window_fetch(&reader->window, piece->off, copy->bytes + piece->file_off,
			    (size_t)len);
}

int ext4_reader_content(struct ext4_reader *reader, const struct ext4_found_inode *inode, void *buf,
			size_t len)
{
	struct copy copy = { buf, len };
	const struct ext4_emit emit = { copy_piece, &copy };

	memset(buf, 0, len);
	return ext4_reader_pieces(reader, inode, &emit);
}
