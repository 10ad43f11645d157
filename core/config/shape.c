/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/shape.h"

#include <string.h>

#include "core/artifact/place.h"

bool config_wants_layout(const struct config *config)
{
	const struct config_key *key = config_find_key("image", "output");
	const char *given = config->given[key - config_keys];

	return artifact_prefix(given ? given : config->image.output) > 0;
}

/* Each key as it is when it asks for nothing that a disk alone has. */
static bool asks_for_table(const struct config *config)
{
	return config->image.table != IMAGE_TABLE_NONE && config_is_given(config, "image", "table");
}

static bool asks_for_align(const struct config *config)
{
	return config_is_given(config, "image", "align");
}

static bool asks_for_size(const struct config *config)
{
	return config->image.size_bytes > 0;
}

static bool asks_for_dax(const struct config *config)
{
	return config->image.dax_wanted == CONFIG_YES;
}

static bool asks_for_signature(const struct config *config)
{
	return config->image.disk_signature > 0;
}

static bool asks_for_verity(const struct config *config)
{
	return config->verity.enabled;
}

/* Who says of all images that they are measured hears of the one that is not. */
static const struct disk_key {
	bool (*asked)(const struct config *config);
	const char *section, *name, *why;
	bool is_promise;
} disk_keys[] = {
	{ asks_for_table, "image", "table",
	  "what this filesystem makes is no disk and has no partition table: say none" },
	{ asks_for_align, "image", "align",
	  "what this filesystem makes is no disk: it is as long as it is" },
	{ asks_for_size, "image", "size",
	  "what this filesystem makes is no disk: it is as long as it is" },
	{ asks_for_dax, "image", "dax",
	  "what this filesystem makes is no disk, and no guest maps it: say no or auto" },
	{ asks_for_signature, "image", "disk-signature",
	  "what this filesystem makes is no disk and has no partition table" },
	{ asks_for_verity, "verity", "enabled",
	  "what this filesystem makes is no disk, which dm-verity could measure: sign the file",
	  .is_promise = true },
};

bool config_key_applies(const struct config *config, const struct config_key *key)
{
	for (size_t i = 0; config->image.no_disk && i < sizeof(disk_keys) / sizeof(disk_keys[0]);
	     i++)
		if (strcmp(disk_keys[i].section, key->section) == 0 &&
		    strcmp(disk_keys[i].name, key->name) == 0)
			return false;
	return true;
}

static int refuse(struct config *config, const struct disk_key *key, struct error *error)
{
	return (key->is_promise ? config_refuse_key : config_refuse_own_key)(
		config, key->section, key->name, error, "%s", key->why);
}

int config_settle_no_disk(struct config *config, struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < sizeof(disk_keys) / sizeof(disk_keys[0]); i++)
		if (disk_keys[i].asked(config))
			ret = refuse(config, &disk_keys[i], error);
	config->image.table = IMAGE_TABLE_NONE;
	config->image.align_bytes = 1;
	config->image.size_bytes = 0;
	config->image.disk_signature = 0;
	config->image.dax = config->image.mapped = config->image.hugepages = false;
	return ret;
}

static int check_level(struct config *config, struct error *error)
{
	const enum compress_form form = config->image.compress;
	const int max = compress_level_max(form);

	if (config->image.level == 0 || config->image.level <= (uint64_t)max)
		return 0;
	if (form == COMPRESS_NONE)
		return config_refuse_own_key(config, "image", "level", error,
					     "needs compress = gzip or zstd");
	return config_refuse_key(config, "image", "level", error, "%s has levels up to %d",
				 compress_form_name(form), max);
}

int config_check_compress(struct config *config, struct error *error)
{
	int ret = 0;

	if (config->image.compress != COMPRESS_NONE && !config->image.no_disk &&
	    !config_wants_layout(config))
		ret = config_refuse_own_key(
			config, "image", "compress", error,
			"a device would not read it: a disk's image is not compressed, what is no "
			"disk, such as an initrd, may be, and what goes into oci:DIR:TAG");
	return ret < 0 ? ret : check_level(config, error);
}
