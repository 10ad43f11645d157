/* SPDX-License-Identifier: Apache-2.0 */
#include "core/image/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/image/lock.h"
#include "core/image/private.h"
#include "core/image/temporary.h"
#include "lib/libc.h"

struct member {
	struct output *output;
	enum publish_rank rank;
	bool goes;      /* there is no new file, the old one is removed */
	bool named;     /* the new file has the name */
	char *old;      /* owned; the name that the old file has meanwhile */
	bool old_stays; /* it has its own name, too, until the new file takes that */
	int old_fd;     /* of it, locked; -1 */
	dev_t device;   /* of its directory */
	ino_t inode;
};

struct group {
	struct member *members;
	size_t count;
	bool sync;
};

/* ---- The lock ---- */

static int compare_directories(const void *a, const void *b)
{
	const struct member *x = *(struct member *const *)a, *y = *(struct member *const *)b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

/* All builds lock in the same order, so that no two wait for each other, and each directory
 * once: a second lock would wait for the first. */
static int lock_directories(struct group *group, struct error *error)
{
	autofree struct member **sorted = calloc(group->count, sizeof(struct member *));
	int ret = 0;

	if (!sorted)
		return error_nomem(error);
	for (size_t i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];
		struct stat st;

		sorted[i] = member;
		if (fstat(member->output->dir, &st) < 0)
			return error_errno(error, errno, "cannot make %s %s", member->output->what,
					   member->output->path);
		member->device = st.st_dev;
		member->inode = st.st_ino;
	}
	qsort(sorted, group->count, sizeof(struct member *), compare_directories);
	for (size_t i = 0; ret == 0 && i < group->count; i++)
		if (i == 0 || compare_directories(&sorted[i - 1], &sorted[i]) != 0)
			ret = lock_directory(sorted[i]->output->dir, error,
					     "cannot give %s its name %s", sorted[i]->output->what,
					     sorted[i]->output->path);
	return ret;
}

/* Those that have no lock lose none. */
static void unlock_directories(const struct group *group)
{
	for (size_t i = 0; i < group->count; i++)
		flock(group->members[i].output->dir, LOCK_UN);
}

/* ---- One file ---- */

static int fail(const struct member *member, int code, struct error *error)
{
	return error_errno(error, code, "cannot give %s its name %s", member->output->what,
			   member->output->path);
}

/* The lock keeps builds that begin meanwhile from taking the old file for a stale one. */
static void hold_old(struct member *member)
{
	const struct output *output = member->output;

	member->old_fd = openat(output->dir, output->file,
				O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (member->old_fd >= 0)
		temporary_lock(member->old_fd);
}

static int take_away(struct member *member, struct error *error)
{
	const struct output *output = member->output;
	int ret = temporary_keep(output->dir, output->file, false, &member->old);

	return ret < 0 && ret != -ENOENT ? fail(member, -ret, error) : 0;
}

/* For filesystems that cannot exchange two names. The old file gets a second name; where there
 * are no links it is renamed, and for a moment nothing has its name. */
static int keep_old(struct member *member)
{
	const struct output *output = member->output;
	int ret = temporary_keep(output->dir, output->file, true, &member->old);

	member->old_stays = ret == 0;
	if (ret < 0 && ret != -ENOENT)
		ret = temporary_keep(output->dir, output->file, false, &member->old);
	return ret == -ENOENT ? 0 : ret;
}

static int exchange(struct member *member)
{
	struct output *output = member->output;

	if (libc_renameat2(output->dir, output->temporary, output->dir, output->file,
			   RENAME_EXCHANGE) < 0)
		return -errno;
	member->old = steal_ptr(&output->temporary);
	return 0;
}

/* The new file gets the name, and the old one, if it still has it, a temporary one. */
static int put_in_place(struct member *member, struct error *error)
{
	struct output *output = member->output;
	int ret;

	if (member->goes)
		return 0;
	ret = member->rank != PUBLISH_SPEAKS_OF_NOTHING ? -ENOENT : exchange(member);
	if (ret == -EINVAL || ret == -ENOSYS || ret == -EOPNOTSUPP)
		ret = keep_old(member);
	if (ret < 0 && ret != -ENOENT)
		return fail(member, -ret, error);
	if (output->temporary &&
	    renameat(output->dir, output->temporary, output->dir, output->file) < 0)
		return fail(member, errno, error);
	free(steal_ptr(&output->temporary));
	member->named = true;
	return 0;
}

/* ---- All ---- */

static int act_on(struct group *group, enum publish_rank rank,
		  int (*act)(struct member *member, struct error *error), struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < group->count; i++)
		if (group->members[i].rank == rank)
			ret = act(&group->members[i], error);
	for (size_t i = 0; ret == 0 && group->sync && i < group->count; i++)
		if (group->members[i].rank == rank)
			ret = output_sync_name(group->members[i].output, error);
	return ret;
}

