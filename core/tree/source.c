/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/tree/model.h"
#include "lib/cleanup.h"

static uint64_t time_ns(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

struct tree_stamp tree_stamp_of(const struct stat *st)
{
	return (struct tree_stamp){ time_ns(&st->st_mtim), time_ns(&st->st_ctim) };
}

static int add(struct tree *tree, const struct tree_source *source)
{
	struct tree_source *sources;

	if (tree->source_count == TREE_SOURCES_MAX)
		return -EMFILE;
	sources = reallocarray(tree->sources, tree->source_count + 1, sizeof(*sources));
	if (!sources)
		return -ENOMEM;
	sources[tree->source_count] = *source;
	tree->sources = sources;
	return (int)++tree->source_count;
}

int tree_add_archive(struct tree *tree, int fd, bool scratch)
{
	struct tree_source source = { .fd = fd };
	struct stat st;
	int ret;

	ret = fstat(fd, &st) < 0 ? -errno : 0;
	if (ret == 0 && !scratch) {
		source.inode = st.st_ino;
		source.size = (uint64_t)st.st_size;
		source.stamp = tree_stamp_of(&st);
	}
	if (ret == 0)
		ret = add(tree, &source);
	if (ret < 0)
		close(fd);
	return ret;
}

int tree_add_file(struct tree *tree, const char *path)
{
	struct tree_source source = { .fd = -1, .path = strdup(path) };
	int ret = source.path ? add(tree, &source) : -ENOMEM;

	if (ret < 0)
		free(source.path);
	return ret;
}

void tree_free_sources(struct tree *tree)
{
	for (uint32_t i = 0; i < tree->source_count; i++) {
		if (tree->sources[i].fd >= 0)
			close(tree->sources[i].fd);
		free(tree->sources[i].path);
	}
	free(tree->sources);
}
