/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/hashfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/io.h"
#include "core/measure/beside.h"
#include "lib/cleanup.h"

#define PREFIX "root_hash"
#define SUFFIX ".txt"

/* A line, and room for what an editor may add. */
#define FILE_BYTES_MAX 4096

/* 0, -EINVAL for what has no such line, or another error. */
static int read_line(int fd, struct hash_file *file)
{
	char text[FILE_BYTES_MAX + 1] = "";
	struct stat st;
	bool salted;
	int ret;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX)
		return -EINVAL;
	ret = io_pread(fd, text, (size_t)st.st_size, 0);
	if (ret == 0)
		ret = verity_parse_line(text, &file->params, file->root, &salted);
	return ret == 0 && !salted ? -EINVAL : ret;
}

int hash_file_read(const char *path, struct hash_file *file, struct error *error)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int ret;

	if (fd < 0)
		return error_errno(error, errno, "cannot read the root hash's file %s", path);
	ret = read_line(fd, file);
	if (ret == -EINVAL)
		return error_usage(error,
				   "%s is no root hash's file: that is a line "
				   "root_hash=HEX,salt=HEX,data_blocks=N",
				   path);
	if (ret < 0)
		return error_errno(error, -ret, "cannot read the root hash's file %s", path);
	file->path = strdup(path);
	return file->path ? 0 : error_nomem(error);
}

void hash_file_free(struct hash_file *file)
{
	free(file->path);
	*file = (struct hash_file){ 0 };
}

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	return len >= strlen(PREFIX SUFFIX) && strncmp(name, PREFIX, strlen(PREFIX)) == 0 &&
	       strcmp(name + len - strlen(SUFFIX), SUFFIX) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int select_name(const struct dirent *entry)
{
	return is_name(entry->d_name);
}

static int add(struct hash_files *found, const struct hash_file *file)
{
	struct hash_file *files = reallocarray(found->files, found->count + 1, sizeof(*files));

	if (!files)
		return -ENOMEM;
	found->files = files;
	files[found->count++] = *file;
	return 0;
}

/* What is not read, for whatever reason, is not there. */
static int take(const char *prefix, int dir, const char *name, struct hash_files *found)
{
	struct hash_file file = { 0 };
	autoclose int fd =
		openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
	int ret = fd < 0 ? -EINVAL : read_line(fd, &file);

	if (ret < 0)
		return ret == -ENOMEM ? ret : 0;
	if (asprintf(&file.path, "%s%s", prefix, name) < 0)
		return -ENOMEM;
	ret = add(found, &file);
	if (ret < 0)
		free(file.path);
	return ret;
}

static int take_all(const char *prefix, struct hash_files *found)
{
	const char *path = *prefix ? prefix : ".";
	autoclose int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **names;
	int ret = 0, count = dir < 0 ? -1 : scandir(path, &names, select_name, by_name);

	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		if (ret == 0)
			ret = take(prefix, dir, names[i]->d_name, found);
		free(names[i]);
	}
	free(names);
	return ret;
}

int hash_files_find(const char *image, struct hash_files *found, struct error *error)
{
	const char *slash = strrchr(image, '/');
	autofree char *prefix = strndup(image, slash ? (size_t)(slash - image) + 1 : 0);
	int ret = prefix ? take_all(prefix, found) : -ENOMEM;

	/* Who may open the image by its name need not be allowed to list what lies beside it. */
	return ret == 0 || ret == -EACCES
		       ? 0
		       : error_errno(error, -ret, "cannot look for root_hash*.txt beside %s",
				     image);
}

/* A link may lead anywhere, and is no such file. */
static int allow_name(const char *prefix, const char *name, struct confine *confine,
		      struct error *error)
{
	autofree char *path = NULL;
	struct stat st;

	if (asprintf(&path, "%s%s", prefix, name) < 0) {
		path = NULL;
		return error_nomem(error);
	}
	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	return confine_allow(confine, path, CONFINE_READ, error);
}

static int allow_suffix(const char *image, const char *suffix, struct confine *confine,
			struct error *error)
{
	autofree char *path = beside_path(image, suffix);

	return path ? confine_allow(confine, path, CONFINE_READ, error) : error_nomem(error);
}

int hash_files_confine(const char *image, struct confine *confine, struct error *error)
{
	const char *slash = strrchr(image, '/');
	autofree char *prefix = strndup(image, slash ? (size_t)(slash - image) + 1 : 0);
	static const char *const suffixes[] = { BESIDE_TREE, BESIDE_SIGNATURE };
	struct dirent **names = NULL;
	int ret = prefix ? confine_allow_parent(confine, image, CONFINE_LIST, error)
			 : error_nomem(error);
	int count = ret < 0 ? 0 : scandir(*prefix ? prefix : ".", &names, select_name, by_name);

	for (size_t i = 0; ret == 0 && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		ret = allow_suffix(image, suffixes[i], confine, error);
	for (int i = 0; i < count; i++) {
		if (ret == 0)
			ret = allow_name(prefix, names[i]->d_name, confine, error);
		free(names[i]);
	}
	free(names);
	return ret;
}

void hash_files_free(struct hash_files *found)
{
	for (size_t i = 0; i < found->count; i++)
		hash_file_free(&found->files[i]);
	free(found->files);
	*found = (struct hash_files){ 0 };
}
