/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/pairs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"

/* With the NUL, so that "a" "bc" is another than "ab" "c". */
static uint32_t hash_text(uint32_t start, const char *text)
{
	return hash_bytes(start, text, strlen(text) + 1);
}

static uint32_t hash_pair(const char *section, const char *name)
{
	return hash_text(hash_text(HASH_START, section), name);
}

struct config_pair *pair_find(const struct config *config, const char *section, const char *name)
{
	uint32_t hash = hash_pair(section, name), number;
	size_t step = 0;

	while (hashtable_next(&config->pair_numbers, hash, &step, &number)) {
		struct config_pair *pair = &config->pairs[number];

		if (strcmp(pair->section, section) == 0 && strcmp(pair->name, name) == 0)
			return pair;
	}
	return NULL;
}

const struct config_pair *config_find_pair(const struct config *config, const char *section,
					   const char *name)
{
	return pair_find(config, section, name);
}

static void free_pair(const struct config_pair *pair)
{
	free(pair->section);
	free(pair->name);
	free(pair->value);
}

int pair_add(struct config *config, const struct config_pair *pair)
{
	int ret = config->pair_count < config->pair_room
			  ? 0
			  : array_grow(&config->pairs, &config->pair_room, config->pair_count, 1,
				       sizeof(*config->pairs));
	const struct config_pair copy = { .section = strdup(pair->section),
					  .name = strdup(pair->name),
					  .value = strdup(pair->value),
					  .origin = pair->origin };

	if (ret < 0 || !copy.section || !copy.name || !copy.value ||
	    hashtable_put(&config->pair_numbers, hash_pair(pair->section, pair->name),
			  (uint32_t)config->pair_count) < 0) {
		free_pair(&copy);
		return -ENOMEM;
	}
	config->pairs[config->pair_count++] = copy;
	return 0;
}

static struct config_section *find_section(const struct config *config, const char *name)
{
	size_t step = 0;
	uint32_t number;

	while (hashtable_next(&config->section_numbers, hash_text(HASH_START, name), &step,
			      &number))
		if (strcmp(config->sections[number].name, name) == 0)
			return &config->sections[number];
	return NULL;
}

static struct config_section *add_section(struct config *config, const char *name)
{
	struct config_section *sections =
		reallocarray(config->sections, config->section_count + 1, sizeof(*sections));
	char *copy = strdup(name);

	if (sections)
		config->sections = sections;
	if (!sections || !copy ||
	    hashtable_put(&config->section_numbers, hash_text(HASH_START, name),
			  (uint32_t)config->section_count) < 0) {
		free(copy);
		return NULL;
	}
	sections[config->section_count] = (struct config_section){ .name = copy };
	return &sections[config->section_count++];
}

/* A key's line is where a mistake shows. */
int section_meet(struct config *config, const char *name, const struct config_origin *origin,
		 bool is_key)
{
	struct config_section *known = find_section(config, name);
	struct config_section *section = known ? known : add_section(config, name);

	if (!section)
		return -ENOMEM;
	if (!known || (is_key && !section->has_keys))
		section->origin = *origin;
	section->has_keys |= is_key;
	return 0;
}

void pairs_free(struct config *config)
{
	for (size_t i = 0; i < config->pair_count; i++)
		free_pair(&config->pairs[i]);
	free(config->pairs);
	hashtable_free(&config->pair_numbers);
	for (size_t i = 0; i < config->section_count; i++)
		free(config->sections[i].name);
	free(config->sections);
	hashtable_free(&config->section_numbers);
}
