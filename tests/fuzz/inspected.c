/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/textstream.h"
#include "core/format/gpt.h"
#include "lib/byteorder.h"
#include "lib/checked.h"
#include "tests/fuzz/window.h"

/* ---- Sums of GPTs (UEFI specification, 5.3.2) ---- */

#define HEADER_BYTES 92u
#define SUM_OFF 16u
#define ENTRIES_LBA_OFF 72u
#define ENTRY_COUNT_OFF 80u
#define ENTRY_BYTES_OFF 84u
#define ENTRIES_SUM_OFF 88u

static void put(uint8_t *to, uint32_t number)
{
	const le32 stored = to_le32(number);

	memcpy(to, &stored, sizeof(stored));
}

static uint64_t get(const uint8_t *from, unsigned int bytes)
{
	uint64_t number = 0;

	while (bytes > 0)
		number = number << 8 | from[--bytes];
	return number;
}

static void seal_header(uint8_t *bytes, size_t len, size_t at, uint32_t sector)
{
	uint8_t *header = bytes + at;
	uint64_t entries, entries_len;

	if (len < sector || memcmp(header, "EFI PART", 8) != 0)
		return;
	entries = get(header + ENTRIES_LBA_OFF, 8) * sector;
	entries_len = get(header + ENTRY_COUNT_OFF, 4) * get(header + ENTRY_BYTES_OFF, 4);
	if (range_within(entries, entries_len, len))
		put(header + ENTRIES_SUM_OFF, gpt_crc32(0, bytes + entries, (size_t)entries_len));
	put(header + SUM_OFF, 0);
	put(header + SUM_OFF, gpt_crc32(0, header, HEADER_BYTES));
}

void fuzz_seal_gpt(uint8_t *bytes, size_t len)
{
	static const uint32_t sectors[] = { 512, 4096 };

	for (size_t i = 0; i < sizeof(sectors) / sizeof(sectors[0]); i++) {
		if (len < 2 * sectors[i])
			return;
		seal_header(bytes, len, sectors[i], sectors[i]);
		seal_header(bytes, len, len - sectors[i], sectors[i]);
	}
}

/* ---- What inspect says ---- */

static void check_json(const char *text)
{
	json_object *object = json_tokener_parse(text);

	if (!object || !json_object_is_type(object, json_type_object))
		fuzz_fail("an inspection is no JSON:\n%s", text);
	json_object_put(object);
}

void fuzz_check_inspection(const struct inspection *inspection)
{
	autofree char *text = NULL, *json = NULL;
	struct text_stream lines, object;

	if (text_stream_open(&lines) < 0 ||
	    inspect_print_text(inspection, "IMAGE", lines.out) < 0 ||
	    text_stream_close(&lines, &text) < 0 || text_stream_open(&object) < 0 ||
	    inspect_print_json(inspection, "IMAGE", object.out) < 0 ||
	    text_stream_close(&object, &json) < 0)
		fuzz_fail("an inspection cannot be printed");
	check_json(json);
}
