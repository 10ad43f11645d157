/* SPDX-License-Identifier: Apache-2.0 */
/* Single values. The first byte says of what kind the text behind it is. */
#include <stdlib.h>
#include <string.h>

#include "core/base/size.h"
#include "core/config/value.h"
#include "core/format/verity.h"
#include "core/tree/owner.h"
#include "lib/glob.h"
#include "tests/fuzz/target.h"

static void check_size(const char *text)
{
	autoerror struct error error = ERROR_INIT;
	char printed[SIZE_TEXT_BYTES];
	uint64_t bytes, again;

	if (value_parse_size(text, 0, 0, &bytes, &error) < 0)
		return;
	size_format(bytes, printed, sizeof(printed));
	if (value_parse_size(printed, 0, 0, &again, &error) < 0 || again != bytes)
		fuzz_fail("\"%s\" is told as \"%s\"", text, printed);
}

static void check_numbers(const char *text)
{
	static const char *const choices[] = { "one", "two", NULL };
	autoerror struct error a = ERROR_INIT, b = ERROR_INIT, c = ERROR_INIT;
	unsigned int index;
	uint64_t number;
	bool yes;

	if (value_parse_u64(text, 5, 70000, &number, &a) == 0 && (number < 5 || number > 70000))
		fuzz_fail("\"%s\" is out of bounds", text);
	value_parse_bool(text, &yes, &b);
	if (value_parse_choice(text, choices, &index, &c) == 0 && strcmp(text, choices[index]) != 0)
		fuzz_fail("\"%s\" is no choice", text);
}

/* Everything up to a NUL is the pattern, what is behind it the text. */
static void check_glob(const char *text, size_t len)
{
	size_t pattern_len = strlen(text);

	glob_match(text, pattern_len < len ? text + pattern_len + 1 : text);
	if (!strpbrk(text, "*?[\\") && !glob_match(text, text))
		fuzz_fail("\"%s\" does not match itself", text);
}

static void check_verity_line(const char *text)
{
	struct verity_params params;
	uint8_t root[VERITY_DIGEST_MAX_BYTES];
	bool salted;

	verity_parse_line(text, &params, root, &salted);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text;

	if (len == 0)
		return 0;
	text = malloc(len);
	if (!text)
		fuzz_fail("out of memory");
	memcpy(text, bytes + 1, len - 1);
	text[len - 1] = '\0';
	switch (bytes[0] % 4) {
	case 0:
		check_size(text);
		break;
	case 1:
		check_numbers(text);
		break;
	case 2:
		check_glob(text, len - 1);
		break;
	default:
		check_verity_line(text);
	}
	free(text);
	return 0;
}
