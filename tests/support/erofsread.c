/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/erofsread.h"

#include <lz4.h>

#include "check/support/must.h"

#define BLOCK 4096u

static uint64_t get(const uint8_t *at, unsigned int bytes)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

static uint64_t read_number(const struct trial *trial, uint64_t off, unsigned int bytes)
{
	uint8_t buf[8];

	trial_read(trial, off, buf, bytes);
	return get(buf, bytes);
}

static struct erofsread_inode read_inode(const struct trial *trial, uint64_t nid)
{
	struct erofsread_inode inode = { .nid = nid, .inode_off = nid * 32 };
	uint64_t format = read_number(trial, inode.inode_off, 2);
	uint64_t xattrs = read_number(trial, inode.inode_off + 2, 2);

	must(format < 16);
	inode.layout = (uint8_t)(format >> 1);
	inode.inode_bytes = format & 1 ? 64 : 32;
	inode.xattr_bytes = xattrs ? 12 + (xattrs - 1) * 4 : 0;
	inode.mode = (uint16_t)read_number(trial, inode.inode_off + 4, 2);
	inode.size = read_number(trial, inode.inode_off + 8, format & 1 ? 8 : 4);
	inode.u = (uint32_t)read_number(trial, inode.inode_off + 16, 4);
	return inode;
}

static uint64_t after_xattrs(const struct erofsread_inode *inode)
{
	return inode->inode_off + inode->inode_bytes + inode->xattr_bytes;
}

static void read_flat(const struct trial *trial, const struct erofsread_inode *inode, uint8_t *out)
{
	uint64_t tail = inode->layout == 2 ? inode->size % BLOCK : 0;
	uint64_t off = after_xattrs(inode);

	trial_read(trial, (uint64_t)inode->u * BLOCK, out, inode->size - tail);
	must(!tail || off / BLOCK == (off + tail - 1) / BLOCK);
	trial_read(trial, off, out + inode->size - tail, tail);
}

static void read_chunks(const struct trial *trial, const struct erofsread_inode *inode,
			uint8_t *out)
{
	uint64_t chunk = (uint64_t)BLOCK << (inode->u & 31);

	for (uint64_t i = 0; i * chunk < inode->size; i++) {
		uint64_t rest = inode->size - i * chunk;
		uint64_t block = read_number(trial, after_xattrs(inode) + i * 4, 4);

		if (block != UINT32_MAX)
			trial_read(trial, block * BLOCK, out + i * chunk,
				   rest < chunk ? rest : chunk);
	}
}

/* ---- Compact indexes ---- */

enum { PLAIN, HEAD, NONHEAD };

/* Bits of a map header's advise. */
enum { TAIL_INLINE = 8, TAIL_FRAGMENT = 32 };

#define BLOCKS_MAX 256

struct index_record {
	unsigned int type;
	unsigned int offset;  /* PLAIN, HEAD */
	unsigned int back;    /* NONHEAD */
	unsigned int forward; /* NONHEAD, when it is known; else 0 */
	unsigned int blocks;  /* NONHEAD with a count; else 0 */
	uint32_t block;       /* PLAIN, HEAD */
};

struct pack {
	uint8_t bytes[32 + 4];
	unsigned int count, bits, index;
	bool big;
};

static unsigned int pack_get(const struct pack *pack, unsigned int i, unsigned int *type)
{
	uint64_t value = get(pack->bytes + i * pack->bits / 8, 4) >> (i * pack->bits % 8);

	*type = value >> 12 & 3;
	return value & 0xfff;
}

static struct pack load_pack(const struct trial *trial, const struct erofsread_inode *inode,
			     uint64_t cluster)
{
	uint64_t header = (after_xattrs(inode) + 7) / 8 * 8, base = header + 8;
	uint64_t advise = read_number(trial, header + 4, 2);
	uint64_t total = (inode->size + BLOCK - 1) / BLOCK;
	uint64_t before = (32 - base % 32) % 32 / 4;
	uint64_t big = before < total ? (total - before) / 16 * 16 : 0;
	struct pack pack = { .count = 2, .bits = 16, .big = advise & 2 };

	must((advise & 7) == 1 || (advise & 7) == 7);
	must((advise & ~7u) == TAIL_INLINE || (advise & ~7u) == TAIL_FRAGMENT ||
	     advise == (advise & 7));
	must(advise > 7 || !read_number(trial, header, 4));
	must(!read_number(trial, header + 6, 2));
	if (cluster >= before && cluster < before + big) {
		pack.count = 16;
		pack.bits = 14;
		pack.index = (cluster - before) % 16;
		base += before * 4 + (cluster - before - pack.index) * 2;
		must(base % 32 == 0);
	} else {
		pack.index = cluster % 2;
		base += (cluster - pack.index) * 4;
		if (cluster >= before + big)
			base -= big * 2;
	}
	trial_read(trial, base, pack.bytes, pack.count == 16 ? 32 : 8);
	return pack;
}

