/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/inode.h"

#include "lib/filetype.h"
#include "plugins/xfs/bmbt.h"
#include "plugins/xfs/dir.h"
#include "plugins/xfs/seal.h"

#define DEVICE_MINOR_BITS 18

uint64_t xfs_time_pack(int64_t sec, uint32_t nsec, bool bigtime)
{
	if (bigtime)
		return (uint64_t)(sec - XFS_TIME_MIN) * 1000000000 + nsec;
	return (uint64_t)(uint32_t)sec << 32 | nsec;
}

/* Adds what stands in front of the forks, which are packed already. */
static void put_core(const struct xfs_dinode *core, uint8_t *bytes)
{
	memcpy(bytes, core, sizeof(*core));
	xfs_seal(bytes, XFS_INODE_BYTES, offsetof(struct xfs_dinode, crc));
}

void xfs_inode_pack_free(const struct xfs_inode_job *job, uint64_t number, uint8_t *bytes)
{
	struct xfs_dinode core = {
		.magic = to_be16(XFS_INODE_MAGIC),
		.version = XFS_INODE_VERSION,
		.next_unlinked = to_be32(XFS_NULL_AGINO),
		.ino = to_be64(number),
	};

	memcpy(core.uuid, job->uuid, sizeof(core.uuid));
	put_core(&core, bytes);
}

/* What every used inode has. */
static struct xfs_dinode used_core(const struct xfs_inode_job *job, uint64_t number, int64_t sec,
				   uint32_t nsec)
{
	bool bigtime = job->layout->geo.params.modern;
	be64 time = to_be64(xfs_time_pack(sec, nsec, bigtime));
	struct xfs_dinode core = {
		.magic = to_be16(XFS_INODE_MAGIC),
		.version = XFS_INODE_VERSION,
		.atime = time,
		.mtime = time,
		.ctime = time,
		.crtime = time,
		.next_unlinked = to_be32(XFS_NULL_AGINO),
		.changecount = to_be64(1),
		.flags2 = to_be64(bigtime ? XFS_DIFLAG2_BIGTIME : 0),
		.ino = to_be64(number),
	};

	memcpy(core.uuid, job->uuid, sizeof(core.uuid));
	return core;
}

void xfs_inode_pack_realtime(const struct xfs_inode_job *job, uint32_t slot, uint8_t *bytes)
{
	const struct kataimg_node *root = job->layout->source->tree->nodes[0];
	struct xfs_numbers numbers = { job->layout->chunks };
	struct xfs_dinode core = used_core(job, xfs_number_of_slot(&numbers, slot), root->mtime_sec,
					   root->mtime_nsec);

	core.mode = to_be16(S_IFREG);
	core.nlink = to_be32(1);
	core.format = XFS_FORK_EXTENTS;
	core.aformat = XFS_FORK_EXTENTS;
	core.flags = to_be16(slot == 1 ? XFS_DIFLAG_NEWRTBM : 0);
	put_core(&core, bytes);
}

static uint64_t sum_blocks(const struct xfs_layout *layout, uint32_t first, uint32_t count)
{
	uint64_t blocks = 0;

	for (uint32_t i = 0; i < count; i++)
		blocks += layout->extents.items[first + i].blocks;
	return blocks;
}

static uint64_t inode_size(const struct kataimg_node *node, const struct xfs_shape *shape)
{
	struct xfs_dir_shape dir;

	if (node->type != KATAIMG_DIR)
		return node->size;
	dir = xfs_shape_of_dir(node, shape);
	return xfs_dir_size(node, &dir);
}

static struct xfs_dinode core_of(const struct xfs_inode_job *job, const struct kataimg_node *node)
{
	const struct xfs_layout *layout = job->layout;
	const struct xfs_shape *shape = &layout->source->shapes.of[node->index];
	const struct xfs_place *place = &layout->places[node->index];
	struct xfs_numbers numbers = { layout->chunks };
	struct xfs_dinode core =
		used_core(job, xfs_number_of(&numbers, node), node->mtime_sec, node->mtime_nsec);

