/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of a second writing, against a model that keeps all bytes of a small file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/backend/overlay.h"

#define FILE_BYTES 200000u
#define ROUNDS 400u

static uint8_t theirs[FILE_BYTES], ours[FILE_BYTES];
static uint32_t state_of_chance = 1;

static uint32_t chance(uint32_t below)
{
	state_of_chance = state_of_chance * 1664525u + 1013904223u;
	return (state_of_chance >> 8) % below;
}

static void expect_model(const struct overlay *overlay)
{
	static uint8_t patched[FILE_BYTES];
	uint64_t from = 0;
	struct overlay_difference next;

	memcpy(patched, theirs, sizeof(patched));
	overlay_patch(overlay, 0, patched, sizeof(patched));
	assert_memory_equal(patched, ours, sizeof(patched));
	for (uint64_t off = 0; off < FILE_BYTES; off++) {
		if (theirs[off] == ours[off])
			continue;
		assert_true(overlay_next(overlay, from, &next));
		assert_int_equal(next.off, off);
		assert_int_equal(next.ours, ours[off]);
		from = off + 1;
	}
	assert_false(overlay_next(overlay, from, &next));
}

static void write_some(struct overlay *overlay, uint32_t off, uint32_t len, uint8_t value)
{
	memset(ours + off, value, len);
	assert_int_equal(overlay_put(overlay, off, ours + off, theirs + off, len), 0);
}

/* Blocks come in any order, so that each is put between others. */
static void writes_in_any_order(void **state)
{
	struct overlay *overlay autocall(cleanup_overlay_free) = overlay_new();

	(void)state;
	assert_non_null(overlay);
	expect_model(overlay);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t len = 1 + chance(3000);

		write_some(overlay, chance(FILE_BYTES - len), len, (uint8_t)chance(3));
		if (i % 20 == 0)
			expect_model(overlay);
	}
	expect_model(overlay);
	/* What is mended is forgotten, from the middle and from both ends. */
	for (uint32_t off = FILE_BYTES / 2; off < FILE_BYTES; off += 10000)
		write_some(overlay, off, 10000, 0);
	expect_model(overlay);
	write_some(overlay, 0, FILE_BYTES / 2, 0);
	expect_model(overlay);
}

static void parts_are_patched(void **state)
{
	struct overlay *overlay autocall(cleanup_overlay_free) = overlay_new();
	uint8_t buf[100] = { 0 };

	(void)state;
	assert_non_null(overlay);
	memset(ours, 0, sizeof(ours));
	write_some(overlay, 4090, 12, 7);
	overlay_patch(overlay, 4000, buf, sizeof(buf));
	for (uint32_t i = 0; i < sizeof(buf); i++)
		assert_int_equal(buf[i], i < 90 ? 0 : 7);
	memset(buf, 0, sizeof(buf));
	overlay_patch(overlay, 4100, buf, sizeof(buf));
	for (uint32_t i = 0; i < sizeof(buf); i++)
		assert_int_equal(buf[i], i < 2 ? 7 : 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_in_any_order),
		cmocka_unit_test(parts_are_patched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
