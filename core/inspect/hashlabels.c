/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/hashlabels.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/io.h"
#include "core/format/discoverable.h"
#include "core/inspect/findings.h"
#include "core/inspect/tables.h"
#include "lib/cleanup.h"
#include "lib/hex.h"

/* More than any signature has. */
#define TEXT_BYTES_MAX (256u << 10)

DEFINE_CLEANUP(struct json_object, json_object_put)

/* ---- GUIDs ---- */

static int judge_guids(struct inspection *inspection, const uint8_t *root)
{
	const struct inspect_partition *data =
		tables_find_partition(inspection, inspection->root_partition);
	const struct inspect_partition *hashes =
		tables_find_partition(inspection, inspection->hash_partition);
	struct inspect_hash_tree *tree = &inspection->hash_tree;
	const size_t len = verity_digest_bytes(tree->params.hash);

	if (!data || !hashes)
		return 0;
	tree->labelled = memcmp(data->label.guid, root, GUID_BYTES) == 0 &&
			 memcmp(hashes->label.guid, root + len - GUID_BYTES, GUID_BYTES) == 0;
	if (!tree->labelled)
		return findings_add(&inspection->notes,
				    "the GUIDs of partitions %u and %u are not beginning and end "
				    "of their root hash: systemd does not find them by it",
				    data->number, hashes->number);
	if (!tree->file)
		memcpy(tree->expected, root, len);
	return 0;
}

/* ---- The signature ---- */

static const struct inspect_partition *find_signature(const struct inspection *inspection)
{
	for (size_t i = 0; i < inspection->partition_count; i++) {
		const struct inspect_partition *partition = &inspection->partitions[i];

		if (discoverable_is(partition->label.type, PARTITION_SIGNATURE))
			return partition;
	}
	return NULL;
}

/* The member's text, which is the object's; NULL: it has none. */
static const char *text_of(struct json_object *object, const char *member)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, member, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

static int judge_signature(struct inspection *inspection, const struct inspect_partition *partition,
			   const char *text, const uint8_t *root)
{
	struct json_object *object autocall(cleanup_json_object_put) = json_tokener_parse(text);
	const char *signed_hash = object ? text_of(object, "rootHash") : NULL;
	const size_t len = verity_digest_bytes(inspection->hash_tree.params.hash);
	char is[2 * VERITY_DIGEST_MAX_BYTES + 1];

	hex_format(root, len, is);
	if (!signed_hash || !text_of(object, "certificateFingerprint") ||
	    !text_of(object, "signature"))
		return findings_add(&inspection->problems,
				    "partition %u is one for a signature, but holds none: systemd "
				    "refuses the image",
				    partition->number);
	if (strcmp(signed_hash, is) != 0)
		return findings_add(&inspection->problems,
				    "the signature in partition %u is that of the root hash %s, "
				    "the hash tree has %s: it does not vouch for this image",
				    partition->number, signed_hash, is);
	inspection->hash_tree.signature_partition = partition->number;
	return findings_add(&inspection->notes,
			    "the signature in partition %u names this root hash; whether it is "
			    "right can be told with its certificate alone, and was not checked",
			    partition->number);
}

static int read_signature(int fd, struct inspection *inspection, const uint8_t *root,
			  struct error *error)
{
	const struct inspect_partition *partition = find_signature(inspection);
	autofree char *text = NULL;
	size_t len;
	int ret;

	if (!partition)
		return 0;
	len = partition->len_bytes < TEXT_BYTES_MAX ? (size_t)partition->len_bytes : TEXT_BYTES_MAX;
	text = calloc(1, len + 1);
	if (!text)
		return error_nomem(error);
	ret = tables_read_part(fd, inspection, partition->start_bytes, text, len, error);
	if (ret == -ENODATA)
		return 0;
	if (ret < 0)
		return ret;
	return judge_signature(inspection, partition, text, root) < 0 ? error_nomem(error) : 0;
}

int hash_labels_judge(int fd, struct inspection *inspection, struct error *error)
{
	const struct inspect_hash_tree *tree = &inspection->hash_tree;
	const struct measure_area area = { .tree_fd = fd, .area_off = tree->area.start_bytes };
	uint8_t root[VERITY_DIGEST_MAX_BYTES];
	int ret;

	if (inspection->table != IMAGE_TABLE_GPT || tree->place != HASH_PARTITION || !tree->salted)
		return 0;
	ret = measure_root(&area, &tree->params, root, error);
	if (ret == 0 && judge_guids(inspection, root) < 0)
		return error_nomem(error);
	return ret < 0 ? ret : read_signature(fd, inspection, root, error);
}
