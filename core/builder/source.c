/* SPDX-License-Identifier: Apache-2.0 */
#include "core/builder/source.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "core/base/cancel.h"
#include "core/base/log.h"
#include "core/config/hint.h"
#include "core/guest/rootfs.h"
#include "core/label/selinux.h"
#include "core/mtree/mtree.h"
#include "core/source/source.h"
#include "core/tree/exclude.h"
#include "core/tree/node.h"
#include "core/tree/owner.h"

static struct tree_options tree_options_of(const struct source_request *request)
{
	const struct config *config = request->config;

	return (struct tree_options){
		.holes = config->tree.holes,
		.one_filesystem = config->tree.one_filesystem,
		.threads = request->threads,
		.build_time = request->any_time ? 0 : (int64_t)config->image.build_time,
		.arch = config->image.arch,
		.scratch = { request->scratch.open, request->scratch.arg, config->tree.unpack_limit,
			     request->scratch.place },
		.backends = request->backends,
		.partition = request->partition,
		.content_later = request->content_later,
	};
}

static int map_owners(const struct config *config, struct tree *tree, struct error *error)
{
	if (!config->tree.all_root)
		return tree_map_ids(tree, &config->tree.uid_map, &config->tree.gid_map, error);
	tree_set_all_root(tree);
	return cancel_check(error);
}

static int apply(const struct config *config, const struct tree_options *options, struct tree *tree,
		 struct source_facts *facts, struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < config->tree.apply.count; i++) {
		uint64_t changes;

		ret = mtree_apply(tree, config->tree.apply.items[i], options, &changes, error);
		facts->applied += changes;
	}
	return ret;
}

static int edit(const struct config *config, const struct tree_options *options, struct tree *tree,
		struct source_facts *facts, struct error *error)
{
	int ret = map_owners(config, tree, error);

	if (ret == 0)
		ret = apply(config, options, tree, facts, error);
	if (ret == 0)
		ret = rootfs_add_machine_id(tree, &facts->machine_id, error);
	if (ret == 0 && config->rootfs.init_link && *config->rootfs.init_link)
		ret = rootfs_add_init_link(tree, config->rootfs.init_link, &facts->init_link,
					   error);
	if (ret == 0 && config->selinux.file_contexts && *config->selinux.file_contexts)
		ret = selinux_label_tree(tree, config->selinux.file_contexts, &facts->labelled,
					 error);
	return ret;
}

/* Each pass takes a moment even over millions of nodes: it is asked after them whether to stop. */
static int settle_times(const struct config *config, struct tree *tree, int64_t *build_time,
			struct source_facts *facts, struct error *error)
{
	*build_time = config->image.build_time ? (int64_t)config->image.build_time
					       : tree_newest_mtime(tree);
	if (config->tree.clamp_mtime)
		facts->clamped = tree_clamp_mtime(tree, *build_time);
	if (config->tree.whole_seconds)
		tree_cut_nanoseconds(tree);
	return cancel_check(error);
}

#define PATH_MESSAGE_BYTES 1024

static void warn_flags(const struct tree *tree)
{
	const struct kataimg_node *first = NULL;
	uint64_t count = tree_count_flagged(tree, &first);
	char path[PATH_MESSAGE_BYTES];

	if (count > 0)
		log_warning("flags of files (chattr) are left out: %s, %" PRIu64 " in all",
			    tree_path(first, path, sizeof(path)), count);
}

static void log_facts(const struct source_facts *facts)
{
	if (facts->excluded > 0)
		log_info("excluded by [tree] exclude: %" PRIu64, facts->excluded);
	if (facts->applied > 0)
		log_info("entries of [tree] apply: %" PRIu64, facts->applied);
	if (facts->labelled > 0)
		log_info("labelled for SELinux: %" PRIu64, facts->labelled);
	if (facts->clamped > 0)
		log_info("times brought down to the build time: %" PRIu64, facts->clamped);
}

