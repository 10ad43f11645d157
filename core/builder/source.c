/* SPDX-License-Identifier: Apache-2.0 */
#include "core/builder/source.h"

#include <inttypes.h>
#include <sys/stat.h>

#include "core/base/log.h"
#include "core/config/scheme.h"
#include "core/guest/rootfs.h"
#include "core/label/selinux.h"
#include "core/mtree/mtree.h"
#include "core/oci/oci.h"
#include "core/tree/exclude.h"
#include "core/tree/owner.h"

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static struct mtree_options mtree_options_of(const struct config *config)
{
	return (struct mtree_options){ .holes = config->tree.holes,
				       .build_time = (int64_t)config->image.build_time };
}

static int scan_directory(const struct source_request *request, struct tree_excluder *excluder,
			  struct tree **tree, struct error *error)
{
	const struct config *config = request->config;
	const struct tree_scan_options options = {
		.holes = config->tree.holes,
		.one_filesystem = config->tree.one_filesystem,
		.threads = request->threads,
		.excluder = excluder,
	};

	return tree_scan_directory(config->image.source, &options, tree, error);
}

static int read_other(const struct source_request *request, struct tree **tree, struct error *error)
{
	const struct config *config = request->config;
	const struct archive_options options = {
		.holes = config->tree.holes,
		.build_time = (int64_t)config->image.build_time,
		.scratch = { request->scratch.open, request->scratch.arg,
			     config->tree.unpack_limit },
	};
	const struct mtree_options mtree = mtree_options_of(config);
	size_t scheme_len;
	const struct oci_options oci = { .arch = config->image.arch, .archive = options };

	if (source_scheme_of(config->image.source, &scheme_len) != SOURCE_PATH)
		return oci_read_tree(config->image.source, &oci, tree, error);
	if (mtree_is(config->image.source))
		return mtree_read_tree(config->image.source, &mtree, tree, error);
	return archive_read_tree(config->image.source, &options, tree, error);
}

/* A directory is read without what is excluded, which may be unreadable; others lose it later. */
static int read_source(const struct source_request *request, struct tree_excluder *excluder,
		       struct tree **tree, struct error *error)
{
	int ret;

	if (is_directory(request->config->image.source))
		return scan_directory(request, excluder, tree, error);
	ret = read_other(request, tree, error);
	if (ret == 0)
		ret = tree_exclude(*tree, excluder, error);
	return ret;
}

static int read_without_excluded(const struct source_request *request, struct tree **tree,
				 struct source_facts *facts, struct error *error)
{
	const struct config_list *patterns = &request->config->tree.exclude;
	struct tree_excluder *excluder autocall(cleanup_tree_excluder_free) = NULL;
	int ret = tree_excluder_new(patterns->items, patterns->count, &excluder, error);

	if (ret == 0)
		ret = read_source(request, excluder, tree, error);
	if (ret < 0)
		return ret;
	tree_excluder_warn(excluder);
	facts->excluded = tree_excluder_count(excluder);
	return 0;
}

static int map_owners(const struct config *config, struct tree *tree, struct error *error)
{
	if (!config->tree.all_root)
		return tree_map_ids(tree, &config->tree.uid_map, &config->tree.gid_map, error);
	tree_set_all_root(tree);
	return 0;
}

static int apply(const struct config *config, struct tree *tree, struct source_facts *facts,
		 struct error *error)
{
	const struct mtree_options options = mtree_options_of(config);
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < config->tree.apply.count; i++) {
		uint64_t changes;

		ret = mtree_apply(tree, config->tree.apply.items[i], &options, &changes, error);
		facts->applied += changes;
	}
	return ret;
}

static int edit(const struct config *config, struct tree *tree, struct source_facts *facts,
		struct error *error)
{
	int ret = map_owners(config, tree, error);

	if (ret == 0)
		ret = apply(config, tree, facts, error);
	if (ret == 0)
		ret = rootfs_add_machine_id(tree, &facts->machine_id, error);
	if (ret == 0 && config->selinux.file_contexts && *config->selinux.file_contexts)
		ret = selinux_label_tree(tree, config->selinux.file_contexts, &facts->labelled,
					 error);
	return ret;
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
	};
	int ret = config->rootfs.check ? rootfs_check(tree, &rules, error) : 0;

	if (ret == 0 && config->rootfs.check)
		log_ok("init is %s", rules.agent_init ? rules.agent : "installed");
	if (ret == 0 && facts->machine_id)
		log_info("added an empty /etc/machine-id, for systemd");
	return ret < 0 ? ret : rootfs_remark(tree, config->rootfs.check ? &rules : NULL, error);
}

int source_load(const struct source_request *request, struct tree **result, int64_t *build_time,
		struct source_facts *facts, struct error *error)
{
	const struct config *config = request->config;
	struct tree *tree = NULL;
	int ret;

	*facts = (struct source_facts){ 0 };
	ret = read_without_excluded(request, &tree, facts, error);
	if (ret == 0)
		ret = edit(config, tree, facts, error);
	if (ret == 0) {
		*build_time = config->image.build_time ? (int64_t)config->image.build_time
						       : tree_newest_mtime(tree);
		if (config->tree.clamp_mtime)
			facts->clamped = tree_clamp_mtime(tree, *build_time);
		if (config->tree.whole_seconds)
			tree_cut_nanoseconds(tree);
		log_facts(facts);
	}
	if (ret < 0)
		tree_free(tree);
	else
		*result = tree;
	return ret;
}
