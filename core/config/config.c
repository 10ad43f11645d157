/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/assign.h"
#include "core/config/inifile.h"
#include "core/config/suggest.h"
#include "core/tree/owner.h"
#include "lib/cleanup.h"

/* A value on its way in. */
struct setting {
	const char *section, *name, *value;
	const char *directory; /* of the file; NULL: the working directory */
	struct config_origin origin;
};

static bool is_from_file(const struct config_origin *origin)
{
	return origin->line != 0;
}

const char *config_origin_text(const struct config_origin *origin, char *buf, size_t size)
{
	if (is_from_file(origin))
		snprintf(buf, size, "%s:%u", origin->name, origin->line);
	else
		snprintf(buf, size, "%s", origin->name ? origin->name : "default");
	return buf;
}

static int fail_unknown_section(const char *section, const char *backend, struct error *error)
{
	struct suggestion suggestion = { .word = section };
	char hint[SUGGEST_HINT_BYTES];

	for (size_t i = 0; i < config_key_count; i++)
		suggest_offer(&suggestion, config_keys[i].section);
	suggest_offer(&suggestion, backend);
	return error_usage(error, "unknown section [%s]%s", section,
			   suggest_hint(&suggestion, hint));
}

static int fail_unknown_key(const struct setting *setting, struct error *error)
{
	struct suggestion suggestion = { .word = setting->name };
	char hint[SUGGEST_HINT_BYTES];

	for (size_t i = 0; i < config_key_count; i++)
		if (strcmp(config_keys[i].section, setting->section) == 0)
			suggest_offer(&suggestion, config_keys[i].name);
	return error_usage(error, "[%s] %s: unknown key%s", setting->section, setting->name,
			   suggest_hint(&suggestion, hint));
}

/* A key that the file gives twice is a mistake; given again elsewhere it is meant. */
static int check_repeated(const struct setting *setting, const struct config_origin *earlier,
			  struct error *error)
{
	if (!is_from_file(&setting->origin) || !is_from_file(earlier))
		return 0;
	return error_usage(error, "[%s] %s: already given in line %u", setting->section,
			   setting->name, earlier->line);
}

static int set_key(struct config *config, const struct config_key *key,
		   const struct setting *setting, struct error *error)
{
	struct config_origin *origin = &config->origins[key - config_keys];
	int ret;

	if (!config_is_list(key)) {
		ret = check_repeated(setting, origin, error);
		if (ret < 0)
			return ret;
	} else if (is_from_file(origin) && !is_from_file(&setting->origin)) {
		assign_clear(config, key);
	}
	ret = assign_value(config, key, setting->value, setting->directory, error);
	if (ret < 0)
		return error_prefix(error, "[%s] %s = %s", setting->section, setting->name,
				    setting->value);
	*origin = setting->origin;
	return 0;
}

struct config_pair *config_find_pair(const struct config *config, const char *section,
				     const char *name)
{
	for (size_t i = 0; i < config->pair_count; i++)
		if (strcmp(config->pairs[i].section, section) == 0 &&
		    strcmp(config->pairs[i].name, name) == 0)
			return &config->pairs[i];
	return NULL;
}

static int replace_pair(struct config_pair *pair, const struct setting *setting,
			struct error *error)
{
	char *value;
	int ret = check_repeated(setting, &pair->origin, error);

	if (ret < 0)
		return ret;
	value = strdup(setting->value);
	if (!value)
		return error_nomem(error);
	free(pair->value);
	pair->value = value;
	pair->origin = setting->origin;
	return 0;
}

static int add_pair(struct config *config, const struct setting *setting, struct error *error)
{
	struct config_pair *pairs =
		reallocarray(config->pairs, config->pair_count + 1, sizeof(*pairs));
	struct config_pair *pair;

	if (!pairs)
		return error_nomem(error);
	config->pairs = pairs;
	pair = &pairs[config->pair_count++];
	*pair = (struct config_pair){ .section = strdup(setting->section),
				      .name = strdup(setting->name),
				      .value = strdup(setting->value),
				      .origin = setting->origin };
	if (!pair->section || !pair->name || !pair->value)
		return error_nomem(error);
	return 0;
}

