/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Container images. The input is parts (parts.h): index.json first, then blobs. One that begins
 * with "docker" is a docker archive: manifest.json, and parts of the names 1, 2, ...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/oci/oci.h"
#include "tests/fuzz/parts.h"

#define BLOCK_BYTES 512u
#define ROOM_BYTES ((uint64_t)16 << 20)

static const char docker[] = "docker\n--\n";

struct layout {
	struct fuzz_parts parts;
	FILE *tar;
};

static void write_all(FILE *out, const void *bytes, size_t len)
{
	if (len && fwrite(bytes, len, 1, out) != 1)
		fuzz_fail("out of memory");
}

static void add_member(FILE *tar, const char *path, const struct fuzz_part *part)
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
	static struct fuzz_part version = { (uint8_t *)"{\"imageLayoutVersion\": \"1.0.0\"}", 31,
					    "" };
	char path[128];

	add_member(layout->tar, is_docker ? "manifest.json" : "index.json",
		   &layout->parts.items[0]);
	if (!is_docker)
		add_member(layout->tar, "oci-layout", &version);
	for (size_t i = 1; i < layout->parts.count; i++) {
		if (is_docker)
			snprintf(path, sizeof(path), "%zu", i);
		else
			snprintf(path, sizeof(path), "blobs/sha256/%s",
				 layout->parts.items[i].digest);
		add_member(layout->tar, path, &layout->parts.items[i]);
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
	struct layout layout;
	char *tar;
	size_t tar_len;
	struct fuzz_file file;

	fuzz_parts_split(&layout.parts, bytes + skipped, len - skipped);
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
	fuzz_parts_free(&layout.parts);
	return 0;
}