int source_check(const struct config *config, const struct tree *tree,
		 const struct source_facts *facts, struct error *error)
{
	const struct rootfs_rules rules = {
		.agent_init = config->rootfs.agent_init,
		.agent = config->rootfs.agent,
		.initrd = config->image.no_disk,
		.init_link = facts->init_link ? config->rootfs.init_link : NULL,
	};
	/* What an initrd starts is in its /init, which need not be one that Kata knows. */
	bool judged = config->rootfs.check && (!rules.initrd || facts->init_link);

	if (config->rootfs.check && rootfs_check(tree, &rules, error) < 0)
		return source_suggest(config->image.source, tree, error);
	if (config->rootfs.check)
		log_ok("init is %s", rules.agent_init && !rules.initrd ? rules.agent : "installed");
	if (facts->machine_id)
		log_info("added an empty /etc/machine-id, for systemd");
	if (facts->init_link)
		log_info("added /init, a link to %s", config->rootfs.init_link);
	return rootfs_remark(tree, judged ? &rules : NULL, error);
}

static struct source_filter filter_of(const struct config *config)
{
	return (struct source_filter){ config->tree.exclude.items, config->tree.exclude.count, 0 };
}

/* What the rules will take out, when the tree is read for them alone and nobody looks for holes
 * before; NULL: nothing. */
static int find_unneeded(const struct source_request *request, struct tree_excluder **unneeded,
			 struct error *error)
{
	const struct config *config = request->config;

	if (config->tree.exclude.count == 0 || request->any_time ||
	    config->tree.holes != TREE_HOLES_SOURCE)
		return 0;
	return tree_excluder_new(config->tree.exclude.items, config->tree.exclude.count, unneeded,
				 error);
}

int source_scan(const struct source_request *request, struct tree **tree,
		struct source_facts *facts, struct error *error)
{
	struct tree_excluder *unneeded autocall(cleanup_tree_excluder_free) = NULL;
	const struct config *config = request->config;
	struct tree_options options = tree_options_of(request);
	struct source_filter filter = { 0 };
	int ret;

	*facts = (struct source_facts){ 0 };
	if (source_reads_filtered(config->image.source))
		filter = filter_of(config);
	ret = find_unneeded(request, &unneeded, error);
	options.unneeded = unneeded;
	if (ret == 0)
		ret = source_read(config->image.source, &options, &filter, tree, error);
	/* A file's name that is wrong is told before, with its line. */
	if (ret == -ENOENT && access(config->image.source, F_OK) < 0)
		error_append(error, "%s", value_hint(config->image.source));
	facts->excluded = filter.excluded;
	return ret;
}

static int exclude(const struct config *config, struct tree *tree, struct source_facts *facts,
		   struct error *error)
{
	struct source_filter filter = filter_of(config);
	int ret;

	if (source_reads_filtered(config->image.source))
		return 0;
	ret = source_exclude(tree, &filter, error);
	facts->excluded = filter.excluded;
	return ret;
}

int source_apply_rules(const struct source_request *request, struct tree *tree, int64_t *build_time,
		       struct source_facts *facts, struct error *error)
{
	const struct config *config = request->config;
	const struct tree_options options = tree_options_of(request);
	int ret;

	/* It may have been read for another one's. */
	if (config->image.build_time)
		tree_set_implied_times(tree, (int64_t)config->image.build_time);
	ret = exclude(config, tree, facts, error);
	if (ret == 0)
		ret = edit(config, &options, tree, facts, error);
	if (ret == 0)
		ret = settle_times(config, tree, build_time, facts, error);
	if (ret < 0)
		return ret;
	warn_flags(tree);
	log_facts(facts);
	return 0;
}

int source_load(const struct source_request *request, struct tree **result, int64_t *build_time,
		struct source_facts *facts, struct error *error)
{
	struct tree *tree = NULL;
	int ret = source_scan(request, &tree, facts, error);

	if (ret < 0)
		return ret;
	ret = source_apply_rules(request, tree, build_time, facts, error);
	if (ret < 0)
		tree_free(tree);
	else
		*result = tree;
	return ret;
}
