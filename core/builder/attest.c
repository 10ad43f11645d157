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
#include "core/builder/attest.h"

/* So many places are told; the rest is counted. */
#define PLACES_TOLD 10

void attest_add_place(struct attest *attest, uint64_t image_off, const char *what)
{
	struct attest_place *place;

	pthread_mutex_lock(&attest->lock);
	place = array_add(&attest->places);
	if (place)
		*place = (struct attest_place){ image_off, strdup(what) };
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

static int compare_table(struct attest *attest, const struct build_table *table,
			 struct error *error)
{
	autofree uint8_t *found = malloc(table->len);
	int ret;

	if (!found || copy_add_written(attest->copy, table->off, table->len) < 0)
		return error_nomem(error);
	ret = io_pread(attest->build->image_fd, found, table->len, table->off);
	if (ret < 0)
		return error_errno(error, -ret, "cannot read the image");
	if (memcmp(found, table->bytes, table->len) != 0)
		attest_add_place(attest, table->off, table->what);
	return 0;
}

static int compare_tables(struct attest *attest, struct error *error)
{
	struct build_tables tables __attribute__((cleanup(build_free_tables)));
	int ret = build_make_tables(attest->build, &tables, error);

	for (size_t i = 0; ret == 0 && i < tables.count; i++)
		ret = compare_table(attest, &tables.items[i], error);
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
		attest_add_place(attest, off, what);
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

	attest_add_place(arg, image_off,
			 node ? tree_path(node, path, sizeof(path)) : "data that the backend made");
}

/* A contradiction that is one place, which its message names. */
static int take_place(struct attest *attest, int ret, struct error *error)
{
	if (ret != -EUCLEAN)
		return ret;
	attest_add_place(attest, ATTEST_NO_OFFSET, error->message ? error->message : "");
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
		compare_metadata, compare_content, attest_hash_tree,
		attest_signature, compare_tables,  compare_rest,
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
	const struct attest_place *x = a, *y = b;

	return (x->image_off > y->image_off) - (x->image_off < y->image_off);
}

static void print_place(const struct attest_place *place)
{
	autofree char *what = text_line(place->what);

	if (place->image_off != ATTEST_NO_OFFSET)
		printf("byte %" PRIu64 ": ", place->image_off);
	printf("%s\n", what ? what : "out of memory");
}

/* "this configuration", or of several images "image base of this configuration"; NULL when memory
 * is out. */
static char *builder_name(const struct config *config)
{
	char *name;

	return asprintf(&name, "%s%s%sthis configuration", config->name ? "image " : "",
			config->name ? config->name : "", config->name ? " of " : "") < 0
		       ? NULL
		       : name;
}

static int tell(struct attest *attest, const char *path, struct error *error)
{
	const struct build *build = attest->build;
	size_t count = attest->places.count;
	autofree char *builder = builder_name(build->config);
	char hex[2 * VERITY_DIGEST_MAX_BYTES + 1];

	if (!builder)
		return error_nomem(error);
	if (count == 0) {
		printf("%s%s is what %s builds, byte for byte\n",
		       build->config->image.compress ? "unpacked, " : "", path, builder);
		if (build->config->verity.enabled) {
			build_root_hash_text(build, hex);
			printf("root hash %s\n", hex);
		}
		return 0;
	}
	qsort(attest->places.items, count, sizeof(struct attest_place), compare_places);
	for (size_t i = 0; i < count && i < PLACES_TOLD; i++)
		print_place(&attest->places.items[i]);
	return error_set(error, EUCLEAN, "%s is not what %s builds: it differs in %zu place%s",
			 path, builder, count, count == 1 ? "" : "s");
}

int build_attest_image(struct build *build, const char *path, struct error *error)
{
	struct attest attest = { .build = build, .path = path };
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
