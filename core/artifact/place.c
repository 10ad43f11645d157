/* SPDX-License-Identifier: Apache-2.0 */
#include "core/artifact/place.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/artifact/layout.h"
#include "core/image/temporary.h"
#include "lib/cleanup.h"
#include "lib/libc.h"

#define PREFIX "oci:"
#define TAG_BYTES_MAX 128

size_t artifact_prefix(const char *name)
{
	return strncmp(name, PREFIX, strlen(PREFIX)) == 0 ? strlen(PREFIX) : 0;
}

static bool is_tag(const char *tag)
{
	size_t len = 0;

	if (*tag == '.' || *tag == '-')
		return false;
	for (; isalnum((unsigned char)tag[len]) || (tag[len] && strchr("_.-", tag[len])); len++)
		continue;
	return len > 0 && len <= TAG_BYTES_MAX && tag[len] == '\0';
}

/* What only a source is, or another program's name of a place. */
static bool is_other_form(const char *name)
{
	static const char *const forms[] = { "oci-archive:", "docker-archive:", "docker://",
					     "image:" };

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strncmp(name, forms[i], strlen(forms[i])) == 0)
			return true;
	return false;
}

int artifact_check_name(const char *name, struct error *error)
{
	const size_t prefix = artifact_prefix(name);
	const char *dir = name + prefix, *colon = strchr(dir, ':');

	if (is_other_form(name))
		return error_usage(
			error,
			"an image goes to a file or to oci:DIR:TAG, from where skopeo copy "
			"takes it elsewhere; a file of this name is ./%s",
			name);
	if (prefix == 0)
		return 0;
	if (!colon)
		return error_usage(error, "oci: needs a tag: oci:DIR:TAG");
	if (colon == dir)
		return error_usage(error, "oci: needs a directory: oci:DIR:TAG");
	if (!is_tag(colon + 1))
		return error_usage(
			error,
			"\"%s\" is no tag: letters, digits, _ . -, at most %d, the first "
			"one no . or -; and the directory has no colon",
			colon + 1, TAG_BYTES_MAX);
	return 0;
}

int artifact_place_parse(const char *name, struct artifact_place *place, struct error *error)
{
	const char *dir = name + artifact_prefix(name), *colon = strchr(dir, ':');
	int ret = artifact_check_name(name, error);

	*place = (struct artifact_place){ 0 };
	if (ret < 0)
		return ret;
	while (colon - 1 > dir && colon[-1] == '/')
		colon--;
	place->dir = strndup(dir, (size_t)(colon - dir));
	place->tag = strdup(strchr(colon, ':') + 1);
	if (place->dir && place->tag)
		return 0;
	artifact_place_free(place);
	return error_nomem(error);
}

char *artifact_path_beside(const char *name)
{
	struct artifact_place place autocall(artifact_place_free) = { 0 };
	autoerror struct error ignored = ERROR_INIT;
	struct stat st;
	char *path;

	if (artifact_prefix(name) == 0)
		return strdup(name);
	if (artifact_place_parse(name, &place, &ignored) < 0)
		return ignored.code == ENOMEM ? NULL : strdup(name);
	if (stat(place.dir, &st) < 0)
		return steal_ptr(&place.dir);
	return asprintf(&path, "%s/index.json", place.dir) < 0 ? NULL : path;
}

void artifact_place_free(struct artifact_place *place)
{
	free(place->dir);
	free(place->tag);
	*place = (struct artifact_place){ 0 };
}

/* A build that makes the layout, or was killed before it had, left a file without its name. */
static bool is_nothing(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	       temporary_is_name(name, "oci-layout");
}

/* 1, 0 or -errno. */
static int is_empty(const char *dir)
{
	DIR *stream = opendir(dir);
	const struct dirent *entry;
	int ret;

	if (!stream)
		return -errno;
	errno = 0;
	do
		entry = readdir(stream);
	while (entry && is_nothing(entry->d_name));
	ret = entry ? 0 : errno ? -errno : 1;
	closedir(stream);
	return ret;
}

int artifact_check_directory(const char *dir, struct error *error)
{
	struct stat st;
	int ret;

	if (stat(dir, &st) < 0 && errno == ENOENT)
		return 0; /* its own directory is looked for by whoever knows the key */
	ret = is_empty(dir);
	if (ret == -ENOTDIR)
		return error_usage(error, "%s is not a directory", dir);
	if (ret < 0)
		return error_usage(error, "%s: %s", dir, errno_text(-ret));
	return ret ? 0 : artifact_layout_check(dir, error);
}
