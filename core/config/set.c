/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/artifact/place.h"
#include "core/base/suggest.h"
#include "core/base/textstream.h"
#include "core/config/assign.h"
#include "core/oci/image.h"
#include "lib/cleanup.h"

/* ---- Which images there are ---- */

/* The one of the file with this name. */
static const struct config_place *find_place(const struct config_set *set, const char *name)
{
	for (size_t i = 0; i < set->places.count; i++)
		if (set->places.items[i].name && strcmp(set->places.items[i].name, name) == 0)
			return &set->places.items[i];
	return NULL;
}

static int gather(struct config_set *set, size_t file, unsigned int line, int ret,
		  struct error *error)
{
	set->mistakes.file = (unsigned int)file;
	return mistakes_take(&set->mistakes, ret, line, error);
}

static int add_place(struct config_set *set, const char *name, size_t file, bool is_named,
		     struct error *error)
{
	struct config_place *place = array_add(&set->places);

	if (!place)
		return error_nomem(error);
	*place = (struct config_place){ name ? strdup(name) : NULL, file, is_named };
	return name && !place->name ? error_nomem(error) : 0;
}

static int fail_record(const struct config_set *set, size_t file, const struct record *record,
		       const char *why, struct error *error)
{
	return error_usage(error, "%s:%u: [%s %s]: %s", set->files[file].path, record->line,
			   record->section, record->image, why);
}

/* An image that another file has, too, cannot be told from that one. */
static int add_image(struct config_set *set, size_t file, const struct record *record,
		     struct error *error)
{
	const struct config_place *other = find_place(set, record->image);

	if (!record_name_valid(record->image))
		return fail_record(set, file, record,
				   "an image's name has letters and digits, and behind the first "
				   "of them . _ - too, 64 in all",
				   error);
	if (other && other->file == file)
		return 0;
	if (other)
		return error_usage(error, "%s:%u: [image %s]: %s has an image of this name, too",
				   set->files[file].path, record->line, record->image,
				   set->files[other->file].path);
	return add_place(set, record->image, file, true, error);
}

static bool has_image(const struct config_set *set, size_t file, const char *name)
{
	const struct config_place *place = find_place(set, name);

	return place && place->file == file && place->is_named;
}

static int fail_no_image(const struct config_set *set, size_t file, const struct record *record,
			 struct error *error)
{
	struct suggestion suggestion = { .word = record->image };
	char hint[SUGGEST_HINT_BYTES];

	for (size_t i = 0; i < set->places.count; i++)
		if (set->places.items[i].is_named && set->places.items[i].file == file)
			suggest_offer(&suggestion, set->places.items[i].name);
	return error_usage(error, "%s:%u: [%s %s]: there is no [image %s]%s", set->files[file].path,
			   record->line, record->section, record->image, record->image,
			   suggest_hint(&suggestion, hint));
}

static bool is_image_section(const struct record *record)
{
	return !record->name && record->image && strcmp(record->section, "image") == 0;
}

/* The images that the sections [image NAME] of a file make, then all other named sections. */
static int find_images(struct config_set *set, size_t file, struct error *error)
{
	const struct records *records = &set->files[file];
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < records->all.count; i++)
		if (is_image_section(&records->all.items[i]))
			ret = gather(set, file, records->all.items[i].line,
				     add_image(set, file, &records->all.items[i], error), error);
	for (size_t i = 0; ret == 0 && i < records->all.count; i++) {
		const struct record *record = &records->all.items[i];

		if (!record->name && record->image && !is_image_section(record) &&
		    !has_image(set, file, record->image))
			ret = gather(set, file, record->line,
				     fail_no_image(set, file, record, error), error);
	}
	return ret;
}

/* "kata/base.ini" without named sections is base, beside others. */
static char *name_of_file(const char *path)
{
	const char *slash = strrchr(path, '/'), *start = slash ? slash + 1 : path;
	const char *end = strrchr(start, '.');

	return end && end > start ? strndup(start, (size_t)(end - start)) : strdup(start);
}

