/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/write.h"

#include <errno.h>

#include "plugins/xfs/ag.h"
#include "plugins/xfs/attr_write.h"
#include "plugins/xfs/bmbt.h"
#include "plugins/xfs/dir.h"
#include "plugins/xfs/inode.h"
#include "plugins/xfs/symlink.h"

#define PROGRESS_INTERVAL 4096u
#define CHUNK_BYTES (XFS_CHUNK_BLOCKS * XFS_BLOCK_BYTES)

struct write_job {
	const struct xfs_layout *layout;
	const struct kataimg_host *host;
	const struct xfs_identity *identity;
	struct writer writer;
	struct xfs_inode_job inodes;
	uint64_t done;
};

/* Passes over the nodes: attributes, other metadata, inodes, file data. */
#define NODE_PASSES 4u

static int step(struct write_job *job)
{
	if (job->done++ % PROGRESS_INTERVAL)
		return 0;
	job->host->progress(job->host->ctx, job->done,
			    NODE_PASSES * job->layout->source->tree->node_count);
	return job->host->cancelled(job->host->ctx) ? -ECANCELED : 0;
}

static struct xfs_fork fork_of(struct write_job *job, const struct kataimg_node *node,
			       uint32_t first, uint32_t count)
{
	struct xfs_numbers numbers = { job->layout->chunks };

	return (struct xfs_fork){
		.writer = &job->writer,
		.geo = &job->layout->geo,
		.uuid = job->identity->uuid,
		.owner = xfs_number_of(&numbers, node),
		.extents = &job->layout->extents.items[first],
		.extent_count = count,
	};
}

static int write_attrs(struct write_job *job, const struct kataimg_node *node)
{
	struct xfs_attrs attrs = xfs_shape_attrs(&job->layout->source->shapes, node);
	struct xfs_fork fork = fork_of(job, node, job->layout->places[node->index].attr, 1);

	return xfs_attrs_write(&fork, &attrs);
}

static int write_tree(struct write_job *job, const struct kataimg_node *node)
{
	const struct xfs_layout *layout = job->layout;
	const struct xfs_place *place = &layout->places[node->index];
	struct xfs_fork places = fork_of(job, node, place->first + place->count, place->tree_count);
	struct xfs_bmbt tree;

	if (place->tree_count == 0)
		return 0;
	xfs_bmbt_init(&tree, &layout->extents.items[place->first], place->count,
		      xfs_shape_data_bytes(&layout->source->shapes.of[node->index]));
	return xfs_bmbt_write(&tree, &places);
}

static int write_dir(struct write_job *job, const struct kataimg_node *node, struct xfs_fork *fork)
{
	const struct xfs_shape *shape = &job->layout->source->shapes.of[node->index];
	struct xfs_dir_shape dir = xfs_shape_of_dir(node, shape);
	struct xfs_numbers numbers = { job->layout->chunks };

	return xfs_dir_write(fork, node, &numbers, &dir);
}

static int write_metadata(struct write_job *job, const struct kataimg_node *node)
{
	const struct xfs_place *place = &job->layout->places[node->index];
	struct xfs_fork fork = fork_of(job, node, place->first, place->count);
	int ret = node->type == KATAIMG_DIR ? write_dir(job, node, &fork)
					    : xfs_symlink_write(&fork, node);

	return ret < 0 ? ret : write_tree(job, node);
}

static int pack_node(struct write_job *job, const struct kataimg_node *node, uint8_t *bytes)
{
	xfs_inode_pack(&job->inodes, node, bytes);
	return step(job);
}

static int pack_slot(struct write_job *job, uint64_t slot, uint8_t *bytes)
{
	const struct kataimg_tree *tree = job->layout->source->tree;
	struct xfs_numbers numbers = { job->layout->chunks };

	if (slot == 0)
		return pack_node(job, tree->nodes[0], bytes);
	if (slot <= XFS_RESERVED_INODES)
		xfs_inode_pack_realtime(&job->inodes, (uint32_t)slot, bytes);
	else if (slot - XFS_RESERVED_INODES < tree->node_count)
		return pack_node(job, tree->nodes[slot - XFS_RESERVED_INODES], bytes);
	else
		xfs_inode_pack_free(&job->inodes, xfs_number_of_slot(&numbers, slot), bytes);
	return 0;
}

