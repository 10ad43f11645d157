/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "core/base/io.h"
#include "core/format/gpt.h"
#include "core/format/label.h"

/* libfdisk's text for bits that have no name there. */
#define ATTRIBUTES_BYTES 64

static int create_label(struct fdisk_context *context, const uint8_t disk_guid[GUID_BYTES])
{
	char id[GUID_TEXT_BYTES];
	int ret = fdisk_create_disklabel(context, "gpt");

	/* The label starts with a random GUID of libfdisk's own. */
	return ret ? ret : fdisk_set_disklabel_id_from_string(context, guid_format(disk_guid, id));
}

static const char *attributes_text(uint64_t attributes, char text[ATTRIBUTES_BYTES])
{
	int len = snprintf(text, ATTRIBUTES_BYTES, "GUID:");
	const char *comma = "";

	for (int bit = 48; bit < 64; bit++) {
		if (!(attributes >> bit & 1))
			continue;
		len += snprintf(text + len, (size_t)(ATTRIBUTES_BYTES - len), "%s%d", comma, bit);
		comma = ",";
	}
	return text;
}

static int set_label(struct fdisk_partition *entry, const struct gpt_label *label)
{
	char guid[GUID_TEXT_BYTES], attributes[ATTRIBUTES_BYTES];
	int ret = fdisk_partition_set_uuid(entry, guid_format(label->guid, guid));

	if (ret == 0)
		ret = fdisk_partition_set_name(entry, label->name);
	if (ret == 0 && label->attributes)
		ret = fdisk_partition_set_attrs(entry,
						attributes_text(label->attributes, attributes));
	return ret;
}

static int add_partition(struct fdisk_context *context, size_t number,
			 const struct partition *partition, const struct gpt_label *label)
{
	char guid[GUID_TEXT_BYTES];
	autocall(cleanup_fdisk_unref_parttype) struct fdisk_parttype *type =
		fdisk_new_unknown_parttype(0, guid_format(label->type, guid));
	autocall(cleanup_fdisk_unref_partition) struct fdisk_partition *entry =
		type ? label_partition_new(number, partition->start_bytes / SECTOR_BYTES,
					   partition->len_bytes / SECTOR_BYTES, type)
		     : NULL;
	int ret = entry ? set_label(entry, label) : -ENOMEM;

	return ret ? ret : fdisk_add_partition(context, entry, NULL);
}

static int write_label(struct fdisk_context *context, const struct geometry *geometry,
		       const struct gpt_labels *labels)
{
	int ret = create_label(context, labels->disk_guid);

	for (unsigned int i = 0; i < geometry->partition_count && ret == 0; i++)
		ret = add_partition(context, i, &geometry->partitions[i], &labels->partitions[i]);
	return ret ? ret : fdisk_write_disklabel(context);
}

int gpt_encode(const struct geometry *geometry, const struct gpt_labels *labels,
	       uint8_t head[GPT_HEAD_BYTES], uint8_t tail[GPT_TAIL_BYTES], struct error *error)
{
	struct label_device device __attribute__((cleanup(label_device_close)));
	int ret = label_device_open(geometry->image_bytes, &device);

	if (ret == 0)
		ret = write_label(device.context, geometry, labels);
	if (ret > 0)
		ret = -EIO; /* a question of a dialog */
	if (ret == 0)
		ret = io_pread(device.fd, head, GPT_HEAD_BYTES, 0);
	if (ret == 0)
		ret = io_pread(device.fd, tail, GPT_TAIL_BYTES,
			       geometry->image_bytes - GPT_TAIL_BYTES);
	return ret < 0 ? error_errno(error, -ret, "cannot make the partition table") : 0;
}