static int apply(struct config *config, const struct setting *setting, struct error *error)
{
	const struct config_key *key = config_find_key(setting->section, setting->name);
	struct config_pair *pair;

	if (key)
		return set_key(config, key, setting, error);
	if (setting->section[0] == '\0')
		return error_usage(error, "%s: a key before the first [section]", setting->name);
	if (config_is_section(setting->section))
		return fail_unknown_key(setting, error);
	pair = config_find_pair(config, setting->section, setting->name);
	return pair ? replace_pair(pair, setting, error) : add_pair(config, setting, error);
}

struct loading {
	struct config *config;
	const char *directory; /* NULL: the working directory */
};

static int apply_pair(void *arg, const char *section, const char *name, const char *value,
		      unsigned int line, struct error *error)
{
	const struct loading *loading = arg;
	struct setting setting = {
		section, name, value, loading->directory, { loading->config->path, line }
	};

	return apply(loading->config, &setting, error);
}

/* Whose it is will be known when the backend is. */
static int add_section(void *arg, const char *name, unsigned int line, struct error *error)
{
	struct config *config = ((const struct loading *)arg)->config;
	struct config_section *sections;

	if (config_is_section(name))
		return 0;
	sections = reallocarray(config->sections, config->section_count + 1, sizeof(*sections));
	if (!sections)
		return error_nomem(error);
	config->sections = sections;
	sections[config->section_count++] =
		(struct config_section){ strdup(name), { config->path, line } };
	return sections[config->section_count - 1].name ? 0 : error_nomem(error);
}

int config_init(struct config *config, struct error *error)
{
	*config = (struct config){ 0 };
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		int ret = key->default_value
				  ? assign_value(config, key, key->default_value, NULL, error)
				  : 0;

		if (ret < 0)
			return error_prefix(error, "default of [%s] %s", key->section, key->name);
	}
	return 0;
}

int config_read_environment(struct config *config, struct error *error)
{
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		const char *value = key->environment ? getenv(key->environment) : NULL;
		int ret = 0;

		if (value && *value)
			ret = config_set(config, key->section, key->name, value, key->environment,
					 error);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int config_load(struct config *config, const char *path, struct error *error)
{
	autofree char *directory = strdup(path);
	struct loading loading = { .config = config };
	char *slash;

	config->path = strdup(path);
	if (!directory || !config->path)
		return error_nomem(error);
	slash = strrchr(directory, '/');
	if (slash) {
		slash[slash == directory] = '\0';
		loading.directory = directory;
	}
	return inifile_read(config->path, add_section, apply_pair, &loading, error);
}

int config_set(struct config *config, const char *section, const char *name, const char *value,
	       const char *origin, struct error *error)
{
	struct setting setting = { section, name, value, NULL, { origin, 0 } };
	int ret = apply(config, &setting, error);

	return ret < 0 ? error_prefix(error, "%s", origin) : 0;
}

int config_set_assignment(struct config *config, const char *assignment, const char *origin,
			  struct error *error)
{
	autofree char *section = strdup(assignment);
	char *name, *value;

	if (!section)
		return error_nomem(error);
	value = strchr(section, '=');
	if (value)
		*value++ = '\0';
	name = strchr(section, '.');
	if (name)
		*name++ = '\0';
	if (!value || !name)
		return error_usage(error, "%s: %s: not SECTION.KEY=VALUE", origin, assignment);
	return config_set(config, section, name, value, origin, error);
}

/* Tells whether a name is that of a backend. */
struct backends {
	bool (*has)(void *arg, const char *name);
	void *arg;
};

static int check_section(const struct config *config, const char *name,
			 const struct config_origin *origin, const struct backends *backends,
			 struct error *error)
{
	const char *selected = config->image.filesystem;
	char where[CONFIG_ORIGIN_BYTES];

	if (strcmp(name, selected) == 0 || backends->has(backends->arg, name))
		return 0;
	fail_unknown_section(name, selected, error);
	return error_prefix(error, "%s", config_origin_text(origin, where, sizeof(where)));
}

/* Those with keys first: a key's line is where the mistake shows. */
static int check_sections(const struct config *config, const struct backends *backends,
			  struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < config->pair_count; i++)
		ret = check_section(config, config->pairs[i].section, &config->pairs[i].origin,
				    backends, error);
	for (size_t i = 0; ret == 0 && i < config->section_count; i++)
		ret = check_section(config, config->sections[i].name, &config->sections[i].origin,
				    backends, error);
	return ret;
}

