/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"

/* As Linux counts them. */
#define LINKS_MAX 40

#define PATH_FLAGS (O_PATH | O_NOFOLLOW | O_CLOEXEC)

struct way {
	const struct lookup_rules *rules;
	struct error *error;
	int dir; /* where it stands */
	struct stat dir_st;
	char *path; /* of dir; "" for the root */
	char *rest; /* what is still to be walked */
	unsigned int links;
	bool linked; /* the last name */
};

static void way_release(struct way *way)
{
	if (way->dir >= 0)
		close(way->dir);
	free(way->path);
	free(way->rest);
}

/* The path of a name in the directory that the walk has come to. To be freed. */
static char *path_of(const struct way *way, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", way->path, name) < 0 ? NULL : path;
}

/* Takes dir and path over. */
static int stand_in(struct way *way, int dir, char *path)
{
	if (way->dir >= 0)
		close(way->dir);
	free(way->path);
	way->dir = dir;
	way->path = path;
	if (dir < 0)
		return -errno;
	if (!path)
		return -ENOMEM;
	if (fstat(dir, &way->dir_st) < 0)
		return -errno;
	if (!way->rules->directory)
		return 0;
	return way->rules->directory(*path ? path : "/", &way->dir_st, way->error);
}

static int stand_in_root(struct way *way)
{
	return stand_in(way, open("/", PATH_FLAGS | O_DIRECTORY), strdup(""));
}

static int stand_in_parent(struct way *way)
{
	const char *slash = way->path ? strrchr(way->path, '/') : NULL;

	return stand_in(way, openat(way->dir, "..", PATH_FLAGS | O_DIRECTORY),
			slash ? strndup(way->path, (size_t)(slash - way->path)) : strdup(""));
}

/* Is nothing left behind the name that is being looked at? */
static bool is_last(const struct way *way)
{
	return way->rest[strspn(way->rest, "/")] == '\0';
}

/* What is still to be walked becomes the link's target and what was behind the link. */
static int follow(struct way *way, int fd, const char *name, const struct stat *link)
{
	autofree char *path = path_of(way, name);
	char target[PATH_MAX], *rest;
	ssize_t len;
	int ret = path ? 0 : -ENOMEM;

	if (ret == 0 && way->rules->link)
		ret = way->rules->link(path, &way->dir_st, link, way->error);
	if (ret < 0)
		return ret;
	if (way->links++ == LINKS_MAX)
		return -ELOOP;
	if (is_last(way))
		way->linked = true;
	len = readlinkat(fd, "", target, sizeof(target));
	if (len < 0)
		return -errno;
	if (asprintf(&rest, "%.*s%s", (int)len, target, way->rest) < 0)
		return -ENOMEM;
	free(way->rest);
	way->rest = rest;
	return target[0] == '/' ? stand_in_root(way) : 0;
}

/* Asked for as a directory first: that is what makes an automounter mount one. */
static int open_name(const struct way *way, const char *name)
{
	int fd = *way->rest ? openat(way->dir, name, PATH_FLAGS | O_DIRECTORY) : -1;

	return fd >= 0 ? fd : openat(way->dir, name, PATH_FLAGS);
}

/* The walk ends here; st is NULL when there is nothing of the name. */
static int arrive(struct way *way, const char *name, const struct stat *st, struct lookup *lookup)
{
	lookup->path = path_of(way, name);
	if (!lookup->path)
		return -ENOMEM;
	lookup->name = strrchr(lookup->path, '/') + 1;
	lookup->dir = way->dir;
	way->dir = -1;
	lookup->linked = way->linked;
	lookup->exists = st != NULL;
	if (st)
		lookup->st = *st;
	return 1;
}

/* 1: arrived; 0: there is more; or -errno. */
static int step(struct way *way, const char *name, struct lookup *lookup)
{
	autoclose int fd = -1;
	struct stat st;

	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0)
		return stand_in_parent(way);
	fd = open_name(way, name);
	if (fd < 0 && errno == ENOENT && is_last(way))
		return *way->rest ? -EISDIR : arrive(way, name, NULL, lookup);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return follow(way, fd, name, &st);
	if (S_ISDIR(st.st_mode))
		return stand_in(way, steal_fd(&fd), path_of(way, name));
	return *way->rest ? -ENOTDIR : arrive(way, name, &st, lookup);
}

static int walk(struct way *way, struct lookup *lookup)
{
	int ret = 0;

	while (ret == 0) {
		size_t skip = strspn(way->rest, "/");
		size_t len = strcspn(way->rest + skip, "/");
		autofree char *name = strndup(way->rest + skip, len);

		if (!name)
			return -ENOMEM;
		memmove(way->rest, way->rest + skip + len, strlen(way->rest + skip + len) + 1);
		if (len == 0) /* it ends in a directory: the walk stands in that */
			return arrive(way, "", &way->dir_st, lookup);
		ret = step(way, name, lookup);
	}
	return ret;
}

/* To be freed; NULL with errno. */
static char *absolute(const char *path)
{
	autofree char *here = *path == '/' ? strdup("") : getcwd(NULL, 0);
	char *text;

	if (!here)
		return NULL;
	return asprintf(&text, "%s/%s", here, path) < 0 ? NULL : text;
}

int lookup_path(const char *path, const struct lookup_rules *rules, struct lookup *lookup,
		struct error *error)
{
	struct way way = { .rules = rules, .error = error, .dir = -1 };
	int ret;

	*lookup = LOOKUP_INIT;
	if (*path == '\0')
		return -ENOENT;
	way.rest = absolute(path);
	ret = way.rest ? stand_in_root(&way) : -errno;
	if (ret == 0)
		ret = walk(&way, lookup);
	way_release(&way);
	return ret < 0 ? ret : 0;
}

int lookup_name(int dir, const char *path, const char *name, const struct lookup_rules *rules,
		struct lookup *lookup, struct error *error)
{
	struct way way = { .rules = rules, .error = error, .dir = -1, .rest = strdup(name) };
	int ret = way.rest ? 0 : -ENOMEM;

	*lookup = LOOKUP_INIT;
	if (ret == 0)
		ret = stand_in(&way, openat(dir, ".", PATH_FLAGS | O_DIRECTORY),
			       strdup(strcmp(path, "/") == 0 ? "" : path));
	if (ret == 0)
		ret = walk(&way, lookup);
	way_release(&way);
	return ret < 0 ? ret : 0;
}

void lookup_release(struct lookup *lookup)
{
	if (lookup->dir >= 0)
		close(lookup->dir);
	free(lookup->path);
	*lookup = LOOKUP_INIT;
}

bool lookup_is_shared(const struct stat *dir)
{
	return dir->st_mode & (S_IWGRP | S_IWOTH);
}
