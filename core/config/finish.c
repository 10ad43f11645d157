/* SPDX-License-Identifier: Apache-2.0 */
/* What single values cannot tell: how they go together. */
#include <stdio.h>
#include <string.h>

#include "core/base/size.h"
#include "core/base/suggest.h"
#include "core/config/config.h"
#include "core/config/inifile.h"
#include "core/config/measured.h"
#include "core/config/shape.h"
#include "core/config/table.h"

static int fail_unknown_section(const struct config_section *unknown, const char *backend,
				struct error *error)
{
	struct suggestion suggestion = { .word = unknown->name };
	const char *image = unknown->origin.image;
	char hint[SUGGEST_HINT_BYTES];

	for (size_t i = 0; i < config_key_count; i++)
		suggest_offer(&suggestion, config_keys[i].section);
	suggest_offer(&suggestion, backend);
	return error_usage(error, "unknown section [%s%s%s]%s", unknown->name, image ? " " : "",
			   image ? image : "", suggest_hint(&suggestion, hint));
}

static int check_section(const struct config *config, const struct config_section *section,
			 const struct config_backends *backends, struct error *error)
{
	const char *selected = config->image.filesystem;
	char where[CONFIG_ORIGIN_BYTES];
	int has;

	if (strcmp(section->name, selected) == 0)
		return 0;
	has = backends->has(backends->arg, section->name);
	if (has < 0)
		return error_nomem(error);
	if (has)
		return 0;
	fail_unknown_section(section, selected, error);
	return error_prefix(error, "%s",
			    config_origin_text(&section->origin, where, sizeof(where)));
}

static int check_sections(struct config *config, const struct config_backends *backends,
			  struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < config->section_count; i++) {
		const struct config_section *section = &config->sections[i];

		ret = mistakes_take(&config->mistakes,
				    check_section(config, section, backends, error),
				    section->origin.line, error);
	}
	return ret;
}

static int check_multiple(struct config *config, const char *name, uint64_t bytes,
			  struct error *error)
{
	uint64_t step = config->image.dax ? UINT64_C(2) << 20 : 4096;
	uint64_t below = bytes - bytes % step;
	char next[SIZE_TEXT_BYTES];

	if (bytes == below)
		return 0;
	return config_refuse_key(
		config, "image", name, error, "not a multiple of %s; try %s",
		config->image.dax ? "2 MiB, which dax needs" : "4096",
		size_format(below > UINT64_MAX - step ? below : below + step, next, sizeof(next)));
}

static int check_owners(struct config *config, struct error *error)
{
	if (!config->tree.all_root || config->tree.uid_map.count + config->tree.gid_map.count == 0)
		return 0;
	return config_refuse_key(config, "tree", "all-root", error,
				 "leaves uid-map and gid-map nothing to do: give one or the other");
}

static int check_source(struct config *config, struct error *error)
{
	const char *source = config->image.source, *path = config->path;

	if (source && strcmp(source, "-") == 0 && path && strcmp(path, INIFILE_STDIN_NAME) == 0)
		return config_refuse_key(config, "image", "source", error,
					 "standard input is the configuration");
	if (source || config_is_given(config, "image", "source"))
		return 0;
	error_usage(error, "%s%sno source: give [image] source or SOURCE", path ? path : "",
		    path ? ": " : "");
	return config_collect(config, -error->code, error);
}

/* Where the time comes from the environment, files that are newer than it were made by whoever
 * copied the tree: reproducible-builds.org/specs/source-date-epoch asks for clamping. A 0 is a time
 * there, not the key's "newest", and backends get 1 at least (kataimg/backend.h). */
static void take_time_of_environment(struct config *config)
{
	const struct config_key *time = config_find_key("image", "build-time");
	const struct config_key *clamp = config_find_key("tree", "clamp-mtime");
	const struct config_origin *time_origin = &config->origins[time - config_keys];
	struct config_origin *clamp_origin = &config->origins[clamp - config_keys];

	if (!time_origin->name || strcmp(time_origin->name, time->environment) != 0)
		return;
	if (config->image.build_time == 0)
		config->image.build_time = 1;
	if (clamp_origin->name)
		return;
	config->tree.clamp_mtime = true;
	*clamp_origin = *time_origin;
}

static int settle_shape(struct config *config, const struct config_backends *backends,
			struct error *error)
{
	int ret = backends->no_disk(backends->arg);

	if (ret < 0)
		return error_nomem(error);
	config->image.no_disk = ret > 0;
	if (config->image.no_disk)
		return config_settle_no_disk(config, error);
	ret = backends->can_dax(backends->arg);
	if (ret < 0)
		return error_nomem(error);
	ret = config_settle_table(config, ret > 0, error);
	if (ret == 0)
		ret = check_multiple(config, "align", config->image.align_bytes, error);
	return ret < 0 ? ret : check_multiple(config, "size", config->image.size_bytes, error);
}

int config_finish(struct config *config, const struct config_backends *backends,
		  struct error *error)
{
	static int (*const checks[])(struct config *, struct error *) = {
		config_check_foreign, config_check_compress, check_owners,
		measured_finish,      config_check_artifact, check_source,
	};
	int ret = check_sections(config, backends, error);

	take_time_of_environment(config);
	if (ret == 0)
		ret = settle_shape(config, backends, error);
	for (size_t i = 0; ret == 0 && i < sizeof(checks) / sizeof(checks[0]); i++)
		ret = checks[i](config, error);
	return ret;
}