static int write_chunk(struct write_job *job, uint32_t agno, uint32_t chunk, uint64_t number)
{
	const struct xfs_layout *layout = job->layout;
	uint64_t block = xfs_ag_start(&layout->geo, agno) + layout->ags[agno].chunk_start +
			 (uint64_t)chunk * XFS_CHUNK_BLOCKS;
	uint8_t *bytes;
	int ret = writer_take(&job->writer, block << XFS_BLOCK_LOG, CHUNK_BYTES, &bytes);

	for (uint32_t i = 0; ret == 0 && i < XFS_CHUNK_INODES; i++)
		ret = pack_slot(job, number * XFS_CHUNK_INODES + i, bytes + i * XFS_INODE_BYTES);
	return ret;
}

static int write_inodes(struct write_job *job)
{
	uint64_t number = 0;
	int ret = 0;

	for (uint32_t agno = 0; agno < job->layout->geo.agcount; agno++)
		for (uint32_t i = 0; ret == 0 && i < job->layout->ags[agno].chunks; i++)
			ret = write_chunk(job, agno, i, number++);
	return ret;
}

static int place_extent(struct write_job *job, const struct kataimg_node *node,
			const struct xfs_extent *extent)
{
	uint64_t file_off = extent->file_block << XFS_BLOCK_LOG;
	uint64_t len = (uint64_t)extent->blocks << XFS_BLOCK_LOG;

	if (len > node->size - file_off)
		len = node->size - file_off;
	return job->host->place(job->host->ctx, (uint64_t)extent->start << XFS_BLOCK_LOG, node,
				file_off, len);
}

static int write_file(struct write_job *job, const struct kataimg_node *node)
{
	const struct xfs_place *place = &job->layout->places[node->index];
	int ret = write_tree(job, node);

	for (uint32_t i = 0; ret == 0 && i < place->count; i++)
		ret = place_extent(job, node, &job->layout->extents.items[place->first + i]);
	return ret;
}

static int for_all_nodes(struct write_job *job, enum xfs_need need,
			 int (*write)(struct write_job *, const struct kataimg_node *node))
{
	const struct kataimg_tree *tree = job->layout->source->tree;
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < tree->node_count; i++) {
		ret = step(job);
		if (ret == 0 && job->layout->source->shapes.of[i].needs & need)
			ret = write(job, tree->nodes[i]);
	}
	return ret;
}

static int write_ags(struct write_job *job)
{
	struct xfs_ag_job ags = {
		.layout = job->layout,
		.identity = job->identity,
		.writer = &job->writer,
	};
	int ret = 0;

	for (uint32_t agno = 0; ret == 0 && agno < job->layout->geo.agcount; agno++)
		ret = xfs_ag_write(&ags, agno);
	xfs_agspace_clear(&ags.agspace);
	return ret;
}

/* Each pass goes upward through the window, so that neighbours gather. */
static int write_passes(struct write_job *job)
{
	int ret = for_all_nodes(job, XFS_NEED_ATTRS, write_attrs);

	if (ret < 0)
		return ret;
	ret = for_all_nodes(job, XFS_NEED_METADATA, write_metadata);
	if (ret < 0)
		return ret;
	ret = write_inodes(job);
	if (ret < 0)
		return ret;
	ret = for_all_nodes(job, XFS_NEED_DATA, write_file);
	if (ret < 0)
		return ret;
	ret = write_ags(job);
	return ret < 0 ? ret : writer_flush(&job->writer);
}

int xfs_write(const struct xfs_layout *layout, const struct xfs_identity *identity)
{
	struct write_job job = {
		.layout = layout,
		.host = layout->source->host,
		.identity = identity,
		.inodes = { .layout = layout, .uuid = identity->uuid },
	};
	int ret = writer_init(&job.writer, job.host);

	if (ret < 0)
		return ret;
	ret = write_passes(&job);
	writer_clear(&job.writer);
	return ret;
}