static int add_unnamed(struct config_set *set, size_t file, struct error *error)
{
	autofree char *name = NULL;
	const struct config_place *other;

	if (set->file_count < 2)
		return add_place(set, NULL, file, false, error);
	name = name_of_file(set->files[file].path);
	if (!name)
		return error_nomem(error);
	for (char *c = name; *c; c++)
		if (*c == ' ' || *c == '"' || *c == '\\' || *c == ',')
			*c = '_';
	other = find_place(set, name);
	if (other)
		return error_usage(error,
				   "%s: the image of this file would be called %s as that "
				   "of %s: give one of the files another name",
				   set->files[file].path, name, set->files[other->file].path);
	return add_place(set, name, file, false, error);
}

static int read_file(struct config_set *set, size_t file, const char *path, struct error *error)
{
	size_t before = set->places.count;
	int ret;

	set->mistakes.file = (unsigned int)file;
	ret = records_read(&set->files[file], path, &set->mistakes, error);
	if (ret == 0)
		ret = find_images(set, file, error);
	if (ret < 0 || set->places.count > before)
		return ret;
	return gather(set, file, 0, add_unnamed(set, file, error), error);
}

int config_set_read(struct config_set *set, const char *const *paths, size_t count,
		    struct error *error)
{
	int ret = 0;

	set->files = calloc(count + 1, sizeof(*set->files));
	if (!set->files)
		return error_nomem(error);
	set->file_count = count;
	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = read_file(set, i, paths[i], error);
	return ret < 0 || count > 0 ? ret : add_place(set, NULL, 0, false, error);
}

char *config_set_names(const struct config_set *set)
{
	struct text_stream stream;
	char *names;

	if (text_stream_open(&stream) < 0)
		return NULL;
	for (size_t i = 0; i < set->places.count; i++)
		fprintf(stream.out, "%s%s", i ? ", " : "",
			set->places.items[i].name ? set->places.items[i].name : "");
	text_stream_close(&stream, &names);
	return names;
}

static int fail_absent(const struct config_set *set, const char *name, struct error *error)
{
	struct suggestion suggestion = { .word = name };
	autofree char *names = config_set_names(set);
	char hint[SUGGEST_HINT_BYTES];

	for (size_t i = 0; i < set->places.count; i++)
		if (set->places.items[i].name)
			suggest_offer(&suggestion, set->places.items[i].name);
	if (!names)
		return error_nomem(error);
	if (!*names)
		return error_usage(error,
				   "--only %s: the configuration has one image, without a "
				   "name",
				   name);
	return error_usage(error, "--only %s: there is no such image%s (there are: %s)", name,
			   suggest_hint(&suggestion, hint), names);
}

static bool is_chosen(const struct config_place *place, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (place->name && strcmp(place->name, names[i]) == 0)
			return true;
	return count == 0;
}

int config_set_choose(struct config_set *set, const char *const *names, size_t count,
		      struct error *error)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!find_place(set, names[i]))
			return fail_absent(set, names[i], error);
	for (size_t i = 0; i < set->places.count; i++) {
		if (is_chosen(&set->places.items[i], names, count))
			set->places.items[kept++] = set->places.items[i];
		else
			free(set->places.items[i].name);
	}
	set->places.count = kept;
	set->items = calloc(kept + 1, sizeof(*set->items));
	if (!set->items)
		return error_nomem(error);
	set->count = kept;
	return 0;
}

void config_set_default(struct config_set *set)
{
	autoerror struct error error = ERROR_INIT;

	for (size_t i = 0; i < set->places.count; i++)
		free(set->places.items[i].name);
	set->places.count = 0;
	if (add_place(set, NULL, 0, false, &error) == 0 &&
	    config_set_choose(set, NULL, 0, &error) == 0)
		config_init(&set->items[0], &error);
}

size_t config_set_find(const struct config_set *set, const char *name)
{
	const struct config_place *place = find_place(set, name);

	return place ? (size_t)(place - set->places.items) : set->count;
}

