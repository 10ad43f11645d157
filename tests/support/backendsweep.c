/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/backendsweep.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/reader/reader.h"
#include "tests/support/samples.h"

#define READ_BYTES_MAX (256u << 10)

static void judge(const struct sweep *sweep, bool met, unsigned long at, int ret, const char *stage,
		  const char *message)
{
	if (ret != (met ? -sweep->code : 0))
		fail_msg("call %lu: %s returned %d: %s", at, stage, ret, message);
	if (met && !strstr(message, sweep->text))
		fail_msg("call %lu: %s: '%s' lacks '%s'", at, stage, message, sweep->text);
}

static void build(struct sweep *sweep, const struct trial_setup *setup, unsigned long at)
{
	struct trial *trial = trial_new(setup);
	int ret;

	if (at)
		places_arm(&sweep->places, at);
	else
		places_count(&sweep->places);
	ret = trial_run(trial);
	judge(sweep, places_disarm(&sweep->places), at, ret, trial_stage(trial),
	      trial_error(trial));
	trial_free(trial);
}

size_t sweep_builds(struct sweep *sweep)
{
	const struct sample *sample;
	size_t failed = 0;

	for (size_t i = 0; (sample = sample_at(sweep->backend, i)); i++) {
		struct memtree *tree = sample->tree();
		struct kataimg_job job;
		const struct trial_setup setup = sample_setup(sample, sweep->backend, tree, &job);

		build(sweep, &setup, 0);
		failed += sweep->places.point_count;
		for (size_t n = 0; n < sweep->places.point_count; n++)
			build(sweep, &setup, sweep->places.points[n]);
		memtree_free(tree);
	}
	return failed;
}

/* The beginning, and the last bytes. */
static int read_node(struct tree *tree, const struct kataimg_node *node, struct error *error)
{
	static uint8_t bytes[READ_BYTES_MAX];
	size_t len = node->size < READ_BYTES_MAX ? (size_t)node->size : READ_BYTES_MAX;
	int ret = tree_read(tree, node, 0, bytes, len, error);

	if (ret < 0 || node->size <= READ_BYTES_MAX)
		return ret;
	return tree_read(tree, node, node->size - 100, bytes, 100, error);
}

static int read_all(struct tree *tree, struct error *error)
{
	const struct kataimg_tree *pub = tree_public(tree);

	for (uint64_t i = 0; i < pub->node_count; i++) {
		int ret = pub->nodes[i]->type == KATAIMG_REG && pub->nodes[i]->size
				  ? read_node(tree, pub->nodes[i], error)
				  : 0;

		if (ret < 0)
			return ret;
	}
	return 0;
}

static void read_once(struct sweep *sweep, const struct trial *trial, unsigned long at)
{
	const struct reader_options reading = { .threads = 1 };
	const struct host_range window = trial_window(trial);
	autoerror struct error error = ERROR_INIT;
	struct tree *tree = NULL;
	int ret;

	if (at)
		places_arm(&sweep->places, at);
	else
		places_count(&sweep->places);
	ret = reader_read(trial_backend(trial), &window, &reading, &tree, &error);
	if (ret == 0)
		ret = read_all(tree, &error);
	judge(sweep, places_disarm(&sweep->places), at, ret, "reading",
	      error.message ? error.message : "");
	tree_free(tree);
}

size_t sweep_reads(struct sweep *sweep)
{
	const struct sample *sample;
	size_t failed = 0;

	if (!sweep->backend->read)
		return 0;
	for (size_t i = 0; (sample = sample_at(sweep->backend, i)); i++) {
		struct memtree *tree = sample->tree();
		struct kataimg_job job;
		const struct trial_setup setup = sample_setup(sample, sweep->backend, tree, &job);
		struct trial *trial = trial_new(&setup);

		assert_int_equal(trial_run(trial), 0);
		read_once(sweep, trial, 0);
		failed += sweep->places.point_count;
		for (size_t n = 0; n < sweep->places.point_count; n++)
			read_once(sweep, trial, sweep->places.points[n]);
		trial_free(trial);
		memtree_free(tree);
	}
	return failed;
}
