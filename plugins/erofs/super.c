/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/super.h"

#include <stdio.h>
#include <string.h>

#include "lib/crc32c.h"
#include "plugins/erofs/zstd.h"

struct feature {
	uint32_t bit;
	const char *name;     /* as dump.erofs calls it */
	uint8_t major, minor; /* the first kernel that reads it */
};

static const struct feature compat_features[] = {
	{ EROFS_COMPAT_SB_CHKSUM, "sb_csum", 5, 4 },
	{ EROFS_COMPAT_MTIME, "mtime", 5, 4 },
	{ EROFS_COMPAT_XATTR_FILTER, "xattr_filter", 5, 4 },
};

static const struct feature incompat_features[] = {
	{ EROFS_INCOMPAT_ZERO_PADDING, "0padding", 5, 4 },
	{ EROFS_INCOMPAT_COMPR_CFGS, "compr_cfgs", 5, 13 },
	{ EROFS_INCOMPAT_CHUNKED_FILE, "chunked_file", 5, 15 },
	{ EROFS_INCOMPAT_DEVICE_TABLE, "device_table", 5, 16 },
	{ EROFS_INCOMPAT_ZTAILPACKING, "ztailpacking", 5, 17 },
	{ EROFS_INCOMPAT_FRAGMENTS, "fragments", 6, 1 },
	{ EROFS_INCOMPAT_XATTR_PREFIX, "xattr_prefixes", 6, 4 },
	{ EROFS_INCOMPAT_48BIT, "48bit", 6, 15 },
	{ EROFS_INCOMPAT_METABOX, "metabox", 6, 17 },
};

static const struct feature algorithm_features[] = {
	{ EROFS_ALGORITHM_LZMA, "lzma", 5, 16 },
	{ EROFS_ALGORITHM_DEFLATE, "deflate", 6, 6 },
	{ EROFS_ALGORITHM_ZSTD, "zstd", 6, 10 },
};

/* The first kernel that reads blocks smaller than a page. */
#define SMALL_BLOCKS_VERSION (6u << 8 | 4)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint16_t algorithm_of(const struct erofs_layout *layout)
{
	return layout->source->options.compress == EROFS_COMPRESS_ZSTD ? EROFS_ALGORITHM_ZSTD
								       : EROFS_ALGORITHM_LZ4;
}

uint32_t erofs_super_bytes(const struct erofs_layout *layout)
{
	uint32_t bytes = sizeof(struct erofs_super);

	if (!(layout->feature_incompat & EROFS_INCOMPAT_COMPR_CFGS))
		return bytes;
	return bytes + (uint32_t)(algorithm_of(layout) == EROFS_ALGORITHM_ZSTD
					  ? sizeof(struct erofs_zstd_config)
					  : sizeof(struct erofs_lz4_config));
}

/* What a reader must know of the algorithm: behind the superblock. */
static void put_config(const struct erofs_layout *layout, uint8_t *out)
{
	const struct erofs_options *options = &layout->source->options;
	uint32_t cluster_bytes = options->cluster_blocks * EROFS_BLOCK_BYTES;
	struct erofs_lz4_config lz4 = {
		.bytes = to_le16(sizeof(lz4) - sizeof(lz4.bytes)),
		.max_cluster_blocks = to_le16((uint16_t)options->cluster_blocks),
	};
	struct erofs_zstd_config zstd = { .bytes = to_le16(sizeof(zstd) - sizeof(zstd.bytes)) };

	if (algorithm_of(layout) == EROFS_ALGORITHM_LZ4) {
		memcpy(out, &lz4, sizeof(lz4));
		return;
	}
	zstd.window = (uint8_t)(erofs_zstd_window_bits(cluster_bytes) - EROFS_ZSTD_WINDOW_BITS);
	memcpy(out, &zstd, sizeof(zstd));
}

