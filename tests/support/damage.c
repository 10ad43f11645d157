/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/damage.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/reader/reader.h"
#include "lib/checked.h"

#define READ_BYTES_MAX (64u << 10)

static void write_object(const struct damage *damage, const struct damage_object *object,
			 const uint8_t *bytes)
{
	const struct host_range window = trial_window(damage->trial);

	assert_int_equal(
		pwrite(window.fd, bytes, object->len, (off_t)(window.offset_bytes + object->off)),
		object->len);
}

static int read_files(struct tree *tree, struct error *error)
{
	const struct kataimg_tree *pub = tree_public(tree);
	static uint8_t bytes[READ_BYTES_MAX];

	for (uint64_t i = 0; i < pub->node_count; i++) {
		const struct kataimg_node *node = pub->nodes[i];
		size_t len = node->size < READ_BYTES_MAX ? (size_t)node->size : READ_BYTES_MAX;
		int ret =
			node->type == KATAIMG_REG ? tree_read(tree, node, 0, bytes, len, error) : 0;

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int read_back(const struct damage *damage, struct error *error)
{
	const struct reader_options reading = { .threads = 1 };
	const struct host_range window = trial_window(damage->trial);
	struct tree *tree = NULL;
	int ret = reader_read(trial_backend(damage->trial), &window, &reading, &tree, error);

	if (ret == 0)
		ret = read_files(tree, error);
	tree_free(tree);
	return ret;
}

/* The same sentence of other numbers is no other. */
static void simplify(const char *text, char *out)
{
	size_t len = 0;

	for (; *text && len + 1 < DAMAGE_SENTENCE_BYTES; text++)
		if (*text < '0' || *text > '9')
			out[len++] = *text;
		else if (len == 0 || out[len - 1] != '#')
			out[len++] = '#';
	out[len] = '\0';
}

static void hear(struct damage *damage, const char *text)
{
	char sentence[DAMAGE_SENTENCE_BYTES];

	simplify(text, sentence);
	for (size_t i = 0; i < damage->said_count; i++)
		if (strcmp(damage->said[i], sentence) == 0)
			return;
	assert_true(damage->said_count < DAMAGE_SENTENCES_MAX);
	memcpy(damage->said[damage->said_count++], sentence, sizeof(sentence));
}

/* ---- One number ---- */

struct attempt {
	struct damage *damage;
	const struct damage_object *object;
	const uint8_t *whole;
	uint8_t *bytes; /* as long as whole, and equal between attempts */
};

static void try_value(const struct attempt *attempt, size_t at, const void *value, size_t width)
{
	const struct damage_object *object = attempt->object;
	autoerror struct error error = ERROR_INIT;
	int ret;

	if (at + width > object->len || memcmp(attempt->whole + at, value, width) == 0)
		return;
	memcpy(attempt->bytes + at, value, width);
	if (object->seal)
		object->seal(attempt->bytes, object->len);
	write_object(attempt->damage, object, attempt->bytes);
	ret = read_back(attempt->damage, &error);
	if (ret != 0 && (!error.message || (ret != -EUCLEAN && ret != -EOPNOTSUPP)))
		fail_msg("byte %zu of the object at %llu: %d: %s", at,
			 (unsigned long long)object->off, ret, error.message ? error.message : "");
	if (ret != 0)
		hear(attempt->damage, error.message);
	memcpy(attempt->bytes, attempt->whole, object->len);
}

static void try_byte(const struct attempt *attempt, size_t at)
{
	static const uint8_t zeros[8], ones[8] = { 255, 255, 255, 255, 255, 255, 255, 255 };
	const uint8_t byte = attempt->whole[at];

	try_value(attempt, at, (const uint8_t[]){ (uint8_t)(byte + 1) }, 1);
	for (unsigned int bit = 0; bit < 8; bit++)
		try_value(attempt, at, (const uint8_t[]){ (uint8_t)(byte ^ 1u << bit) }, 1);
	for (size_t width = 2; width <= sizeof(ones) && at % width == 0; width *= 2) {
		try_value(attempt, at, zeros, width);
		try_value(attempt, at, ones, width);
	}
}

static uint8_t *read_object(const struct damage *damage, const struct damage_object *object)
{
	uint8_t *bytes = malloc(object->len);

	assert_non_null(bytes);
	trial_read(damage->trial, object->off, bytes, object->len);
	return bytes;
}

void damage_walk(struct damage *damage, const struct damage_object *object, size_t from, size_t to)
{
	uint8_t *whole = read_object(damage, object), *bytes = read_object(damage, object);
	const struct attempt attempt = { damage, object, whole, bytes };

	for (size_t at = from; at < to && at < object->len; at++)
		try_byte(&attempt, at);
	write_object(damage, object, whole);
	free(bytes);
	free(whole);
}

void damage_expect(struct damage *damage, const struct damage_object *object, size_t at,
		   const void *bytes, size_t len, const char *text)
{
	autofree uint8_t *whole = read_object(damage, object);
	autofree uint8_t *other = read_object(damage, object);
	autoerror struct error error = ERROR_INIT;
	int ret;

	assert_true(range_within(at, len, object->len));
	memcpy(other + at, bytes, len);
	if (object->seal)
		object->seal(other, object->len);
	write_object(damage, object, other);
	ret = read_back(damage, &error);
	write_object(damage, object, whole);
	if (!text && ret == 0)
		return;
	if (!text || ret != -EUCLEAN || !error.message || !strstr(error.message, text))
		fail_msg("%zu bytes at byte %zu of the object at %llu: %s, not %s", len, at,
			 (unsigned long long)object->off, error.message ? error.message : "read",
			 text ? text : "read");
}

static bool was_said(const struct damage *damage, const char *text)
{
	for (size_t i = 0; i < damage->said_count; i++)
		if (strstr(damage->said[i], text))
			return true;
	return false;
}

void damage_check_said(const struct damage *damage, const char *const *texts, size_t count)
{
	size_t missed = 0;

	for (size_t i = 0; i < count; i++)
		if (!was_said(damage, texts[i])) {
			print_error("never said: %s\n", texts[i]);
			missed++;
		}
	if (getenv("KATAIMG_TEST_SHOW"))
		for (size_t i = 0; i < damage->said_count; i++)
			print_message("%s\n", damage->said[i]);
	assert_int_equal(missed, 0);
}

int damaged_tear_down(void **state)
{
	struct damaged *damaged = *state;

	trial_free(damaged->trial);
	memtree_free(damaged->tree);
	free(damaged);
	return 0;
}
