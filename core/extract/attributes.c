/* SPDX-License-Identifier: Apache-2.0 */
/* Everything about an entry that is neither its name nor its content. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/extract/private.h"
#include "lib/acl.h"
#include "lib/cleanup.h"

#define PATH_MESSAGE_BYTES 4096
#define PROC_PATH_BYTES (NAME_MAX + 64)

int extract_fail(const struct kataimg_node *node, int code, const char *what, struct error *error)
{
	char path[PATH_MESSAGE_BYTES];

	return error_errno(error, code, "cannot %s %s", what, tree_path(node, path, sizeof(path)));
}

/* ---- What may not be had ---- */

static bool is_refusal(int code)
{
	return code == EPERM || code == EACCES || code == EINVAL || code == EOPNOTSUPP;
}

/* One that was first in one thread need not be the first in the tree: the lowest path counts. */
static bool is_before(const char *path, const struct extract_miss *miss)
{
	return !miss->first || strcmp(path, miss->first) < 0;
}

int extract_note_miss(struct extract *extract, enum extract_missed kind,
		      const struct kataimg_node *node, const char *detail, struct error *error)
{
	struct extract_miss *miss = &extract->missed[kind];
	char path[PATH_MESSAGE_BYTES];
	autofree char *text = NULL;

	tree_path(node, path, sizeof(path));
	if (asprintf(&text, "%s%s%s", path, detail ? ": " : "", detail ? detail : "") < 0)
		return error_nomem(error);
	pthread_mutex_lock(&extract->lock);
	miss->count++;
	if (is_before(text, miss)) {
		free(miss->first);
		miss->first = steal_ptr(&text);
	}
	pthread_mutex_unlock(&extract->lock);
	return 0;
}

void extract_warn(const struct extract *extract)
{
	static const char *const words[MISSED_KINDS] = {
		[MISSED_OWNER] = "owners",
		[MISSED_DEVICE] = "devices",
		[MISSED_XATTR] = "extended attributes",
		[MISSED_SET_ID] = "set-id bits",
	};
	autofree char *text = NULL;

	for (int i = 0; i < MISSED_KINDS; i++) {
		const struct extract_miss *miss = &extract->missed[i];
		autofree char *before = text;

		text = NULL;
		if (miss->count == 0)
			text = steal_ptr(&before);
		else if (asprintf(&text, "%s%s%" PRIu64 " %s (%s)", before ? before : "",
				  before ? ", " : "", miss->count, words[i], miss->first) < 0)
			return;
	}
	if (text)
		log_warning("this user, or this filesystem, may not have: %s", text);
}

/* ---- Owner and mode ---- */

static int change_owner(const struct extract_place *place, uid_t uid, gid_t gid)
{
	int ret = place->fd >= 0
			  ? fchown(place->fd, uid, gid)
			  : fchownat(place->dir_fd, place->name, uid, gid, AT_SYMLINK_NOFOLLOW);

	return ret < 0 ? -errno : 0;
}

/* Of EINVAL chown(2) has one reason only. */
static int note_owner(struct extract *extract, const struct kataimg_node *node, int code,
		      struct error *error)
{
	char detail[128];

	snprintf(detail, sizeof(detail),
		 "this user namespace does not have both user %u and group %u", node->uid,
		 node->gid);
	return extract_note_miss(extract, MISSED_OWNER, node, code == EINVAL ? detail : NULL,
				 error);
}

/* *mode loses the set-id bits that would be another one's than was meant. */
static int set_owner(struct extract *extract, const struct kataimg_node *node,
		     const struct extract_place *place, mode_t *mode, struct error *error)
{
	int ret = change_owner(place, node->uid, node->gid);
	mode_t lost = 0;

	if (ret == 0 || !is_refusal(-ret))
		return ret < 0 ? extract_fail(node, -ret, "set the owner of", error) : 0;
	if (node->uid != geteuid())
		lost |= S_ISUID;
	if (change_owner(place, (uid_t)-1, node->gid) < 0)
		lost |= S_ISGID;
	ret = note_owner(extract, node, -ret, error);
	/* Of a directory it makes nobody somebody else. */
	if (node->type != KATAIMG_REG || !(*mode & lost))
		return ret;
	*mode &= ~lost;
	return ret < 0 ? ret : extract_note_miss(extract, MISSED_SET_ID, node, NULL, error);
}

static int set_mode(const struct kataimg_node *node, const struct extract_place *place, mode_t mode,
		    struct error *error)
{
	int ret;

	if (node->type == KATAIMG_LNK)
		return 0;
	ret = place->fd >= 0 ? fchmod(place->fd, mode)
			     : fchmodat(place->dir_fd, place->name, mode, AT_SYMLINK_NOFOLLOW);
	return ret < 0 ? extract_fail(node, errno, "set the mode of", error) : 0;
}

/* ---- Extended attributes ---- */

/* What is neither file nor directory is not opened: its place in /proc leads there. */
static int set_xattr(const struct extract_place *place, const struct kataimg_xattr *xattr)
{
	char path[PROC_PATH_BYTES];
	int ret;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", place->dir_fd, place->name);
	ret = place->fd >= 0 ? fsetxattr(place->fd, xattr->name, xattr->value, xattr->value_len, 0)
			     : lsetxattr(path, xattr->name, xattr->value, xattr->value_len, 0);
	return ret < 0 ? -errno : 0;
}

static int set_xattrs(struct extract *extract, const struct kataimg_node *node,
		      const struct extract_place *place, struct error *error)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < node->xattr_count; i++) {
		const struct kataimg_xattr *xattr = &node->xattrs[i];
		int set = set_xattr(place, xattr);

		if (set < 0 && is_refusal(-set))
			ret = extract_note_miss(extract, MISSED_XATTR, node, xattr->name, error);
		else if (set < 0) {
			extract_fail(node, -set, "set the attribute of", error);
			return error_prefix(error, "%s", xattr->name);
		}
	}
	return ret;
}

/* What cannot be taken away is the kernel's to keep: a label that every file has. */
void extract_clear_attributes(int dir_fd)
{
	autofree char *names = malloc(XATTR_LIST_MAX);
	ssize_t len = names ? flistxattr(dir_fd, names, XATTR_LIST_MAX) : -1;

	for (const char *name = names; len > 0; name += strlen(name) + 1) {
		fremovexattr(dir_fd, name);
		len -= (ssize_t)strlen(name) + 1;
	}
}

/* ---- All of them ---- */

/* A new owner takes set-id bits and capabilities away, and each of the others changes no time but
 * ctime: this order. */
int extract_set_attributes(struct extract *extract, const struct kataimg_node *node,
			   const struct extract_place *place, struct error *error)
{
	const struct timespec time = { (time_t)node->mtime_sec, (long)node->mtime_nsec };
	const struct timespec times[2] = { time, time };
	mode_t mode = node->mode;
	int ret = set_owner(extract, node, place, &mode, error);

	if (ret == 0)
		ret = set_xattrs(extract, node, place, error);
	if (ret == 0)
		ret = set_mode(node, place, mode, error);
	if (ret < 0)
		return ret;
	if (time.tv_sec != node->mtime_sec)
		return extract_fail(node, EOVERFLOW, "set the time of", error);
	ret = place->fd >= 0 ? futimens(place->fd, times)
			     : utimensat(place->dir_fd, place->name, times, AT_SYMLINK_NOFOLLOW);
	return ret < 0 ? extract_fail(node, errno, "set the time of", error) : 0;
}
