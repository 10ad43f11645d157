/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/inifile.h"
#include "lib/cleanup.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

bool record_name_valid(const char *name)
{
	size_t len = strspn(name, LETTERS DIGITS "._-");

	return len > 0 && len <= RECORD_NAME_MAX && !name[len] && !strchr("._-", *name);
}

struct reading {
	struct records *records;
	char *section, *image; /* owned: where the reading is */
};

static int begin(struct reading *reading, const char *text)
{
	size_t len = strcspn(text, " \t");
	const char *image = text + len + strspn(text + len, " \t");

	free(reading->section);
	free(reading->image);
	reading->section = strndup(text, len);
	reading->image = *image ? strdup(image) : NULL;
	return reading->section && (reading->image || !*image) ? 0 : -ENOMEM;
}

static int add(struct reading *reading, const char *name, const char *value, unsigned int line,
	       struct error *error)
{
	struct record *record = array_add(&reading->records->all);

	if (!record)
		return error_nomem(error);
	record->line = line;
	record->section = strdup(reading->section ? reading->section : "");
	record->image = reading->image ? strdup(reading->image) : NULL;
	record->name = name ? strdup(name) : NULL;
	record->value = value ? strdup(value) : NULL;
	if (!record->section || (reading->image && !record->image) || (name && !record->name) ||
	    (value && !record->value))
		return error_nomem(error);
	return 0;
}

static int begin_section(void *arg, const char *text, unsigned int line, struct error *error)
{
	struct reading *reading = arg;

	if (begin(reading, text) < 0)
		return error_nomem(error);
	return add(reading, NULL, NULL, line, error);
}

/* libinih cuts a long section's name: it is the one that has begun. */
static int take_pair(void *arg, const char *section, const char *name, const char *value,
		     unsigned int line, struct error *error)
{
	(void)section;
	return add(arg, name, value, line, error);
}

static int find_directory(struct records *records, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return 0;
	records->directory = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	return records->directory ? 0 : -ENOMEM;
}

int records_read(struct records *records, const char *path, struct mistakes *mistakes,
		 struct error *error)
{
	struct reading reading = { .records = records };
	int ret;

	records->path = strdup(strcmp(path, INIFILE_STDIN) == 0 ? INIFILE_STDIN_NAME : path);
	if (!records->path || find_directory(records, path) < 0)
		return error_nomem(error);
	ret = inifile_read(path, records->path, begin_section, take_pair, &reading, mistakes,
			   error);
	free(reading.section);
	free(reading.image);
	return ret;
}

void records_free(struct records *records)
{
	for (size_t i = 0; i < records->all.count; i++) {
		struct record *record = &records->all.items[i];

		free(record->section);
		free(record->image);
		free(record->name);
		free(record->value);
	}
	array_free(&records->all);
	free(records->path);
	free(records->directory);
	*records = (struct records){ 0 };
}
