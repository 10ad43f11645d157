/* SPDX-License-Identifier: Apache-2.0 */
/* Partition tables and the info block, of a build and to be compared with those of an image. */
#include <stdlib.h>

#include "core/builder/private.h"
#include "core/format/dax.h"
#include "core/format/mbr.h"

/* NULL: memory is out. */
static uint8_t *add_table(struct build_tables *tables, const char *what, uint64_t off, size_t len)
{
	struct build_table *table = &tables->items[tables->count];

	*table = (struct build_table){ what, off, len, calloc(1, len) };
	if (table->bytes)
		tables->count++;
	return table->bytes;
}

static int add_mbr(const struct build *build, uint64_t base_bytes, struct build_tables *tables,
		   struct error *error)
{
	uint8_t *bytes = add_table(tables, "a partition table", base_bytes, MBR_BYTES);

	return bytes ? mbr_encode(&build->geometry, base_bytes, bytes, error) : error_nomem(error);
}

static int add_mbrs(const struct build *build, struct build_tables *tables, struct error *error)
{
	int ret = add_mbr(build, 0, tables, error);

	return ret < 0 || !build->geometry.dax ? ret
					       : add_mbr(build, DAX_HEADER_BYTES, tables, error);
}

static int add_gpt(struct build *build, struct build_tables *tables, struct error *error)
{
	uint8_t *head = add_table(tables, "the partition table", 0, GPT_HEAD_BYTES);
	uint8_t *tail =
		head ? add_table(tables, "the partition table's backup",
				 build->geometry.image_bytes - GPT_TAIL_BYTES, GPT_TAIL_BYTES)
		     : NULL;
	int ret = tail ? build_label_partitions(build, error) : error_nomem(error);

	return ret < 0 ? ret : gpt_encode(&build->geometry, &build->labels, head, tail, error);
}

static int add_info_block(struct build_tables *tables, struct error *error)
{
	uint8_t *bytes =
		add_table(tables, "the NVDIMM info block", DAX_INFO_OFFSET, DAX_INFO_BYTES);

	if (!bytes)
		return error_nomem(error);
	dax_encode(bytes);
	return 0;
}

int build_make_tables(struct build *build, struct build_tables *tables, struct error *error)
{
	int ret = 0;

	*tables = (struct build_tables){ 0 };
	if (build->geometry.table == IMAGE_TABLE_DOS)
		ret = add_mbrs(build, tables, error);
	else if (build->geometry.table == IMAGE_TABLE_GPT)
		ret = add_gpt(build, tables, error);
	return ret < 0 || !build->geometry.dax ? ret : add_info_block(tables, error);
}

void build_free_tables(struct build_tables *tables)
{
	for (size_t i = 0; i < tables->count; i++)
		free(tables->items[i].bytes);
}

int build_write_tables(struct build *build, struct error *error)
{
	struct build_tables tables __attribute__((cleanup(build_free_tables)));
	int ret;

	progress_stage(build->progress, "tables");
	ret = build_make_tables(build, &tables, error);
	for (size_t i = 0; ret == 0 && i < tables.count; i++) {
		const struct build_table *table = &tables.items[i];

		ret = output_write(build->files[BUILD_IMAGE], table->bytes, table->len, table->off,
				   error);
	}
	return ret;
}