uint32_t erofs_super_encode(const struct erofs_layout *layout,
			    const struct erofs_identity *identity,
			    uint8_t out[EROFS_SUPER_BYTES_MAX])
{
	const struct erofs_source *source = layout->source;
	uint32_t bytes = erofs_super_bytes(layout);
	struct erofs_super super = {
		.magic = to_le32(EROFS_SUPER_MAGIC),
		.feature_compat = to_le32(EROFS_COMPAT_SB_CHKSUM | EROFS_COMPAT_MTIME),
		.block_bits = EROFS_BLOCK_BITS,
		.root_nid = to_le16((uint16_t)layout->inodes[0].nid),
		.inodes = to_le64(source->tree->node_count),
		.build_time = to_le64((uint64_t)source->job->build_time),
		.blocks = to_le32((uint32_t)layout->blocks),
		.xattr_block = to_le32((uint32_t)(layout->shared_off / EROFS_BLOCK_BYTES)),
		.feature_incompat = to_le32(layout->feature_incompat),
	};

	if (layout->pack)
		super.packed_nid =
			to_le64(layout->inodes[erofs_pack_node(layout->pack)->index].nid);
	if (bytes > sizeof(super)) {
		super.algorithms = to_le16(algorithm_of(layout));
		put_config(layout, out + sizeof(super));
	}
	memcpy(super.uuid, identity->uuid, sizeof(super.uuid));
	memcpy(super.label, identity->label, sizeof(super.label));
	memcpy(out, &super, sizeof(super));
	return bytes;
}

uint32_t erofs_super_checksum(const uint8_t *block, uint32_t block_bytes)
{
	struct erofs_super super;
	uint32_t crc;

	memcpy(&super, block + EROFS_SUPER_OFFSET, sizeof(super));
	super.checksum = to_le32(0);
	crc = crc32c(UINT32_MAX, &super, sizeof(super));
	return crc32c(crc, block + EROFS_SUPER_OFFSET + sizeof(super),
		      block_bytes - EROFS_SUPER_OFFSET - sizeof(super));
}

void erofs_super_seal(uint8_t block[EROFS_BLOCK_BYTES])
{
	le32 checksum = to_le32(erofs_super_checksum(block, EROFS_BLOCK_BYTES));

	memcpy(block + EROFS_SUPER_OFFSET + offsetof(struct erofs_super, checksum), &checksum,
	       sizeof(checksum));
}

/* Appends the names of the bits and returns those that have none. */
static uint32_t describe_features(uint32_t bits, const struct feature *features, size_t count,
				  struct kataimg_fs_info *info, uint32_t *version)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(info->features);
		uint32_t needs = (uint32_t)features[i].major << 8 | features[i].minor;

		if (!(bits & features[i].bit))
			continue;
		bits &= ~features[i].bit;
		if (needs > *version)
			*version = needs;
		snprintf(info->features + len, sizeof(info->features) - len, "%s%s", len ? " " : "",
			 features[i].name);
	}
	return bits;
}

void erofs_super_describe(const struct erofs_super *super, struct kataimg_fs_info *info)
{
	uint32_t incompat = from_le32(super->feature_incompat);
	uint64_t blocks = from_le32(super->blocks);
	uint32_t version = 5 << 8 | 4;
	uint32_t unknown;

	if (incompat & EROFS_INCOMPAT_48BIT && from_le64(super->root_nid_long))
		blocks |= (uint64_t)from_le16(super->root_nid) << 32;
	info->block_bytes = UINT64_C(1) << super->block_bits;
	info->size_bytes = blocks << super->block_bits;
	info->inodes = from_le64(super->inodes);
	info->free_bytes = 0;
	info->free_inodes = 0;
	memcpy(info->uuid, super->uuid, sizeof(info->uuid));
	snprintf(info->type, sizeof(info->type), "erofs");
	snprintf(info->label, sizeof(info->label), "%.*s", (int)sizeof(super->label),
		 (const char *)super->label);
	info->features[0] = '\0';
	describe_features(from_le32(super->feature_compat), compat_features, COUNT(compat_features),
			  info, &version);
	unknown = describe_features(incompat, incompat_features, COUNT(incompat_features), info,
				    &version);
	if (incompat & EROFS_INCOMPAT_COMPR_CFGS)
		unknown |= describe_features(from_le16(super->algorithms) & ~EROFS_ALGORITHM_LZ4,
					     algorithm_features, COUNT(algorithm_features), info,
					     &version);
	if (super->block_bits < EROFS_BLOCK_BITS && version < SMALL_BLOCKS_VERSION)
		version = SMALL_BLOCKS_VERSION;
	snprintf(info->min_kernel, sizeof(info->min_kernel), "%u.%u", version >> 8, version & 255);
	if (unknown)
		info->min_kernel[0] = '\0';
}

void erofs_super_foretell(const struct erofs_layout *layout, const struct erofs_identity *identity,
			  struct kataimg_fs_info *info)
{
	uint8_t bytes[EROFS_SUPER_BYTES_MAX];
	struct erofs_super super;

	erofs_super_encode(layout, identity, bytes);
	memcpy(&super, bytes, sizeof(super));
	erofs_super_describe(&super, info);
}
