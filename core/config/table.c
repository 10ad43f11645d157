/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/table.h"

#include <string.h>

#include "core/format/discoverable.h"
#include "core/format/gpt.h"

#define ALIGN_WITHOUT_TABLE (UINT64_C(2) << 20)

#define ARCHITECTURES_BYTES 256
#define LONGEST_SUFFIX "-verity-sig"

/* Any image can be mapped by a virtio-pmem device; only NVDIMM needs the header. */
static void settle(struct config *config, bool backend_can_dax)
{
	enum config_auto wanted = config->image.dax_wanted;

	config->image.mapped = wanted == CONFIG_YES || (wanted == CONFIG_AUTO && backend_can_dax);
	config->image.dax = wanted == CONFIG_YES ||
			    (config->image.mapped && config->image.table == IMAGE_TABLE_DOS);
	if (config->image.table == IMAGE_TABLE_NONE && !config_is_given(config, "image", "align"))
		config->image.align_bytes = ALIGN_WITHOUT_TABLE;
}

/* The entries of a GPT fill the bytes from 1 KiB on, among them those of the info block, and its
 * backup is at the end of the device, which both views share. */
static int check_dax(struct config *config, struct error *error)
{
	if (config->image.dax_wanted != CONFIG_YES)
		return 0;
	return config_refuse_key(config, "image", "dax", error,
				 "a GPT has its entries where the NVDIMM header is, and cannot be "
				 "seen from two places: say table = dos or none, or dax = auto");
}

static int check_arch(struct config *config, struct error *error)
{
	char known[ARCHITECTURES_BYTES];

	if (discoverable_arch(config->image.arch))
		return 0;
	discoverable_list(known, sizeof(known));
	return config_refuse_key(config, "image", "arch", error,
				 "there are no discoverable partitions of it, but of %s", known);
}

static int check_name(struct config *config, struct error *error)
{
	const char *name = config->gpt.name ? config->gpt.name : "";

	if (!config->verity.enabled ||
	    gpt_name_units(name) <= GPT_NAME_UNITS - strlen(LONGEST_SUFFIX))
		return 0;
	return config_refuse_key(config, "gpt", "name", error,
				 "too long for a GPT when " LONGEST_SUFFIX " comes behind it");
}

static int check_root_guid(struct config *config, struct error *error)
{
	if (!config->verity.enabled || !config->gpt.root_guid || !*config->gpt.root_guid)
		return 0;
	return config_refuse_key(config, "gpt", "root-guid", error,
				 "the root partition of a measured image has its GUID from the "
				 "root hash, by which it is found");
}

static int check_read_only(struct config *config, struct error *error)
{
	if (config->verity.enabled && config->gpt.read_only == CONFIG_NO)
		return config_refuse_key(config, "gpt", "read-only", error,
					 "a measured image always is");
	if (config->gpt.grow == CONFIG_YES &&
	    (config->verity.enabled || config->gpt.read_only == CONFIG_YES))
		return config_refuse_key(config, "gpt", "grow", error,
					 "what is read-only cannot grow");
	return 0;
}

static int check_gpt(struct config *config, struct error *error)
{
	int (*const checks[])(struct config *, struct error *) = {
		check_dax, check_arch, check_name, check_root_guid, check_read_only,
	};
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < sizeof(checks) / sizeof(checks[0]); i++)
		ret = checks[i](config, error);
	return ret;
}

int config_check_foreign(struct config *config, struct error *error)
{
	int ret = 0;

	if (config->image.table != IMAGE_TABLE_DOS && config->image.disk_signature)
		ret = config_refuse_own_key(config, "image", "disk-signature", error,
					    "only table = dos has one");
	if (config->image.table == IMAGE_TABLE_GPT)
		return ret;
	for (size_t i = 0; ret == 0 && i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];

		if (strcmp(key->section, "gpt") == 0 && config_is_changed(config, "gpt", key->name))
			ret = config_refuse_own_key(config, "gpt", key->name, error,
						    "only table = gpt has this");
	}
	return ret;
}

int config_settle_table(struct config *config, bool backend_can_dax, struct error *error)
{
	settle(config, backend_can_dax);
	return config->image.table == IMAGE_TABLE_GPT ? check_gpt(config, error) : 0;
}
