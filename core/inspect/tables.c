/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/tables.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/io.h"
#include "core/format/discoverable.h"
#include "lib/checked.h"

#define DOS_TYPE_GPT 0xee

/* More than any tool makes: there are 128, of 128 bytes. */
#define GPT_ENTRIES_BYTES_MAX (1u << 20)

int tables_read_part(int fd, const struct inspection *inspection, uint64_t off, void *buf,
		     size_t len, struct error *error)
{
	int ret = -ENODATA;

	if (range_within(off, len, inspection->image_bytes))
		ret = io_pread(fd, buf, len, off);
	if (ret < 0 && ret != -ENODATA)
		error_errno(error, -ret, "cannot read %zu bytes at %" PRIu64, len, off);
	return ret;
}

bool tables_is_inside(const struct inspection *inspection, const struct region *region)
{
	return region->len_bytes > 0 &&
	       range_within(region->start_bytes, region->len_bytes, inspection->image_bytes);
}

const struct inspect_partition *tables_find_partition(const struct inspection *inspection,
						      unsigned int number)
{
	for (size_t i = 0; i < inspection->partition_count; i++)
		if (inspection->partitions[i].number == number)
			return &inspection->partitions[i];
	return NULL;
}

/* ---- MBRs ---- */

static int read_view(int fd, struct inspection *inspection, struct inspect_view *view,
		     struct error *error)
{
	uint8_t sector[MBR_BYTES];
	int ret = tables_read_part(fd, inspection, view->base_bytes, sector, sizeof(sector), error);

	if (ret == 0)
		ret = mbr_decode(sector, &view->mbr);
	view->present = ret == 0;
	return ret == -ENODATA ? 0 : ret;
}

/* A bare filesystem has its own first sector, in which there is no partition. */
bool tables_lists_any(const struct inspect_view *view)
{
	if (!view->present)
		return false;
	for (int i = 0; i < INSPECT_MBR_ENTRIES; i++)
		if (view->mbr.entries[i].sectors)
			return true;
	return false;
}

const struct mbr_entry *tables_find_protective(const struct inspect_view *view)
{
	for (int i = 0; i < INSPECT_MBR_ENTRIES && view->present; i++)
		if (view->mbr.entries[i].type == DOS_TYPE_GPT && view->mbr.entries[i].sectors)
			return &view->mbr.entries[i];
	return NULL;
}

static int list_mbr(struct inspection *inspection)
{
	const struct mbr_entry *entries = inspection->views[0].mbr.entries;

	inspection->partitions = calloc(INSPECT_MBR_ENTRIES, sizeof(*inspection->partitions));
	if (!inspection->partitions)
		return -ENOMEM;
	for (unsigned int i = 0; i < INSPECT_MBR_ENTRIES; i++) {
		if (entries[i].sectors == 0)
			continue;
		inspection->partitions[inspection->partition_count++] = (struct inspect_partition){
			.number = i + 1,
			.start_bytes = (uint64_t)entries[i].start_lba * SECTOR_BYTES,
			.len_bytes = (uint64_t)entries[i].sectors * SECTOR_BYTES,
			.type = entries[i].type,
			.bootable = entries[i].bootable,
		};
	}
	return 0;
}

/* ---- GPTs ---- */

static int read_gpt_header(int fd, const struct inspection *inspection, uint64_t at_bytes,
			   struct inspect_gpt_header *header, struct error *error)
{
	uint8_t sector[SECTOR_BYTES];
	int ret = tables_read_part(fd, inspection, at_bytes, sector, sizeof(sector), error);

	if (ret == 0)
		ret = gpt_decode_header(sector, sizeof(sector), &header->fields);
	header->present = ret == 0;
	header->at_bytes = at_bytes;
	return ret == -ENODATA ? 0 : ret;
}

/* Which size a sector has is said nowhere: the header in front is in the second one. The backup is
 * where that says, or at the end of the image, which has a protective MBR and so a sector. */
static int find_gpt_headers(int fd, struct inspection *inspection, struct error *error)
{
	static const uint32_t sizes[] = { SECTOR_BYTES, 4096 };
	struct inspect_gpt *gpt = &inspection->gpt;
	uint64_t backup_bytes;
	int ret = 0;

	for (int i = 0; i < 2 && ret == 0 && !gpt->headers[0].present; i++) {
		gpt->sector_bytes = sizes[i];
		ret = read_gpt_header(fd, inspection, sizes[i], &gpt->headers[0], error);
	}
	if (!gpt->headers[0].present)
		gpt->sector_bytes = SECTOR_BYTES;
	if (ret < 0)
		return ret;
	backup_bytes =
		inspection->image_bytes / gpt->sector_bytes * gpt->sector_bytes - gpt->sector_bytes;
	if (gpt->headers[0].present &&
	    checked_mul(gpt->headers[0].fields.other_lba, gpt->sector_bytes, &backup_bytes) < 0)
		return 0;
	return read_gpt_header(fd, inspection, backup_bytes, &gpt->headers[1], error);
}

/* The bytes of all entries; 0: no table has so many. */
static size_t entries_bytes(const struct gpt_header *header)
{
	uint64_t bytes = (uint64_t)header->entry_count * header->entry_bytes;

	return header->entry_bytes % GPT_ENTRY_BYTES || bytes > GPT_ENTRIES_BYTES_MAX
		       ? 0
		       : (size_t)bytes;
}