	core.mode = to_be16(filetype_mode(node));
	core.uid = to_be32(node->uid);
	core.gid = to_be32(node->gid);
	core.nlink = to_be32(node->nlink);
	core.size = to_be64(inode_size(node, shape));
	core.nblocks = to_be64(sum_blocks(layout, place->first, place->count + place->tree_count) +
			       shape->attr_blocks);
	core.nextents = to_be32(place->count);
	core.anextents = to_be16(shape->attr_blocks ? 1 : 0);
	core.forkoff = shape->forkoff;
	core.aformat = shape->attr_format;
	return core;
}

static void pack_device(const struct kataimg_node *node, uint8_t *fork)
{
	be32 device = to_be32(node->rdev_major << DEVICE_MINOR_BITS | node->rdev_minor);

	memcpy(fork, &device, sizeof(device));
}

static void pack_tree_root(const struct xfs_layout *layout, const struct xfs_place *place,
			   uint32_t fork_bytes, uint8_t *fork)
{
	struct xfs_fork places = {
		.geo = &layout->geo,
		.extents = &layout->extents.items[place->first + place->count],
		.extent_count = place->tree_count,
	};
	struct xfs_bmbt tree;

	xfs_bmbt_init(&tree, &layout->extents.items[place->first], place->count, fork_bytes);
	xfs_bmbt_pack_root(&tree, &places, fork_bytes, fork);
}

static enum xfs_fork_format pack_local(const struct xfs_layout *layout,
				       const struct kataimg_node *node, uint8_t *fork)
{
	struct xfs_numbers numbers = { layout->chunks };

	if (node->type == KATAIMG_DIR)
		xfs_dir_pack_short(node, &numbers, fork);
	else
		memcpy(fork, node->target, (size_t)node->size);
	return XFS_FORK_LOCAL;
}

static enum xfs_fork_format pack_data_fork(const struct xfs_layout *layout,
					   const struct kataimg_node *node, uint8_t *fork)
{
	const struct xfs_shape *shape = &layout->source->shapes.of[node->index];
	const struct xfs_place *place = &layout->places[node->index];

	if (node->type != KATAIMG_REG && node->type != KATAIMG_DIR && node->type != KATAIMG_LNK) {
		pack_device(node, fork);
		return XFS_FORK_DEVICE;
	}
	if (xfs_shape_is_local(node, shape))
		return pack_local(layout, node, fork);
	if (place->tree_count) {
		pack_tree_root(layout, place, xfs_shape_data_bytes(shape), fork);
		return XFS_FORK_BTREE;
	}
	xfs_extents_pack(&layout->geo, &layout->extents.items[place->first], place->count, fork);
	return XFS_FORK_EXTENTS;
}

static void pack_attr_fork(const struct xfs_layout *layout, const struct kataimg_node *node,
			   uint8_t *fork)
{
	const struct xfs_shapes *shapes = &layout->source->shapes;
	struct xfs_attrs attrs = xfs_shape_attrs(shapes, node);
	uint32_t extent = layout->places[node->index].attr;

	if (shapes->of[node->index].attr_blocks)
		xfs_extents_pack(&layout->geo, &layout->extents.items[extent], 1, fork);
	else if (attrs.count)
		xfs_attrs_pack_short(&attrs, fork);
}

void xfs_inode_pack(const struct xfs_inode_job *job, const struct kataimg_node *node,
		    uint8_t *bytes)
{
	const struct xfs_shape *shape = &job->layout->source->shapes.of[node->index];
	struct xfs_dinode core = core_of(job, node);
	uint8_t *literal = bytes + sizeof(core);

	core.format = (uint8_t)pack_data_fork(job->layout, node, literal);
	pack_attr_fork(job->layout, node, literal + xfs_shape_data_bytes(shape));
	put_core(&core, bytes);
}
