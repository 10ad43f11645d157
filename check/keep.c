/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sample tree as a real one, beside the filesystem that was made of it, for fsck and for a
 * comparison with what a kernel mounts. What the caller may not make is counted, not an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "check/check.h"
#include "lib/cleanup.h"
#include "lib/filetype.h"

struct keep {
	const char *root;
	unsigned int denied;
};

static void path_of(const struct keep *keep, const struct kataimg_node *node, const char *name,
		    char path[PATH_MAX])
{
	char inside[PATH_MAX / 2];

	tree_path(node, inside, sizeof(inside));
	snprintf(path, PATH_MAX, "%s/%s%s%s", keep->root, inside, name ? "/" : "",
		 name ? name : "");
}

static int denied(struct keep *keep, int ret)
{
	if (ret == 0 || (errno != EPERM && errno != EACCES && errno != EOPNOTSUPP))
		return ret;
	keep->denied++;
	return 0;
}

static int make_file(const struct kataimg_node *node, const char *path)
{
	int fd autoclose = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	static uint8_t buf[65536];

	if (fd < 0 || ftruncate(fd, (off_t)node->size) < 0)
		return -1;
	for (uint32_t i = 0; i < node->segment_count; i++) {
		uint64_t off = node->segments[i].file_off, end = off + node->segments[i].len;

		while (off < end) {
			size_t len = end - off < sizeof(buf) ? (size_t)(end - off) : sizeof(buf);

			if (memtree_read(node, off, buf, len) < 0 ||
			    pwrite(fd, buf, len, (off_t)off) != (ssize_t)len)
				return -1;
			off += len;
		}
	}
	return 0;
}

static int make_node(struct keep *keep, const struct kataimg_node *node, const char *path)
{
	switch (node->type) {
	case KATAIMG_DIR:
		return mkdir(path, 0700);
	case KATAIMG_REG:
		return make_file(node, path);
	case KATAIMG_LNK:
		return symlink(node->target, path);
	default:
		return denied(keep, mknod(path, (mode_t)filetype_bits(node->type) | 0600,
					  makedev(node->rdev_major, node->rdev_minor)));
	}
}

static int make_links(struct keep *keep, const struct kataimg_node *dir)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (uint32_t i = 0; i < dir->entry_count; i++) {
		const struct kataimg_node *node = dir->entries[i].node;

		if (node->parent == dir && strcmp(node->name, dir->entries[i].name) == 0)
			continue;
		path_of(keep, node, NULL, from);
		path_of(keep, dir, dir->entries[i].name, to);
		if (link(from, to) < 0)
			return -1;
	}
	return 0;
}

/* A directory's after all that is made in it. */
static int set_attributes(struct keep *keep, const struct kataimg_node *node, const char *path)
{
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = node->mtime_sec, .tv_nsec = node->mtime_nsec },
	};

	if (access(path, F_OK) < 0 && node->type != KATAIMG_LNK)
		return 0; /* one that was denied */
	if (denied(keep, lchown(path, node->uid, node->gid)) < 0)
		return -1;
	for (uint32_t i = 0; i < node->xattr_count; i++)
		if (denied(keep, lsetxattr(path, node->xattrs[i].name, node->xattrs[i].value,
					   node->xattrs[i].value_len, 0)) < 0)
			return -1;
	if (node->type != KATAIMG_LNK && chmod(path, node->mode) < 0)
		return -1;
	return utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
}

static int keep_tree(struct keep *keep, const struct kataimg_tree *tree, char path[PATH_MAX])
{
	for (uint64_t i = 0; i < tree->node_count; i++) {
		path_of(keep, tree->nodes[i], NULL, path);
		if (i > 0 && make_node(keep, tree->nodes[i], path) < 0)
			return -1;
	}
	for (uint64_t i = 0; i < tree->node_count; i++)
		if (make_links(keep, tree->nodes[i]) < 0)
			return -1;
	for (uint64_t i = tree->node_count; i-- > 0;) {
		path_of(keep, tree->nodes[i], NULL, path);
		if (set_attributes(keep, tree->nodes[i], path) < 0)
			return -1;
	}
	return 0;
}

int check_keep(const char *dir, const struct trial *trial, const struct kataimg_tree *tree)
{
	char filesystem[PATH_MAX / 4], root[PATH_MAX / 4], path[PATH_MAX];
	struct keep keep = { .root = root };

	snprintf(filesystem, sizeof(filesystem), "%s/filesystem", dir);
	snprintf(root, sizeof(root), "%s/tree", dir);
	if ((mkdir(dir, 0755) < 0 && errno != EEXIST) || mkdir(root, 0755) < 0)
		return check_fail("keep: cannot make %s: %s", root, strerror(errno));
	if (keep_tree(&keep, tree, path) < 0)
		return check_fail("keep: cannot make %s: %s", path, strerror(errno));
	trial_save(trial, filesystem);
	if (keep.denied > 0)
		printf("note keep: %u nodes, owners or attributes of %s are left out: make them as "
		       "root\n",
		       keep.denied, root);
	return 0;
}
