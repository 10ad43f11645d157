/* SPDX-License-Identifier: Apache-2.0 */
/* What a GPT says of its partitions: derived from the seed, given, or of a measured image taken
 * from the root hash, by which systemd finds them. */
#include <stdio.h>
#include <string.h>

#include "core/builder/private.h"
#include "core/format/discoverable.h"

static int make_guid(const struct build *build, const char *given, const char *label,
		     uint8_t guid[GUID_BYTES], struct error *error)
{
	int ret;

	if (given && *given)
		return guid_parse(given, guid);
	ret = digest_uuid(build->seed, label, guid);
	return ret < 0 ? error_set(error, -ret, "SHA-256 failed") : 0;
}

static int make_partition_guid(const struct build *build, enum partition_role role,
			       uint8_t guid[GUID_BYTES], struct error *error)
{
	static const char *const labels[] = { "partition-root", "partition-verity",
					      "partition-signature" };
	const uint8_t *root_hash = build->root_hash;

	if (build->config->verity.enabled && role != PARTITION_SIGNATURE) {
		if (role == PARTITION_VERITY)
			root_hash += verity_digest_bytes(build->verity.hash) - GUID_BYTES;
		memcpy(guid, root_hash, GUID_BYTES);
		return 0;
	}
	return make_guid(build, role == PARTITION_ROOT ? build->config->gpt.root_guid : NULL,
			 labels[role], guid, error);
}

/* What has no room for a writer is read-only. */
static bool is_read_only(const struct build *build, enum partition_role role)
{
	const struct config *config = build->config;

	if (role != PARTITION_ROOT || config->verity.enabled)
		return true;
	if (config->gpt.read_only != CONFIG_AUTO)
		return config->gpt.read_only == CONFIG_YES;
	return !(build->backend->table.capabilities & KATAIMG_CAP_FREE_SPACE);
}

static uint64_t attributes_of(const struct build *build, enum partition_role role)
{
	if (is_read_only(build, role))
		return GPT_READ_ONLY;
	return build->config->gpt.grow == CONFIG_NO ? 0 : GPT_GROW_FILESYSTEM;
}

static void name_partition(const struct build *build, const char *arch, enum partition_role role,
			   char name[GPT_NAME_BYTES])
{
	static const char *const suffixes[] = { "", "-verity", "-verity-sig" };
	const char *given = build->config->gpt.name;
	char root[DISCOVERABLE_NAME_BYTES];

	snprintf(name, GPT_NAME_BYTES, "%s%s",
		 given && *given ? given : discoverable_name(arch, PARTITION_ROOT, root),
		 suffixes[role]);
}

int build_label_partitions(struct build *build, struct error *error)
{
	const char *arch = discoverable_arch(build->config->image.arch);
	int ret = make_guid(build, build->config->gpt.disk_guid, "disk", build->labels.disk_guid,
			    error);

	for (unsigned int i = 0; ret == 0 && i < build->geometry.partition_count; i++) {
		enum partition_role role = build->geometry.partitions[i].role;
		struct gpt_label *label = &build->labels.partitions[i];

		discoverable_type(arch, role, label->type);
		label->attributes = attributes_of(build, role);
		name_partition(build, arch, role, label->name);
		ret = make_partition_guid(build, role, label->guid, error);
	}
	build->labelled = ret == 0;
	return ret;
}
