/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that is no directory, made and filled. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/extract/private.h"
#include "lib/cleanup.h"
#include "lib/filetype.h"

static int make_file(const struct kataimg_node *node, int dir_fd)
{
	int fd = openat(dir_fd, node->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);

	return fd < 0 ? -errno : fd;
}

static int make_other(const struct kataimg_node *node, int dir_fd)
{
	int ret;

	if (node->type == KATAIMG_LNK)
		ret = symlinkat(node->target, dir_fd, node->name);
	else
		ret = mknodat(dir_fd, node->name, filetype_bits(node->type) | 0600,
			      makedev(node->rdev_major, node->rdev_minor));
	return ret < 0 ? -errno : 0;
}

static uint64_t data_bytes(const struct kataimg_node *node)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < node->segment_count; i++)
		bytes += node->segments[i].len;
	return bytes;
}

static int add_large(struct extract *extract, const struct kataimg_node *node, struct error *error)
{
	const struct kataimg_node **large;

	pthread_mutex_lock(&extract->lock);
	large = array_add(&extract->large);
	if (large)
		*large = node;
	pthread_mutex_unlock(&extract->lock);
	return large ? 0 : error_nomem(error);
}

static int fill_file(struct extract_worker *worker, const struct kataimg_node *node,
		     const struct extract_place *place, struct error *error)
{
	uint32_t count = node->segment_count;
	bool ends_in_data =
		count > 0 &&
		node->segments[count - 1].file_off + node->segments[count - 1].len >= node->size;
	bool large = data_bytes(node) > EXTRACT_LARGE_BYTES;
	int ret;

	if ((large || !ends_in_data) && node->size > 0 &&
	    ftruncate(place->fd, (off_t)node->size) < 0)
		return extract_fail(node, errno, "make room for", error);
	if (large)
		return add_large(worker->extract, node, error);
	ret = extract_copy(worker, node, place->fd, 0, node->size, error);
	return ret < 0 ? ret : extract_set_attributes(worker->extract, node, place, error);
}

static int make_regular(struct extract_worker *worker, const struct kataimg_node *node,
			struct error *error)
{
	struct extract_place place = { dirs_get(&worker->dirs, node->parent), node->name, -1 };
	autoclose int fd = place.dir_fd < 0
				   ? place.dir_fd
				   : extract_make(worker, node, place.dir_fd, make_file, error);

	if (fd < 0)
		return extract_fail(node, -fd, "make", error);
	place.fd = fd;
	worker->extract->made[node->index] = 1;
	return fill_file(worker, node, &place, error);
}

static int make_special(struct extract_worker *worker, const struct kataimg_node *node,
			struct error *error)
{
	bool is_device = node->type == KATAIMG_CHR || node->type == KATAIMG_BLK;
	struct extract_place place = { dirs_get(&worker->dirs, node->parent), node->name, -1 };
	int ret = place.dir_fd < 0 ? place.dir_fd
				   : extract_make(worker, node, place.dir_fd, make_other, error);

	if (ret == -EPERM && is_device && !error->code)
		return extract_note_miss(worker->extract, MISSED_DEVICE, node, NULL, error);
	if (ret < 0)
		return extract_fail(node, -ret, "make", error);
	worker->extract->made[node->index] = 1;
	return extract_set_attributes(worker->extract, node, &place, error);
}

int extract_make_node(struct extract_worker *worker, const struct kataimg_node *node,
		      struct error *error)
{
	if (node->type == KATAIMG_DIR)
		return 0;
	return node->type == KATAIMG_REG ? make_regular(worker, node, error)
					 : make_special(worker, node, error);
}