/* To be freed; NULL with 0: they are not there, or not right. */
static int read_entries(int fd, const struct inspection *inspection,
			const struct gpt_header *header, uint8_t **entries, struct error *error)
{
	size_t len = entries_bytes(header);
	autofree uint8_t *bytes = NULL;
	uint64_t off;
	int ret;

	*entries = NULL;
	if (len == 0 || checked_mul(header->entries_lba, inspection->gpt.sector_bytes, &off) < 0)
		return 0;
	bytes = malloc(len);
	if (!bytes)
		return error_nomem(error);
	ret = tables_read_part(fd, inspection, off, bytes, len, error);
	if (ret < 0)
		return ret == -ENODATA ? 0 : ret;
	if (gpt_crc32(0, bytes, len) == header->entries_crc)
		*entries = steal_ptr(&bytes);
	return 0;
}

/* Places of entries that no image has become those of its last byte. */
static uint64_t to_bytes(const struct inspect_gpt *gpt, uint64_t lba)
{
	uint64_t bytes;

	return checked_mul(lba, gpt->sector_bytes, &bytes) < 0 ? UINT64_MAX : bytes;
}

static int list_entries(struct inspection *inspection, const struct gpt_header *header,
			const uint8_t *bytes)
{
	const struct inspect_gpt *gpt = &inspection->gpt;
	struct gpt_entry entry;

	inspection->partitions = calloc(header->entry_count, sizeof(*inspection->partitions));
	if (!inspection->partitions)
		return -ENOMEM;
	for (unsigned int i = 0; i < header->entry_count; i++) {
		uint64_t start;

		if (!gpt_decode_entry(bytes + (size_t)i * header->entry_bytes, &entry))
			continue;
		start = to_bytes(gpt, entry.first_lba);
		inspection->partitions[inspection->partition_count++] = (struct inspect_partition){
			.number = i + 1,
			.start_bytes = start,
			.len_bytes = entry.last_lba < entry.first_lba
					     ? 0
					     : to_bytes(gpt, entry.last_lba + 1) - start,
			.label = entry.label,
		};
	}
	return 0;
}

/* The first header that is whole is used, as by those who repair. */
static int read_gpt(int fd, struct inspection *inspection, struct error *error)
{
	struct inspect_gpt *gpt = &inspection->gpt;
	int ret = find_gpt_headers(fd, inspection, error);

	for (int i = 0; i < 2 && ret == 0; i++) {
		struct inspect_gpt_header *header = &gpt->headers[i];
		autofree uint8_t *entries = NULL;

		if (!header->present)
			continue;
		ret = read_entries(fd, inspection, &header->fields, &entries, error);
		header->entries_right = entries != NULL;
		if (ret < 0 || gpt->used || !entries || !header->fields.checksum_right)
			continue;
		gpt->used = header;
		if (list_entries(inspection, &header->fields, entries) < 0)
			return error_nomem(error);
	}
	return ret;
}

/* ---- What is where ---- */

static void set_region(const struct inspect_partition *partition, struct region *region,
		       unsigned int *number)
{
	if (!partition)
		return;
	*region = (struct region){ partition->start_bytes, partition->len_bytes };
	*number = partition->number;
}

/* The first partition with this role; arch NULL: of any architecture. *found becomes its own. */
static const struct inspect_partition *find_role(const struct inspection *inspection,
						 enum partition_role role, const char *arch,
						 const char **found)
{
	for (size_t i = 0; i < inspection->partition_count; i++) {
		enum partition_role its_role;

		*found = discoverable_find(inspection->partitions[i].label.type, &its_role);
		if (*found && its_role == role && (!arch || arch == *found))
			return &inspection->partitions[i];
	}
	return NULL;
}

static void find_in_gpt(struct inspection *inspection)
{
	const char *arch;
	const struct inspect_partition *root = find_role(inspection, PARTITION_ROOT, NULL, &arch);

	inspection->root_found = root != NULL;
	if (!root)
		return;
	set_region(root, &inspection->root, &inspection->root_partition);
	set_region(find_role(inspection, PARTITION_VERITY, arch, &arch), &inspection->hash,
		   &inspection->hash_partition);
}

static void find_in_mbr(struct inspection *inspection)
{
	inspection->root_found = true;
	inspection->root_partition = 1;
	set_region(tables_find_partition(inspection, 1), &inspection->root,
		   &inspection->root_partition);
	set_region(tables_find_partition(inspection, 2), &inspection->hash,
		   &inspection->hash_partition);
}

static void find_without_table(struct inspection *inspection)
{
	uint64_t base_bytes = geometry_device_base(inspection->has_dax);

	inspection->root_found = true;
	if (inspection->image_bytes > base_bytes)
		inspection->root =
			(struct region){ base_bytes, inspection->image_bytes - base_bytes };
}

int tables_read(int fd, struct inspection *inspection, struct error *error)
{
	int ret = 0;

	inspection->table = IMAGE_TABLE_NONE;
	inspection->views[1].base_bytes = DAX_HEADER_BYTES;
	for (int i = 0; i < 2 && ret == 0; i++)
		ret = read_view(fd, inspection, &inspection->views[i], error);
	if (ret < 0)
		return ret;
	if (tables_find_protective(&inspection->views[0])) {
		inspection->table = IMAGE_TABLE_GPT;
		ret = read_gpt(fd, inspection, error);
		find_in_gpt(inspection);
	} else if (tables_lists_any(&inspection->views[0])) {
		inspection->table = IMAGE_TABLE_DOS;
		ret = list_mbr(inspection) < 0 ? error_nomem(error) : 0;
		find_in_mbr(inspection);
	} else {
		find_without_table(inspection);
	}
	return ret;
}
