/* SPDX-License-Identifier: Apache-2.0 */
/* Paths that lead nowhere, found before anything is done. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/artifact/place.h"
#include "core/config/config.h"
#include "core/config/hint.h"
#include "core/source/source.h"
#include "lib/cleanup.h"
#include "lib/libc.h"

/* As the user would find it from anywhere: to be freed. */
static char *absolute_path(const char *path)
{
	autofree char *directory = *path == '/' ? NULL : getcwd(NULL, 0);
	char *absolute;

	while (strncmp(path, "./", 2) == 0)
		path += 2;
	if (!directory)
		return strdup(path);
	return asprintf(&absolute, "%s/%s", directory, path) < 0 ? NULL : absolute;
}

/* errno says why. */
static int fail_path(const struct config *config, const struct config_key *key, const char *path,
		     const char *what, struct error *error)
{
	bool absent = errno == ENOENT || errno == ENOTDIR;
	const char *why = errno_text(errno);
	autofree char *absolute = absolute_path(path);

	if (!absolute)
		return error_nomem(error);
	if (absent)
		return config_fail_key(config, key->section, key->name, error, "there is no %s%s%s",
				       what, absolute, value_hint(path));
	return config_fail_key(config, key->section, key->name, error, "%s%s: %s", what, absolute,
			       why);
}

static int fail_file(const struct config *config, const struct config_key *key, const char *path,
		     struct error *error)
{
	autofree char *absolute = absolute_path(path);

	if (!absolute)
		return error_nomem(error);
	return config_fail_key(config, key->section, key->name, error, "%s is not a directory",
			       absolute);
}

static int check_read(const struct config *config, const struct config_key *key, const char *path,
		      struct error *error)
{
	struct stat st;

	return path && *path && stat(path, &st) < 0 ? fail_path(config, key, path, "", error) : 0;
}

static int check_written(const struct config *config, const struct config_key *key,
			 const char *path, struct error *error)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	autofree char *directory = NULL;
	struct stat st;

	if (!slash || slash == path)
		return 0;
	directory = strndup(path, (size_t)(slash - path));
	if (!directory)
		return error_nomem(error);
	if (stat(directory, &st) < 0)
		return fail_path(config, key, directory, "directory ", error);
	return S_ISDIR(st.st_mode) ? 0 : fail_file(config, key, directory, error);
}

static int check_layout(const struct config *config, const struct config_key *key, const char *name,
			struct error *error)
{
	struct artifact_place place autocall(artifact_place_free) = { 0 };
	autoerror struct error why = ERROR_INIT;
	int ret = artifact_place_parse(name, &place, error);

	if (ret == 0)
		ret = check_written(config, key, place.dir, error);
	if (ret < 0 || artifact_check_directory(place.dir, &why) == 0)
		return ret;
	return why.message
		       ? config_fail_key(config, key->section, key->name, error, "%s", why.message)
		       : error_nomem(error);
}

/* What is behind a scheme is judged by whoever reads it, and so is what the command line names: a
 * wrong argument is no mistake of a configuration. */
static int check_source(const struct config *config, const struct config_key *key,
			struct error *error)
{
	const char *source = config->image.source;
	const struct source_kind *kind = source ? source_kind_by_prefix(source) : NULL;
	autoerror struct error why = ERROR_INIT;

	if (!source || config_origin_of(config, "image", "source")->line == 0 ||
	    strcmp(source, "-") == 0)
		return 0;
	if (!kind)
		return check_read(config, key, source, error);
	if (kind->read)
		return 0;
	source_fail_absent(kind, source, &why);
	return why.message
		       ? config_fail_key(config, key->section, key->name, error, "%s", why.message)
		       : error_nomem(error);
}

static int check_list(const struct config *config, const struct config_key *key,
		      const struct config_list *list, struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < list->count; i++)
		ret = check_read(config, key, list->items[i], error);
	return ret;
}

static int check_input(const struct config *config, const struct config_key *key,
		       struct error *error)
{
	const void *member = (const char *)config + key->offset;

	if (key->type == CONFIG_PATHS)
		return check_list(config, key, member, error);
	if (key->type == CONFIG_SOURCE)
		return check_source(config, key, error);
	if (key->type == CONFIG_PATH && !key->is_output)
		return check_read(config, key, *(char *const *)member, error);
	return 0;
}

static int check_output(const struct config *config, const struct config_key *key,
			struct error *error)
{
	const void *member = (const char *)config + key->offset;

	if (!key->is_output)
		return 0;
	if (key->type == CONFIG_OUTPUT && artifact_prefix(*(char *const *)member))
		return check_layout(config, key, *(char *const *)member, error);
	return check_written(config, key, *(char *const *)member, error);
}

static int check_keys(struct config *config,
		      int (*check)(const struct config *config, const struct config_key *key,
				   struct error *error),
		      struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < config_key_count; i++)
		ret = mistakes_take(&config->mistakes, check(config, &config_keys[i], error),
				    config->origins[i].line, error);
	return ret;
}

int config_check_inputs(struct config *config, struct error *error)
{
	return check_keys(config, check_input, error);
}

int config_check_outputs(struct config *config, struct error *error)
{
	return check_keys(config, check_output, error);
}
