/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/info.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static int compare_numbers(const char *filesystem, const struct kataimg_fs_info *planned,
			   const struct kataimg_fs_info *found, struct error *error)
{
	const struct {
		const char *what;
		uint64_t planned, found;
	} numbers[] = {
		{ "size", planned->size_bytes, found->size_bytes },
		{ "block size", planned->block_bytes, found->block_bytes },
		{ "free bytes", planned->free_bytes, found->free_bytes },
		{ "inodes", planned->inodes, found->inodes },
		{ "free inodes", planned->free_inodes, found->free_inodes },
		{ "flags", planned->flags, found->flags },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].planned != numbers[i].found)
			return error_set(
				error, EPROTO,
				"the %s filesystem has %s %" PRIu64 ", planned were %" PRIu64,
				filesystem, numbers[i].what, numbers[i].found, numbers[i].planned);
	return 0;
}

static int compare_texts(const char *filesystem, const struct kataimg_fs_info *planned,
			 const struct kataimg_fs_info *found, struct error *error)
{
	const struct {
		const char *what, *planned, *found;
	} texts[] = {
		{ "type", planned->type, found->type },
		{ "label", planned->label, found->label },
		{ "oldest kernel", planned->min_kernel, found->min_kernel },
		{ "features", planned->features, found->features },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(texts[i].planned, texts[i].found) != 0)
			return error_set(error, EPROTO,
					 "the %s filesystem has the %s \"%s\", planned was \"%s\"",
					 filesystem, texts[i].what, texts[i].found,
					 texts[i].planned);
	return 0;
}

int info_compare(const char *filesystem, const struct kataimg_fs_info *planned,
		 const struct kataimg_fs_info *found, struct error *error)
{
	int ret = compare_numbers(filesystem, planned, found, error);

	if (ret == 0)
		ret = compare_texts(filesystem, planned, found, error);
	if (ret == 0 && memcmp(planned->uuid, found->uuid, sizeof(found->uuid)) != 0)
		return error_set(error, EPROTO, "the %s filesystem has another UUID than planned",
				 filesystem);
	return ret;
}
