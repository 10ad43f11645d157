/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/draw.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "core/format/discoverable.h"
#include "core/inspect/print.h"
#include "lib/array.h"

#define BOX_NAME_BYTES 64

struct box {
	uint64_t start_bytes;
	char name[BOX_NAME_BYTES];
};

struct drawing {
	ARRAY(struct box) boxes;
	bool out_of_memory;
};

__attribute__((format(printf, 3, 4))) static void add(struct drawing *drawing, uint64_t start_bytes,
						      const char *fmt, ...)
{
	struct box *box = array_add(&drawing->boxes);
	va_list args;

	if (!box) {
		drawing->out_of_memory = true;
		return;
	}
	box->start_bytes = start_bytes;
	va_start(args, fmt);
	vsnprintf(box->name, sizeof(box->name), fmt, args);
	va_end(args);
}

static void add_tables(struct drawing *drawing, const struct inspection *inspection)
{
	const struct inspect_gpt *gpt = &inspection->gpt;

	if (inspection->table == IMAGE_TABLE_GPT)
		add(drawing, 0, "GPT");
	if (gpt->headers[1].present)
		add(drawing, gpt->headers[1].fields.entries_lba * gpt->sector_bytes, "GPT backup");
	for (int i = 0; i < 2; i++)
		if (inspect_shows_view(inspection, i))
			add(drawing, inspection->views[i].base_bytes, "MBR");
	if (inspection->has_dax)
		add(drawing, DAX_INFO_OFFSET, "info block");
}

static const char *content_of(const struct inspection *inspection,
			      const struct inspect_partition *partition)
{
	const struct inspect_hash_tree *tree = &inspection->hash_tree;

	if (inspection->has_filesystem && partition->number == inspection->root_partition)
		return inspection->filesystem.type;
	if (inspection->has_hash_tree && tree->place == HASH_PARTITION &&
	    partition->number == tree->partition)
		return "hash tree";
	if (discoverable_is(partition->label.type, PARTITION_SIGNATURE))
		return "signature";
	return "other";
}

static void add_contents(struct drawing *drawing, const struct inspection *inspection)
{
	for (size_t i = 0; i < inspection->partition_count; i++) {
		const struct inspect_partition *partition = &inspection->partitions[i];

		add(drawing, partition->start_bytes, "%u: %s", partition->number,
		    content_of(inspection, partition));
	}
	if (inspection->table == IMAGE_TABLE_NONE)
		add(drawing, inspection->root.start_bytes, "%s", inspection->filesystem.type);
	if (inspection->has_hash_tree && inspection->hash_tree.place == HASH_APPEND)
		add(drawing, inspection->hash_tree.area.start_bytes, "hash tree");
}

static int by_start(const void *a, const void *b)
{
	const struct box *x = a, *y = b;

	return (x->start_bytes > y->start_bytes) - (x->start_bytes < y->start_bytes);
}

static int width_of(const struct box *box)
{
	int digits = snprintf(NULL, 0, "%" PRIu64, box->start_bytes);
	int letters = snprintf(NULL, 0, "%s", box->name);

	return digits > letters ? digits : letters;
}

static void print(const struct drawing *drawing, uint64_t end, FILE *out)
{
	for (size_t i = 0; i < drawing->boxes.count; i++) {
		const struct box *box = &drawing->boxes.items[i];

		fprintf(out, "  %-*" PRIu64 " ", width_of(box), box->start_bytes);
	}
	fprintf(out, "  %" PRIu64 "\n", end);
	for (size_t i = 0; i < drawing->boxes.count; i++) {
		const struct box *box = &drawing->boxes.items[i];

		fprintf(out, "| %-*s ", width_of(box), box->name);
	}
	fprintf(out, "|\n");
}

int inspect_draw(const struct inspection *inspection, FILE *out)
{
	struct drawing drawing = { 0 };

	if (inspection->content.sentence ||
	    (inspection->table == IMAGE_TABLE_NONE && !inspection->has_filesystem))
		return 0;
	add_tables(&drawing, inspection);
	add_contents(&drawing, inspection);
	if (!drawing.out_of_memory) {
		qsort(drawing.boxes.items, drawing.boxes.count, sizeof(struct box), by_start);
		print(&drawing, inspection->image_bytes, out);
	}
	array_free(&drawing.boxes);
	return drawing.out_of_memory ? -ENOMEM : 0;
}