static bool unname(struct member *member)
{
	if (member->named && unlinkat(member->output->dir, member->output->file, 0) < 0)
		return false;
	member->named = false;
	return true;
}

/* It must not have the name of a file that the next build takes for a stale one. */
static void rescue_old(const struct member *member, const char *why, struct error *error)
{
	const struct output *output = member->output;
	autofree char *name = NULL;

	temporary_rescue(output->dir, member->old, output->file, &name);
	error_append(error, "; the old file cannot be put back (%s) and is kept as %.*s%s%s", why,
		     (int)(output->file - output->path), output->path, name ? name : member->old,
		     name ? "" : ", which the next build removes: give it another name");
}

/* Says where the old file is when it is not put back. */
static bool put_back(struct member *member, bool allowed, struct error *error)
{
	const struct output *output = member->output;
	const char *why = NULL;

	if (!member->old)
		return unname(member);
	if (member->old_stays && !member->named)
		unlinkat(output->dir, member->old, 0);
	else if (!allowed)
		why = "what it belongs to could not be either";
	else if (renameat(output->dir, member->old, output->dir, output->file) < 0)
		why = strerror(errno);
	if (why)
		rescue_old(member, why, error);
	free(steal_ptr(&member->old));
	return !why;
}

/* false: one could not be put back, or its new file not be taken away. */
static bool act_back(struct group *group, enum publish_rank rank, bool allowed, struct error *error)
{
	bool all = true;

	for (size_t i = 0; i < group->count; i++)
		if (group->members[i].rank == rank)
			all = put_back(&group->members[i], allowed, error) && all;
	return all;
}

/* The way back: what speaks of others is put back when they are, and they when no new file speaks
 * of the new ones any more. Where that cannot be, the old files stay aside. */
static void undo(struct group *group, struct error *error)
{
	bool allowed = true;

	for (int rank = PUBLISH_RANKS - 1; rank > PUBLISH_SPEAKS_OF_NOTHING; rank--)
		for (size_t i = 0; i < group->count; i++)
			if (group->members[i].rank == (enum publish_rank)rank)
				allowed = unname(&group->members[i]) && allowed;
	for (int rank = 0; rank < PUBLISH_RANKS; rank++)
		allowed = act_back(group, (enum publish_rank)rank, allowed, error) && allowed;
}

static int change_names(struct group *group, struct error *error)
{
	int ret = 0;

	for (int rank = PUBLISH_RANKS - 1; ret == 0 && rank > PUBLISH_SPEAKS_OF_NOTHING; rank--)
		ret = act_on(group, (enum publish_rank)rank, take_away, error);
	for (int rank = 0; ret == 0 && rank < PUBLISH_RANKS; rank++)
		ret = act_on(group, (enum publish_rank)rank, put_in_place, error);
	if (ret < 0)
		undo(group, error);
	return ret;
}

static int prepare(struct group *group, struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && group->sync && i < group->count; i++)
		if (!group->members[i].goes)
			ret = output_sync(group->members[i].output, error);
	if (ret == 0)
		ret = lock_directories(group, error);
	for (size_t i = 0; ret == 0 && i < group->count; i++)
		if (!group->members[i].goes)
			ret = output_stage(group->members[i].output, error);
	for (size_t i = 0; ret == 0 && i < group->count; i++)
		hold_old(&group->members[i]);
	return ret;
}

/* Removing the old files frees their blocks, which may take long: it comes last. */
static void remove_old(struct group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];

		if (member->old)
			unlinkat(member->output->dir, member->old, 0);
		free(member->old);
		if (member->old_fd >= 0)
			close(member->old_fd);
	}
}

int publish(const struct publish_item *items, size_t count, bool sync, struct error *error)
{
	autofree struct member *members = calloc(count, sizeof(*members));
	struct group group = { members, count, sync };
	int ret;

	if (!members)
		return error_nomem(error);
	for (size_t i = 0; i < count; i++)
		members[i] = (struct member){ .output = items[i].output,
					      .rank = items[i].rank,
					      .goes = output_fd(items[i].output) < 0,
					      .old_fd = -1 };
	ret = prepare(&group, error);
	if (ret == 0)
		ret = change_names(&group, error);
	for (size_t i = 0; ret == 0 && i < count; i++)
		if (!members[i].goes)
			flock(output_fd(members[i].output), LOCK_UN); /* they are old ones now */
	unlock_directories(&group);
	remove_old(&group);
	return ret;
}
