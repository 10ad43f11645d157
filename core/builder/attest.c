/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is an image what a configuration builds? The build goes its way up to the first byte of the
 * image; from there on every byte is compared with the one that is there. There is no second image.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/io.h"
#include "core/base/text.h"
#include "core/builder/private.h"
#include "lib/array.h"
#include "lib/hex.h"

/* So many places are told; the rest is counted. */
#define PLACES_TOLD 10

struct place {
	uint64_t image_off;
	char *what; /* owned */
};

struct attest {
	struct build *build;
	struct copy *copy;          /* what belongs where */
	ARRAY(struct place) places; /* that differ */
	bool out_of_memory;
	pthread_mutex_t lock; /* guards both */
};

static void add_place(struct attest *attest, uint64_t image_off, const char *what)
{
	struct place *place;

	pthread_mutex_lock(&attest->lock);
	place = array_add(&attest->places);
	if (place)
		*place = (struct place){ image_off, strdup(what) };
	if (!place || !place->what)
		attest->out_of_memory = true;
	pthread_mutex_unlock(&attest->lock);
}

/* ---- The stages ---- */

static int open_image(struct attest *attest, const char *path, struct error *error)
{
	const uint64_t expected = attest->build->geometry.image_bytes;
	off_t end;
	int ret;

	attest->build->image_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (attest->build->image_fd < 0)
		return error_errno(error, errno, "cannot open %s", path);
	ret = build_expand_image(attest->build, path, error);
	if (ret < 0)
		return ret;
	end = lseek(attest->build->image_fd, 0, SEEK_END);
	if (end < 0)
		return error_errno(error, errno, "cannot find the size of %s", path);
	if ((uint64_t)end != expected)
		return error_set(error, EUCLEAN,
				 "%s has %" PRIu64 " bytes, the build makes %" PRIu64, path,
				 (uint64_t)end, expected);
	return 0;
}

static int compare_tables(struct attest *attest, struct error *error)
{
	struct build_table tables[BUILD_TABLES_MAX];
	uint8_t found[DAX_INFO_BYTES];
	size_t count;
	int ret = build_make_tables(attest->build, tables, &count, error);

	for (size_t i = 0; ret == 0 && i < count; i++) {
		const struct build_table *table = &tables[i];

		if (copy_add_written(attest->copy, table->off, table->len) < 0)
			return error_nomem(error);
		ret = io_pread(attest->build->image_fd, found, table->len, table->off);
		if (ret < 0)
			return error_errno(error, -ret, "cannot read the image");
		if (memcmp(found, table->bytes, table->len) != 0)
			add_place(attest, table->off,
				  table->len == DAX_INFO_BYTES ? "the NVDIMM info block"
							       : "a partition table");
	}
	return ret;
}

static void add_metadata(struct attest *attest)
{
	const uint64_t start = build_window(attest->build).offset_bytes;
	uint64_t off = 0;
	char what[128];

	/* A place is a block: the next byte of the same structure says nothing more. */
	while (host_next_difference(attest->build->host, off, &off)) {
		snprintf(what, sizeof(what), "metadata at byte %" PRIu64 " of the filesystem",
			 off - start);
		add_place(attest, off, what);
		off = (off / 4096 + 1) * 4096;
	}
}

static int compare_metadata(struct attest *attest, struct error *error)
{
	struct build *build = attest->build;
	const struct host_range window = build_window(build);
	int ret;

	progress_stage(build->progress, "metadata");
	if (host_begin_compare(build->host, &window, attest->copy, true) < 0)
		return error_nomem(error);
	ret = session_write(build->session, tree_public(build->tree), window.len_bytes, error);
	if (ret == 0)
		add_metadata(attest);
	return ret;
}

static void add_content(void *arg, uint64_t image_off, const struct kataimg_node *node)
{
	char path[4096];

	add_place(arg, image_off,
		  node ? tree_path(node, path, sizeof(path)) : "data that the backend made");
}

/* A contradiction that is one place, which its message names. */
static int take_place(struct attest *attest, int ret, struct error *error)
{
	if (ret != -EUCLEAN)
		return ret;
	add_place(attest, UINT64_MAX, error->message ? error->message : "");
	error_clear(error);
	return 0;
}