/* ---- The configuration of each ---- */

static int set_default(struct config *config, const char *section, const char *name,
		       const char *value, struct error *error)
{
	return assign_value(config, config_find_key(section, name), value, NULL, error);
}

/* As Kata's packaging calls its images and their root hashes. */
static int name_defaults(struct config *config, const char *name, struct error *error)
{
	autofree char *output = NULL;
	int ret;

	if (asprintf(&output, "kata-containers-%s.img", name) < 0) {
		output = NULL;
		return error_nomem(error);
	}
	ret = set_default(config, "image", "output", output, error);
	return ret < 0 ? ret : set_default(config, "verity", "variant", name, error);
}

int config_set_begin(struct config_set *set, size_t number, struct error *error)
{
	const struct config_place *place = &set->places.items[number];
	struct config *config = &set->items[number];
	int ret = config_init(config, error);

	if (ret < 0 || !place->name)
		return ret;
	config->name = strdup(place->name);
	if (!config->name)
		return error_nomem(error);
	config->mistakes.image = config->name;
	config->mistakes.file = (unsigned int)place->file;
	config->has_sections = place->is_named;
	return place->is_named ? name_defaults(config, place->name, error) : 0;
}

int config_set_fill(struct config_set *set, size_t number, struct error *error)
{
	if (set->file_count == 0)
		return 0;
	return config_take_records(&set->items[number], &set->files[set->places.items[number].file],
				   error);
}

/* ---- All together ---- */

/* As machines and as container images call it, an architecture is the same. */
static bool same_arch(const struct config *a, const struct config *b)
{
	struct utsname machine_a, machine_b;

	return strcmp(oci_arch_name(a->image.arch, &machine_a),
		      oci_arch_name(b->image.arch, &machine_b)) == 0;
}

/* A tag of a layout may have several architectures. Where the layout has two names, only the build
 * finds that out (build_same_artifact). */
static bool same_output(const struct config *a, const struct config *b)
{
	if (artifact_prefix(a->image.output) && artifact_prefix(b->image.output))
		return strcmp(a->image.output, b->image.output) == 0 && same_arch(a, b);

	autofree char *x = realpath(a->image.output, NULL);
	autofree char *y = realpath(b->image.output, NULL);

	return strcmp(a->image.output, b->image.output) == 0 || (x && y && strcmp(x, y) == 0);
}

static int check_pair(struct config *config, const struct config *other, struct error *error)
{
	if (!same_output(config, other))
		return 0;
	return config_refuse_key(config, "image", "output", error,
				 "image %s and image %s would both be this %s", other->name,
				 config->name,
				 artifact_prefix(config->image.output)
					 ? "image of one architecture: give one of them another "
					   "tag or [image] arch"
					 : "file: give each its own");
}

static int check_with_earlier(struct config_set *set, size_t number, struct error *error)
{
	struct config *config = &set->items[number];
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < number; i++)
		ret = check_pair(config, &set->items[i], error);
	return ret;
}

int config_set_check(struct config_set *set, struct error *error)
{
	int ret = 0;

	for (size_t i = 1; ret == 0 && i < set->count; i++)
		ret = check_with_earlier(set, i, error);
	return ret;
}

int config_set_report(struct config_set *set, struct error *error)
{
	for (size_t i = 0; i < set->count; i++)
		if (mistakes_move(&set->mistakes, &set->items[i].mistakes) < 0)
			return error_nomem(error);
	return mistakes_report(&set->mistakes, set->count, error);
}

void config_set_free(struct config_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		config_free(&set->items[i]);
	free(set->items);
	for (size_t i = 0; i < set->places.count; i++)
		free(set->places.items[i].name);
	array_free(&set->places);
	for (size_t i = 0; i < set->file_count; i++)
		records_free(&set->files[i]);
	free(set->files);
	mistakes_clear(&set->mistakes);
	*set = (struct config_set){ 0 };
}
