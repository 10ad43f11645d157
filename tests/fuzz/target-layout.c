/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image layout of others that an image is put into: the input is its index.json and its blobs
 * (parts.h). Where that fails, all is as it was; else the tag "new" has the image, put in a second
 * time nothing changes, and the image of the tag "kept" is what it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/artifact/blob.h"
#include "core/artifact/layout.h"
#include "core/image/publish.h"
#include "core/oci/mediatype.h"
#include "core/oci/oci.h"
#include "tests/fuzz/parts.h"
#include "tests/fuzz/scratch.h"

#define PATH_BYTES 128
#define ROOM_BYTES ((uint64_t)16 << 20)

static const char version[] = "{\"imageLayoutVersion\": \"1.0.0\"}";

static void write_layout(const struct fuzz_parts *parts)
{
	char name[PATH_BYTES];

	fuzz_scratch_begin();
	fuzz_scratch_mkdir("layout");
	fuzz_scratch_mkdir("layout/blobs");
	fuzz_scratch_mkdir("layout/blobs/sha256");
	fuzz_scratch_write("layout/oci-layout", version, strlen(version));
	fuzz_scratch_write("layout/index.json", parts->items[0].bytes, parts->items[0].len);
	for (size_t i = 1; i < parts->count; i++) {
		snprintf(name, sizeof(name), "layout/blobs/sha256/%s", parts->items[i].digest);
		fuzz_scratch_write(name, parts->items[i].bytes, parts->items[i].len);
	}
}

/* Is there an image of the tag? Then the digest of its tree. */
static bool read_tag(const char *tag, uint8_t sum[DIGEST_BYTES])
{
	const struct tree_options options = {
		.threads = 1,
		.arch = "amd64",
		.scratch = { .open = fuzz_scratch, .limit = ROOM_BYTES },
	};
	autoerror struct error error = ERROR_INIT;
	autofree char *source = fuzz_scratch_path(tag);
	struct tree *tree;

	if (oci_read_tree(OCI_LAYOUT, source, &options, &tree, &error) < 0)
		return false;
	fuzz_digest_tree(tree, sum);
	tree_free(tree);
	return true;
}

static json_object *describe(const struct artifact_blob *manifest)
{
	json_object *entry = artifact_descriptor(OCI_TYPE_MANIFEST, manifest);
	json_object *platform = json_object_new_object();

	json_object_object_add(platform, "architecture", json_object_new_string("amd64"));
	json_object_object_add(platform, "os", json_object_new_string("linux"));
	json_object_object_add(entry, "platform", platform);
	return entry;
}

static int change(struct artifact_layout *layout, struct error *error)
{
	static const char manifest[] = "{\"schemaVersion\": 2}";
	struct output *beside autocall(cleanup_output_close) = NULL;
	struct artifact_blob blob = { 0 };
	autofree char *path = fuzz_scratch_path("layout/index.json");
	char index[ARTIFACT_DIGEST_TEXT_BYTES];
	int ret = output_open("the image", path, NULL, &beside, error);

	if (ret == 0)
		ret = artifact_blob_of_bytes(&blob, beside, manifest, strlen(manifest), error);
	if (ret == 0)
		ret = artifact_layout_put(layout, &blob, error);
	if (ret == 0)
		ret = artifact_layout_add(layout, "new", describe(&blob), index, error);
	if (ret == 0)
		ret = artifact_layout_write_index(layout, error);
	if (ret == 0)
		ret = publish(&(struct publish_item){ artifact_layout_index(layout),
						      PUBLISH_SPEAKS_OF_NOTHING },
			      1, false, error);
	if (ret == 0)
		artifact_layout_settle(layout);
	artifact_blob_free(&blob);
	return ret;
}

static int put_image(void)
{
	autofree char *top = fuzz_scratch_path("layout");
	const struct artifact_manner manner = { .owner = (uid_t)-1, .group = (gid_t)-1 };
	struct artifact_layout *layout autocall(cleanup_artifact_layout_close) = NULL;
	autoerror struct error error = ERROR_INIT;
	int ret = artifact_layout_open(top, &manner, &layout, &error);

	if (ret == 0)
		ret = change(layout, &error);
	if (ret < 0 && !error.message)
		fuzz_fail("a layout is refused without a word");
	return ret;
}

static void check_changed(bool kept, const uint8_t before[DIGEST_BYTES])
{
	autofree char *once = fuzz_scratch_describe("layout"), *twice = NULL;
	uint8_t after[DIGEST_BYTES];

	if (!strstr(once, "index.json"))
		fuzz_fail("there is no index:\n%s", once);
	if (kept && (!read_tag("layout:kept", after) || memcmp(before, after, sizeof(after)) != 0))
		fuzz_fail("another image is not what it was:\n%s", once);
	if (put_image() < 0)
		fuzz_fail("a layout is refused that an image was put into:\n%s", once);
	twice = fuzz_scratch_describe("layout");
	if (strcmp(once, twice) != 0)
		fuzz_fail("put in once:\n%s, and twice:\n%s", once, twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	autofree char *before = NULL;
	uint8_t sum[DIGEST_BYTES];
	struct fuzz_parts parts;
	bool kept;

	fuzz_parts_split(&parts, bytes, len);
	write_layout(&parts);
	kept = read_tag("layout:kept", sum);
	before = fuzz_scratch_describe("layout");
	if (put_image() == 0) {
		check_changed(kept, sum);
	} else {
		autofree char *after = fuzz_scratch_describe("layout");

		if (strcmp(before, after) != 0)
			fuzz_fail("refused, it was\n%s, and is\n%s", before, after);
	}
	fuzz_parts_free(&parts);
	return 0;
}
