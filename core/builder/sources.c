/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trees of a set's images. A source is read once for all images that read it alike: an archive
 * is unpacked once. Those with the same rules have one tree; where rules differ, each gets a
 * duplicate of what was read and its rules are applied to that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/meter.h"
#include "core/base/textstream.h"
#include "core/builder/private.h"
#include "core/config/same.h"
#include "core/image/unnamed.h"
#include "core/source/source.h"
#include "lib/samefile.h"

/* Of one image, by numbers in the set; its own where it is the first. */
struct plan_of_tree {
	size_t reads_as; /* who reads the source that it is made of */
	size_t same_as;  /* who has the tree that it has */
};

struct loading {
	struct build_set *set;
	struct plan_of_tree *plans;
	struct tree **read;         /* by reads_as, for those who need duplicates */
	struct source_facts *found; /* of reading, likewise */
};

/* ---- Who reads what ---- */

static bool is_path(const char *source)
{
	return !source_kind_by_prefix(source);
}

static bool same_source(const struct config *a, const struct config *b)
{
	const char *x = a->image.source, *y = b->image.source;

	return strcmp(x, y) == 0 || (is_path(x) && is_path(y) && same_file_named(x, y));
}

static bool same_key(const struct config *a, const struct config *b, const char *section,
		     const char *name)
{
	return config_same_value(a, b, config_find_key(section, name));
}

/* What decides how a source is read. */
static bool reads_alike(const struct config *a, const struct config *b)
{
	return same_source(a, b) && same_key(a, b, "image", "arch") &&
	       same_key(a, b, "tree", "holes") && same_key(a, b, "tree", "one-filesystem") &&
	       same_key(a, b, "tree", "unpack-limit") &&
	       (same_key(a, b, "tree", "exclude") || !source_reads_filtered(a->image.source));
}

/* Every key that rules a tree, those to come as well. What is dropped is dropped of one's own. */
static bool rules_alike(const struct config *a, const struct config *b)
{
	if (a->image.unsupported == CONFIG_UNSUPPORTED_DROP ||
	    b->image.unsupported == CONFIG_UNSUPPORTED_DROP ||
	    !same_key(a, b, "image", "build-time") || !same_key(a, b, "rootfs", "init-link"))
		return false;
	for (size_t i = 0; i < config_key_count; i++) {
		const char *section = config_keys[i].section;

		if ((strcmp(section, "tree") == 0 || strcmp(section, "selinux") == 0) &&
		    !config_same_value(a, b, &config_keys[i]))
			return false;
	}
	return true;
}

static void find_companions(struct loading *loading, size_t number)
{
	const struct build *builds = loading->set->builds;
	struct plan_of_tree *plan = &loading->plans[number];

	*plan = (struct plan_of_tree){ number, number };
	for (size_t i = 0; i < number; i++) {
		const struct config *other = builds[i].config, *own = builds[number].config;

		if (loading->plans[i].same_as != i || !reads_alike(other, own))
			continue;
		plan->reads_as = loading->plans[i].reads_as;
		if (rules_alike(other, own)) {
			plan->same_as = loading->plans[i].same_as;
			return;
		}
	}
}

/* How many trees are made of what one reads. */
static size_t count_trees(const struct loading *loading, size_t reads_as)
{
	size_t count = 0;

	for (size_t i = 0; i < loading->set->count; i++)
		if (loading->plans[i].reads_as == reads_as && loading->plans[i].same_as == i)
			count++;
	return count;
}

/* "image base, coco", of those who read, or have, the same: to be freed; NULL where images have no
 * names. 0 or -ENOMEM. */
static int name_companions(const struct loading *loading, size_t number, bool of_reading,
			   char **names)
{
	struct text_stream stream;
	size_t count = 0;
	int ret;

	*names = NULL;
	if (!loading->set->builds[number].subject)
		return 0;
	ret = text_stream_open(&stream);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < loading->set->count; i++) {
		const struct plan_of_tree *plan = &loading->plans[i];

		if ((of_reading ? plan->reads_as : plan->same_as) == number)
			fprintf(stream.out, "%s%s", count++ ? ", " : "image ",
				loading->set->builds[i].config->name);
	}
	return text_stream_close(&stream, names);
}

