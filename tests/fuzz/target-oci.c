/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Container images. The input is parts with a line "--" between them: index.json first, then
 * blobs. In each part "@N" stands for the digest of part N, and "#N" for its length, where N is
 * one digit; parts come before those that they name. So a mutation of a blob leaves a layout whose
 * digests are right. An input that begins with "docker" is a docker archive: manifest.json, and
 * parts of the names 1, 2, ...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/digest.h"
#include "core/oci/oci.h"
#include "lib/hex.h"
#include "tests/fuzz/target.h"

#define PARTS_MAX 10
#define BLOCK_BYTES 512u
#define ROOM_BYTES ((uint64_t)16 << 20)

static const char separator[] = "\n--\n";
static const char docker[] = "docker\n--\n";

struct part {
	uint8_t *bytes; /* owned */
	size_t len;
	char digest[2 * DIGEST_BYTES + 1];
};

struct layout {
	struct part parts[PARTS_MAX];
	size_t count;
	FILE *tar;
};

static void write_all(FILE *out, const void *bytes, size_t len)
{
	if (len && fwrite(bytes, len, 1, out) != 1)
		fuzz_fail("out of memory");
}

/* The part's text with what it says of others. */
static void resolve(struct layout *layout, struct part *part, const uint8_t *bytes, size_t len)
{
	FILE *out = open_memstream((char **)&part->bytes, &part->len);

	if (!out)
		fuzz_fail("out of memory");
	for (size_t i = 0; i < len; i++) {
		size_t number = i + 1 < len ? (size_t)(bytes[i + 1] - '0') : PARTS_MAX;
		const struct part *other = number < layout->count ? &layout->parts[number] : NULL;

		if (!other || !other->bytes || (bytes[i] != '@' && bytes[i] != '#')) {
			write_all(out, &bytes[i], 1);
			continue;
		}
		if (bytes[i] == '@')
			fprintf(out, "%s", other->digest);
		else
			fprintf(out, "%zu", other->len);
		i++;
	}
	if (fclose(out) != 0)
		fuzz_fail("out of memory");
}

static void name(struct part *part)
{
	struct digest *digest autocall(cleanup_digest_free) = digest_new();
	uint8_t sum[DIGEST_BYTES];

	if (!digest || digest_update(digest, part->bytes, part->len) < 0 ||
	    digest_final(digest, sum) < 0)
		fuzz_fail("SHA-256 failed");
	hex_format(sum, sizeof(sum), part->digest);
}

/* The last part first, as others name it. */
static void split(struct layout *layout, const uint8_t *bytes, size_t len)
{
	const uint8_t *starts[PARTS_MAX + 1] = { bytes };

	layout->count = 1;
	while (layout->count < PARTS_MAX) {
		const uint8_t *from = starts[layout->count - 1];
		const uint8_t *end = memmem(from, len - (size_t)(from - bytes), separator,
					    sizeof(separator) - 1);

		if (!end)
			break;
		starts[layout->count++] = end + sizeof(separator) - 1;
	}
	starts[layout->count] = bytes + len + sizeof(separator) - 1;
	for (size_t i = layout->count; i-- > 0;) {
		size_t part_len = (size_t)(starts[i + 1] - starts[i]) - (sizeof(separator) - 1);

		resolve(layout, &layout->parts[i], starts[i], part_len);
		name(&layout->parts[i]);
	}
}

static void add_member(FILE *tar, const char *path, const struct part *part)
{
	char block[BLOCK_BYTES] = { 0 };
	unsigned int sum = 0;

	snprintf(block, 100, "%s", path);
	snprintf(block + 100, 8, "%07o", 0644);
	snprintf(block + 108, 8, "%07o", 0);
	snprintf(block + 116, 8, "%07o", 0);
	snprintf(block + 124, 12, "%011zo", part->len);
	snprintf(block + 136, 12, "%011o", 0);
	memset(block + 148, ' ', 8);
	block[156] = '0';
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(block); i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", sum);
	write_all(tar, block, sizeof(block));
	write_all(tar, part->bytes, part->len);
	memset(block, 0, sizeof(block));
	write_all(tar, block, (BLOCK_BYTES - part->len % BLOCK_BYTES) % BLOCK_BYTES);
}

static void add_members(struct layout *layout, bool is_docker)
{
	static struct part version = { (uint8_t *)"{\"imageLayoutVersion\": \"1.0.0\"}", 31, "" };
	char path[128];

	add_member(layout->tar, is_docker ? "manifest.json" : "index.json", &layout->parts[0]);
	if (!is_docker)
		add_member(layout->tar, "oci-layout", &version);
	for (size_t i = 1; i < layout->count; i++) {
		if (is_docker)
			snprintf(path, sizeof(path), "%zu", i);
		else
			snprintf(path, sizeof(path), "blobs/sha256/%s", layout->parts[i].digest);
		add_member(layout->tar, path, &layout->parts[i]);
	}
}

static void read_store(const char *path, bool is_docker)
{
	const struct tree_options options = {
		.threads = 1,
		.arch = "amd64",
		.scratch = { .open = fuzz_scratch, .limit = ROOM_BYTES },
	};
	autoerror struct error error = ERROR_INIT;
	struct tree *tree;

	if (oci_read_tree(is_docker ? OCI_DOCKER_ARCHIVE : OCI_LAYOUT_ARCHIVE, path, &options,
			  &tree, &error) < 0) {
		if (!error.message)
			fuzz_fail("a container image is refused without a word");
		return;
	}
	fuzz_check_printed(tree);
	if (fuzz_read_files(tree, &error) == 0)
		fuzz_check_archived(tree);
	tree_free(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	bool is_docker =
		len >= sizeof(docker) - 1 && memcmp(bytes, docker, sizeof(docker) - 1) == 0;
	size_t skipped = is_docker ? sizeof(docker) - 1 : 0;
	struct layout layout = { .count = 0 };
	char *tar;
	size_t tar_len;
	struct fuzz_file file;

	split(&layout, bytes + skipped, len - skipped);
	layout.tar = open_memstream(&tar, &tar_len);
	if (!layout.tar)
		fuzz_fail("out of memory");
	add_members(&layout, is_docker);
	if (fclose(layout.tar) != 0)
		fuzz_fail("out of memory");
	file = fuzz_open(tar, tar_len);
	read_store(file.path, is_docker);
	fuzz_close(&file);
	free(tar);
	for (size_t i = 0; i < layout.count; i++)
		free(layout.parts[i].bytes);
	return 0;
}