static const char *place_of(const struct config *config, const char *section, const char *name,
			    char where[CONFIG_ORIGIN_BYTES])
{
	const struct config_key *key = config_find_key(section, name);

	return config_origin_text(&config->origins[key - config_keys], where, CONFIG_ORIGIN_BYTES);
}

static int check_multiple(const struct config *config, const char *name, uint64_t value,
			  struct error *error)
{
	uint64_t step = config->image.dax ? UINT64_C(2) << 20 : 4096;
	char where[CONFIG_ORIGIN_BYTES];

	if (value % step == 0)
		return 0;
	return error_usage(error, "%s: [image] %s = %" PRIu64 ": not a multiple of %s",
			   place_of(config, "image", name, where), name, value,
			   config->image.dax ? "2 MiB, which dax needs" : "4096");
}

static int check_sizes(const struct config *config, struct error *error)
{
	int ret = check_multiple(config, "align", config->image.align_bytes, error);

	return ret < 0 ? ret : check_multiple(config, "size", config->image.size_bytes, error);
}

static int check_map(const struct config *config, const char *name, const struct config_list *list,
		     struct error *error)
{
	char where[CONFIG_ORIGIN_BYTES];
	struct tree_id_map map;
	int ret = tree_id_map_parse(&map, list->items, list->count, error);

	tree_id_map_free(&map);
	return ret < 0 ? error_prefix(error, "%s: [tree] %s", place_of(config, "tree", name, where),
				      name)
		       : 0;
}

static int check_owners(const struct config *config, struct error *error)
{
	const struct config_list *uids = &config->tree.uid_map, *gids = &config->tree.gid_map;
	char where[CONFIG_ORIGIN_BYTES];
	int ret;

	if (config->tree.all_root && uids->count + gids->count > 0)
		return error_usage(error,
				   "%s: [tree] all-root = yes leaves uid-map and gid-map nothing "
				   "to do: give one or the other",
				   place_of(config, "tree", "all-root", where));
	ret = check_map(config, "uid-map", uids, error);
	return ret < 0 ? ret : check_map(config, "gid-map", gids, error);
}

int config_finish(const struct config *config, bool (*is_backend)(void *arg, const char *name),
		  void *arg, struct error *error)
{
	const struct backends backends = { is_backend, arg };
	int ret = check_sections(config, &backends, error);

	if (ret == 0)
		ret = check_sizes(config, error);
	if (ret == 0)
		ret = check_owners(config, error);
	if (ret == 0 && !config->image.source)
		ret = error_usage(error, "%s%sno source: give [image] source or SOURCE",
				  config->path ? config->path : "", config->path ? ": " : "");
	return ret;
}

static void free_pair(struct config_pair *pair)
{
	free(pair->section);
	free(pair->name);
	free(pair->value);
}

void config_free(struct config *config)
{
	for (size_t i = 0; i < config_key_count; i++)
		assign_clear(config, &config_keys[i]);
	for (size_t i = 0; i < config->pair_count; i++)
		free_pair(&config->pairs[i]);
	free(config->pairs);
	for (size_t i = 0; i < config->section_count; i++)
		free(config->sections[i].name);
	free(config->sections);
	free(config->path);
	*config = (struct config){ 0 };
}