/* How many blocks the extents before the one at this index have, counted from the pack's base. */
static uint32_t count_blocks(const struct pack *pack)
{
	int i = (int)pack->index;
	uint32_t blocks = pack->big ? 0 : 1;

	while (i > 0) {
		unsigned int type, low = pack_get(pack, (unsigned int)--i, &type);

		if (type != NONHEAD) {
			blocks++;
		} else if (!pack->big) {
			i -= (int)low;
			blocks += i >= 0;
		} else if (low & 0x800) {
			i--;
			blocks += low & 0x7ff;
		} else {
			must(low > 1);
			i -= (int)low - 2;
		}
	}
	return blocks;
}

static struct index_record read_record(const struct trial *trial,
				       const struct erofsread_inode *inode, uint64_t cluster)
{
	struct pack pack = load_pack(trial, inode, cluster);
	struct index_record record = { 0 };
	unsigned int low = pack_get(&pack, pack.index, &record.type), type;

	must(record.type <= NONHEAD);
	if (record.type != NONHEAD) {
		record.offset = low;
		record.block = (uint32_t)get(pack.bytes + pack.count * pack.bits / 8, 4) +
			       count_blocks(&pack);
	} else if (low & 0x800) {
		must(pack.big);
		record.back = 1;
		record.blocks = low & 0x7ff;
	} else if (pack.index + 1 < pack.count) {
		record.back = low;
	} else {
		record.forward = low;
		low = pack_get(&pack, pack.index - 1, &type);
		record.back = type != NONHEAD ? 1 : low & 0x800 ? 2 : low + 1;
	}
	return record;
}

static void unpack(const uint8_t *data, uint64_t len, uint8_t *out, uint64_t out_len)
{
	const uint8_t *end = data + len;

	while (!*data)
		data++;
	must(LZ4_decompress_safe((const char *)data, (char *)out, (int)(end - data),
				 (int)out_len) == (int)out_len);
}

/* Bytes of the packed inode, which is decoded each time: trees of tests are small. */
static void read_packed(const struct trial *trial, uint64_t off, uint8_t *out, uint64_t len)
{
	uint64_t nid = read_number(trial, 1024 + 96, 8);
	struct erofsread_inode packed = read_inode(trial, nid);
	uint8_t *content;

	must(nid && off + len <= packed.size);
	content = erofsread_content(trial, &packed);
	memcpy(out, content + off, len);
	free(content);
}

/* The bytes behind the index: they end in its last block. */
static void read_inline(const struct trial *trial, const struct erofsread_inode *inode, bool plain,
			uint8_t *out, uint64_t out_len)
{
	uint64_t header = (after_xattrs(inode) + 7) / 8 * 8;
	uint64_t total = (inode->size + BLOCK - 1) / BLOCK, base = header + 8;
	uint64_t before = (32 - base % 32) % 32 / 4;
	uint64_t big = before < total ? (total - before) / 16 * 16 : 0;
	uint64_t off = base + big * 2 + (total - big + 1) / 2 * 8;
	uint64_t len = read_number(trial, header + 2, 2);
	uint8_t data[BLOCK];

	must(len && off / BLOCK == (off + len - 1) / BLOCK);
	trial_read(trial, off, data, len);
	must(!plain || len == out_len);
	if (plain)
		memcpy(out, data, len);
	else
		unpack(data, len, out, out_len);
}

/* The last extent, where it lies in no block. */
static void read_tail(const struct trial *trial, const struct erofsread_inode *inode,
		      const struct index_record *head, uint8_t *out, uint64_t len)
{
	uint64_t header = (after_xattrs(inode) + 7) / 8 * 8;

	if (read_number(trial, header + 4, 2) & TAIL_INLINE) {
		read_inline(trial, inode, head->type == PLAIN, out, len);
		return;
	}
	must(head->type == HEAD);
	read_packed(trial, read_number(trial, header, 4), out, len);
}

static bool has_tail(const struct trial *trial, const struct erofsread_inode *inode)
{
	uint64_t header = (after_xattrs(inode) + 7) / 8 * 8;

	return read_number(trial, header + 4, 2) & (TAIL_INLINE | TAIL_FRAGMENT);
}