static int compare_content(struct attest *attest, struct error *error)
{
	struct build *build = attest->build;
	const struct copy_options options = {
		.threads = build->options->threads,
		.compare = true,
		.differs = add_content,
		.differs_arg = attest,
		.progress = progress_bytes,
		.progress_arg = build->progress,
	};
	struct copy_stats stats;

	progress_stage(build->progress, "content");
	return take_place(attest, copy_run(attest->copy, build->image_fd, &options, &stats, error),
			  error);
}

/* A hash tree whose blocks all are what the digests above them say is the one that a build makes.
 */
static int compare_hash_tree(struct attest *attest, struct error *error)
{
	struct build *build = attest->build;
	const struct measure_area area = build_measure_area(build);
	struct measure_findings findings;
	int ret;

	if (!build->config->verity.enabled)
		return 0;
	progress_stage(build->progress, "measure");
	if (copy_add_written(attest->copy, area.tree_off, build->geometry.hash.len_bytes) < 0)
		return error_nomem(error);
	ret = build_set_verity(build, error);
	if (ret == 0)
		ret = measure_root(&area, &build->verity, build->root_hash, error);
	if (ret == 0)
		ret = measure_check(&area, &build->verity, build->root_hash, &findings, error);
	if (ret == 0 && findings.tree.count)
		add_place(attest, findings.tree.first_off, "the hash tree");
	/* Data that differs has been named, and the tree may well be the one that belongs to it. */
	if (ret == 0 && findings.data.count && attest->places.count == 0)
		add_place(attest, area.tree_off, "the hash tree");
	return ret;
}

static int compare_rest(struct attest *attest, struct error *error)
{
	const struct build *build = attest->build;

	return take_place(attest,
			  copy_check_unclaimed(attest->copy, build->image_fd, 0,
					       build->geometry.image_bytes, error),
			  error);
}

static int compare_all(struct attest *attest, struct error *error)
{
	int (*const stages[])(struct attest *, struct error *) = {
		compare_tables, compare_metadata, compare_content, compare_hash_tree, compare_rest,
	};
	int ret = 0;

	attest->copy = copy_new(attest->build->tree);
	if (!attest->copy)
		return error_nomem(error);
	for (size_t i = 0; ret == 0 && i < sizeof(stages) / sizeof(stages[0]); i++)
		ret = stages[i](attest, error);
	return ret == 0 && attest->out_of_memory ? error_nomem(error) : ret;
}

/* ---- The verdict ---- */

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->image_off > y->image_off) - (x->image_off < y->image_off);
}

static void print_place(const struct place *place)
{
	autofree char *what = text_line(place->what);

	if (place->image_off != UINT64_MAX)
		printf("byte %" PRIu64 ": ", place->image_off);
	printf("%s\n", what ? what : "out of memory");
}

static int tell(struct attest *attest, const char *path, struct error *error)
{
	const struct build *build = attest->build;
	size_t count = attest->places.count;
	char hex[2 * DIGEST_BYTES + 1];

	if (count == 0) {
		printf("%s%s is what this configuration builds, byte for byte\n",
		       build->config->image.compress ? "unpacked, " : "", path);
		if (build->config->verity.enabled) {
			hex_format(build->root_hash, DIGEST_BYTES, hex);
			printf("root hash %s\n", hex);
		}
		return 0;
	}
	qsort(attest->places.items, count, sizeof(struct place), compare_places);
	for (size_t i = 0; i < count && i < PLACES_TOLD; i++)
		print_place(&attest->places.items[i]);
	return error_set(error, EUCLEAN,
			 "%s is not what this configuration builds: it differs in %zu place%s",
			 path, count, count == 1 ? "" : "s");
}

int build_attest_image(struct build *build, const char *path, struct error *error)
{
	struct attest attest = { .build = build };
	int ret = open_image(&attest, path, error);

	pthread_mutex_init(&attest.lock, NULL);
	if (ret == 0)
		ret = compare_all(&attest, error);
	progress_finish(build->progress);
	if (ret == 0)
		ret = tell(&attest, path, error);
	for (size_t i = 0; i < attest.places.count; i++)
		free(attest.places.items[i].what);
	array_free(&attest.places);
	copy_free(attest.copy);
	pthread_mutex_destroy(&attest.lock);
	if (build->image_fd >= 0)
		close(build->image_fd);
	return ret;
}
