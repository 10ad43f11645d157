/* SPDX-License-Identifier: Apache-2.0 */
/* The way back: what was written is read as it was. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "check/check.h"
#include "check/same.h"
#include "check/support/must.h"
#include "core/reader/reader.h"
#include "lib/array.h"

/* ---- Link counts, which the core counts by itself, are heard on their way to it ---- */

struct said {
	uint64_t id;
	uint32_t nlink, names, type;
};

struct named {
	uint64_t dir, id;
};

static struct ear {
	const struct kataimg_backend *backend;
	const struct kataimg_sink *inner;
	pthread_mutex_t lock;
	ARRAY(struct said) inodes;
	ARRAY(struct named) names;
} ear = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int hear_root(struct kataimg_sink_ctx *ctx, uint64_t id)
{
	(void)ctx;
	return ear.inner->root(ear.inner->ctx, id);
}

static int hear_inode(struct kataimg_sink_ctx *ctx, const struct kataimg_inode *inode)
{
	struct said *said;

	(void)ctx;
	pthread_mutex_lock(&ear.lock);
	said = array_add(&ear.inodes);
	must(said);
	*said = (struct said){ inode->id, inode->nlink, 0, inode->type };
	pthread_mutex_unlock(&ear.lock);
	return ear.inner->inode(ear.inner->ctx, inode);
}

static int hear_xattr(struct kataimg_sink_ctx *ctx, uint64_t id, const struct kataimg_xattr *xattr)
{
	(void)ctx;
	return ear.inner->xattr(ear.inner->ctx, id, xattr);
}

static int hear_entry(struct kataimg_sink_ctx *ctx, uint64_t dir, const char *name, size_t name_len,
		      uint64_t id)
{
	struct named *named;

	(void)ctx;
	pthread_mutex_lock(&ear.lock);
	named = array_add(&ear.names);
	must(named);
	*named = (struct named){ dir, id };
	pthread_mutex_unlock(&ear.lock);
	return ear.inner->entry(ear.inner->ctx, dir, name, name_len, id);
}

static int hear_range(struct kataimg_sink_ctx *ctx, uint64_t id, uint64_t file_off, uint64_t len,
		      uint64_t off)
{
	(void)ctx;
	return ear.inner->range(ear.inner->ctx, id, file_off, len, off);
}

static int hear_decoded(struct kataimg_sink_ctx *ctx, uint64_t id, uint64_t file_off, uint64_t len,
			uint64_t cookie)
{
	(void)ctx;
	return ear.inner->decoded(ear.inner->ctx, id, file_off, len, cookie);
}

static int read_heard(const struct kataimg_host *host, uint64_t window_bytes,
		      const struct kataimg_sink *sink, void **state)
{
	static const struct kataimg_sink hearing = {
		.struct_size = sizeof(hearing),
		.root = hear_root,
		.inode = hear_inode,
		.xattr = hear_xattr,
		.entry = hear_entry,
		.range = hear_range,
		.decoded = hear_decoded,
	};

	ear.inner = sink;
	return ear.backend->read(host, window_bytes, &hearing, state);
}

static int compare_ids(const void *a, const void *b)
{
	const struct said *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static struct said *find_said(uint64_t id)
{
	const struct said key = { .id = id };

	return bsearch(&key, ear.inodes.items, ear.inodes.count, sizeof(key), compare_ids);
}

/* The judge has seen that all ids have their inode. Of a directory 1 says that nobody counts. */
static int compare_links(void)
{
	qsort(ear.inodes.items, ear.inodes.count, sizeof(*ear.inodes.items), compare_ids);
	for (size_t i = 0; i < ear.names.count; i++) {
		struct said *node = find_said(ear.names.items[i].id);

		if (node->type == KATAIMG_DIR)
			find_said(ear.names.items[i].dir)->names++;
		else
			node->names++;
	}
	for (size_t i = 0; i < ear.inodes.count; i++) {
		const struct said *said = &ear.inodes.items[i];
		bool is_dir = said->type == KATAIMG_DIR;

		if (said->nlink != 0 && said->nlink != said->names + (is_dir ? 2 : 0) &&
		    !(is_dir && said->nlink == 1))
			return check_fail("read-back: inode %" PRIu64
					  " has %u names, and says that it has %u",
					  said->id, said->names + (is_dir ? 2 : 0), said->nlink);
	}
	return 0;
}

/* ---- Reading ---- */

static int read_back(const struct subject *subject, struct memtree *made, struct trial *trial)
{
	bool holes = subject->backend->capabilities & KATAIMG_CAP_SPARSE;
	const struct reader_options options = { .threads = 2 };
	const struct host_range window = trial_window(trial);
	struct backend backend = *trial_backend(trial);
	autoerror struct error error = ERROR_INIT;
	struct tree *found = NULL;
	int ret;

	ear.backend = subject->backend;
	backend.table.read = read_heard;
	if (reader_read(&backend, &window, &options, &found, &error) < 0)
		return check_fail("read-back: %s", error_sentence(&error));
	ret = same_trees("read-back", memtree_core(made), found, holes);
	tree_free(found);
	return ret == 0 ? compare_links() : ret;
}

int check_read_back(const struct subject *subject)
{
	struct trial *trial autocall(cleanup_trial_free) = check_run(&subject->sample, "read-back");

	if (trial && subject->backend->read)
		return read_back(subject, subject->sample.tree, trial);
	if (trial)
		printf("note read-back: the backend reads nothing\n");
	return trial == NULL;
}