/* Decodes the extent that begins in a cluster, up to the next one. Returns the cluster after it. */
static uint64_t read_extent(const struct trial *trial, const struct erofsread_inode *inode,
			    uint64_t cluster, uint8_t *out)
{
	struct index_record head = read_record(trial, inode, cluster), next = { 0 };
	uint64_t start = cluster * BLOCK + head.offset, end = inode->size;
	uint64_t total = (inode->size + BLOCK - 1) / BLOCK, at = cluster + 1;
	uint64_t promised = 0; /* where the records say that the next extent begins */
	unsigned int blocks = 1;
	uint8_t *data;

	must(head.type != NONHEAD);
	for (; at < total; at++) {
		next = read_record(trial, inode, at);
		if (next.type != NONHEAD)
			break;
		must(next.back == at - cluster);
		must(!promised || !next.forward || at + next.forward == promised);
		if (next.forward)
			promised = at + next.forward;
		if (next.blocks)
			blocks = next.blocks;
	}
	must(!promised || promised == at);
	if (at < total)
		end = at * BLOCK + next.offset;
	must(blocks >= 1 && blocks <= BLOCKS_MAX && end >= start && end <= inode->size);
	if (end == start) /* the record that says where the last extent ends */
		return at;
	if (end == inode->size && has_tail(trial, inode)) {
		read_tail(trial, inode, &head, out + start, end - start);
		return at;
	}
	data = must_calloc(blocks, BLOCK);
	trial_read(trial, (uint64_t)head.block * BLOCK, data, blocks * BLOCK);
	if (head.type == PLAIN) {
		must(end - start <= BLOCK);
		memcpy(out + start, data, end - start);
	} else {
		unpack(data, blocks * BLOCK, out + start, end - start);
	}
	free(data);
	return at;
}

static void read_compressed(const struct trial *trial, const struct erofsread_inode *inode,
			    uint8_t *out)
{
	uint64_t total = (inode->size + BLOCK - 1) / BLOCK, cluster = 0;
	uint64_t whole = read_number(trial, (after_xattrs(inode) + 7) / 8 * 8, 8);

	if (whole >> 63) {
		read_packed(trial, whole & ~(UINT64_C(1) << 63), out, inode->size);
		return;
	}
	while (cluster < total)
		cluster = read_extent(trial, inode, cluster, out);
}

uint8_t *erofsread_content(const struct trial *trial, const struct erofsread_inode *inode)
{
	uint8_t *out = must_calloc(inode->size + 1, 1);

	if (inode->layout == 3)
		read_compressed(trial, inode, out);
	else if (inode->layout == 4)
		read_chunks(trial, inode, out);
	else
		read_flat(trial, inode, out);
	return out;
}

/* ---- Paths ---- */

/* The nid of a name in a directory block; 0: not there. */
static uint64_t find_in_block(const uint8_t *block, uint64_t used, const char *name, size_t len)
{
	uint64_t count = get(block + 8, 2) / 12;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t off = get(block + i * 12 + 8, 2);
		uint64_t end = i + 1 < count ? get(block + (i + 1) * 12 + 8, 2) : used;

		if (i + 1 == count)
			end = off + strnlen((const char *)block + off, used - off);
		if (end - off == len && !memcmp(block + off, name, len))
			return get(block + i * 12, 8);
	}
	return 0;
}

static uint64_t find_name(const struct trial *trial, const struct erofsread_inode *dir,
			  const char *name, size_t len)
{
	uint8_t *content = erofsread_content(trial, dir);
	uint64_t nid = 0;

	for (uint64_t off = 0; off < dir->size && !nid; off += BLOCK)
		nid = find_in_block(content + off,
				    dir->size - off < BLOCK ? dir->size - off : BLOCK, name, len);
	free(content);
	return nid;
}

struct erofsread_inode erofsread_find(const struct trial *trial, const char *path)
{
	struct erofsread_inode inode = read_inode(trial, read_number(trial, 1024 + 14, 2));

	while (*path) {
		size_t len = strcspn(path, "/");
		uint64_t nid = find_name(trial, &inode, path, len);

		if (!nid)
			must_die(__FILE__, __LINE__, path);
		inode = read_inode(trial, nid);
		path += len + (path[len] == '/');
	}
	return inode;
}

void erofsread_compare(const struct trial *trial, const struct kataimg_tree *tree)
{
	for (uint64_t i = 0; i < tree->node_count; i++) {
		const struct kataimg_node *node = tree->nodes[i];
		char path[4096];
		struct erofsread_inode inode;
		uint8_t *found, *expected;

		if (node->type != KATAIMG_REG)
			continue;
		inode = erofsread_find(trial, tree_path(node, path, sizeof(path)));
		must(inode.size == node->size);
		found = erofsread_content(trial, &inode);
		expected = must_calloc(node->size + 1, 1);
		must(memtree_read(node, 0, expected, node->size) == 0);
		if (memcmp(found, expected, node->size))
			must_die(__FILE__, __LINE__, path);
		free(found);
		free(expected);
	}
}
