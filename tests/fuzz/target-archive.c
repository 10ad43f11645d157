/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives, compressed or not: read in whole, by its headers alone and without the data of some
 * members, one is the same tree or the same error. The first byte of the input says how it is read;
 * the sums of tar headers are made right if it asks for that.
 */
#include <stdio.h>
#include <string.h>

#include "core/archive/archive.h"
#include "core/base/digest.h"
#include "core/tree/exclude.h"
#include "tests/fuzz/sealed.h"
#include "tests/fuzz/target.h"

/* What a few KiB may become when they are unpacked. */
#define ROOM_BYTES ((uint64_t)16 << 20)

#define SEALED 1
#define HOLES_DETECTED 2

struct result {
	int code;
	char message[4096];
	uint8_t digest[DIGEST_BYTES];
};

static void read_once(const char *path, int flags, bool later, const struct tree_excluder *unneeded,
		      struct result *result)
{
	const struct tree_options options = {
		.holes = flags & HOLES_DETECTED ? TREE_HOLES_BLOCKS : TREE_HOLES_SOURCE,
		.threads = 1,
		.scratch = { .open = fuzz_scratch, .limit = ROOM_BYTES },
		.content_later = later,
		.unneeded = unneeded,
	};
	autoerror struct error error = ERROR_INIT;
	struct tree *tree = NULL;

	memset(result, 0, sizeof(*result));
	result->code = archive_read_tree(path, &options, &tree, &error);
	if (result->code == 0) {
		fuzz_digest_tree(tree, result->digest);
		result->code = fuzz_read_files(tree, &error);
		if (result->code == 0)
			fuzz_check_printed(tree);
		if (result->code == 0 && !later)
			fuzz_check_archived(tree);
		tree_free(tree);
	}
	if (result->code < 0 && !error.message)
		fuzz_fail("an archive is refused without a word");
	snprintf(result->message, sizeof(result->message), "%s",
		 error.message ? error.message : "");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct result whole, headers, parts;
	char *patterns[] = { "*[a-m0-4]" };
	struct tree_excluder *unneeded autocall(cleanup_tree_excluder_free) = NULL;
	autoerror struct error error = ERROR_INIT;
	struct fuzz_file file;

	if (len < 1)
		return 0;
	file = bytes[0] & SEALED ? fuzz_open_sealed(bytes + 1, len - 1)
				 : fuzz_open(bytes + 1, len - 1);
	if (tree_excluder_new(patterns, 1, &unneeded, &error) < 0)
		fuzz_fail("a pattern is refused");
	read_once(file.path, bytes[0], false, NULL, &whole);
	read_once(file.path, bytes[0], true, NULL, &headers);
	read_once(file.path, bytes[0], false, unneeded, &parts);
	if (memcmp(&whole, &headers, sizeof(whole)) != 0)
		fuzz_fail("in whole \"%s\", by headers \"%s\"", whole.message, headers.message);
	if (memcmp(&whole, &parts, sizeof(whole)) != 0)
		fuzz_fail("in whole \"%s\", in parts \"%s\"", whole.message, parts.message);
	fuzz_close(&file);
	return 0;
}