/* What is said meanwhile is about all who share the result. */
static int run_for_companions(struct loading *loading, size_t number, bool of_reading,
			      int (*step)(struct loading *loading, size_t number,
					  struct error *error),
			      struct error *error)
{
	autofree char *names = NULL;
	int ret;

	if (name_companions(loading, number, of_reading, &names) < 0)
		return error_nomem(error);
	log_set_subject(names);
	ret = step(loading, number, error);
	log_set_subject(NULL);
	return ret < 0 && names ? error_prefix(error, "%s", names) : ret;
}

/* ---- The trees ---- */

static struct source_request request_of(struct build *build)
{
	return (struct source_request){
		.config = build->config,
		.threads = build->options->threads,
		.scratch = { .open = build_open_scratch,
			     .arg = build,
			     .place = build->files[BUILD_IMAGE] ? NULL : UNNAMED_PLACE },
		.backends = build->options->search,
		/* A dry run only plans: content is read if the backend asks for it. */
		.content_later = build->options->dry_run,
	};
}

/* As it is read for several trees, or for the only one. */
static int read_source(struct loading *loading, size_t number, struct error *error)
{
	struct build *build = &loading->set->builds[number];
	struct source_request request = request_of(build);

	if (count_trees(loading, number) == 1)
		return source_scan(&request, &build->tree, &build->facts, error);
	request.any_time = true;
	return source_scan(&request, &loading->read[number], &loading->found[number], error);
}

static int apply_rules(struct loading *loading, size_t number, struct error *error)
{
	struct build *build = &loading->set->builds[number];
	const struct source_request request = request_of(build);
	size_t reads_as = loading->plans[number].reads_as;

	if (!build->tree) {
		build->facts = loading->found[reads_as];
		build->tree = tree_duplicate(loading->read[reads_as]);
	}
	if (!build->tree)
		return error_nomem(error);
	return source_apply_rules(&request, build->tree, &build->build_time, &build->facts, error);
}

static int load(struct loading *loading, size_t number, struct error *error)
{
	struct build *build = &loading->set->builds[number];
	int ret = 0;

	progress_stage(build->progress, "scan");
	meter_listen(progress_meter, build->progress);
	if (loading->plans[number].reads_as == number)
		ret = run_for_companions(loading, number, true, read_source, error);
	if (ret == 0)
		ret = run_for_companions(loading, number, false, apply_rules, error);
	meter_listen(NULL, NULL);
	return ret;
}

static void take_over(struct loading *loading, size_t number)
{
	struct build *build = &loading->set->builds[number];
	const struct build *other = &loading->set->builds[loading->plans[number].same_as];

	build->tree = tree_share(other->tree);
	build->build_time = other->build_time;
	build->facts = other->facts;
}

/* It gives its bytes once. */
static int check_stdin(const struct loading *loading, struct error *error)
{
	const struct build *builds = loading->set->builds, *first = NULL;

	for (size_t i = 0; i < loading->set->count; i++) {
		if (loading->plans[i].reads_as != i ||
		    strcmp(builds[i].config->image.source, "-") != 0)
			continue;
		if (first)
			return error_usage(error,
					   "image %s and image %s read standard input, and not "
					   "alike: give one of them a file",
					   first->config->name, builds[i].config->name);
		first = &builds[i];
	}
	return 0;
}

static int load_all(struct loading *loading, struct error *error)
{
	int ret;

	for (size_t i = 0; i < loading->set->count; i++)
		find_companions(loading, i);
	ret = check_stdin(loading, error);
	for (size_t i = 0; ret == 0 && i < loading->set->count; i++) {
		if (loading->plans[i].same_as != i)
			take_over(loading, i);
		else
			ret = load(loading, i, error);
	}
	return ret;
}

int build_load_sources(struct build_set *set, struct error *error)
{
	autofree struct plan_of_tree *plans = calloc(set->count, sizeof(*plans));
	autofree struct tree **read = calloc(set->count, sizeof(struct tree *));
	autofree struct source_facts *found = calloc(set->count, sizeof(*found));
	struct loading loading = { set, plans, read, found };
	int ret;

	if (!plans || !read || !found)
		return error_nomem(error);
	ret = load_all(&loading, error);
	for (size_t i = 0; i < set->count; i++)
		tree_free(read[i]);
	return ret;
}
