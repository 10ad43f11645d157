/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts and docker archives whose JSON is odd, or lies: what is chosen, and what is said. */
#include "core/oci/oci.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/digest.h"
#include "core/oci/image.h"
#include "lib/cleanup.h"
#include "lib/hex.h"
#include "tests/support/tempdir.h"

#define DIGEST_TEXT (7 + 2 * DIGEST_BYTES + 1)
#define NO_BLOB "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define CONFIG_TYPE "application/vnd.oci.image.config.v1+json"
#define EMPTY_TYPE "application/vnd.oci.empty.v1+json"

/* A layout in a directory of its own, which the test is in. */
static int set_up(void **state)
{
	const struct tempdir *dir;

	tempdir_set_up(state);
	dir = *state;
	tempdir_mkdir(dir, "l");
	tempdir_mkdir(dir, "l/blobs");
	tempdir_mkdir(dir, "l/blobs/sha256");
	return 0;
}

static void put(const struct tempdir *dir, const char *path, const char *text)
{
	tempdir_write(dir, path, text, strlen(text));
}

/* Keeps the text as a blob of this digest. */
static void blob(const struct tempdir *dir, const char *text, char digest[DIGEST_TEXT])
{
	struct digest *hash = digest_new();
	uint8_t bytes[DIGEST_BYTES];
	char path[128];

	assert_non_null(hash);
	assert_int_equal(digest_update(hash, text, strlen(text)), 0);
	assert_int_equal(digest_final(hash, bytes), 0);
	digest_free(hash);
	strcpy(digest, "sha256:");
	hex_format(bytes, DIGEST_BYTES, digest + 7);
	snprintf(path, sizeof(path), "l/blobs/sha256/%s", digest + 7);
	put(dir, path, text);
}

/* ret of looking for the image, whose layers it then has. */
static int find(const struct oci_choice *choice, bool docker, struct oci_image *image,
		struct error *error)
{
	const struct tree_options options = { .holes = TREE_HOLES_FILL, .threads = 1 };
	struct tree *store = NULL;
	int ret;

	assert_int_equal(tree_scan_directory("l", &options, &store, error), 0);
	ret = docker ? oci_find_in_docker(store, choice, image, error)
		     : oci_find_in_layout(store, choice, image, error);
	tree_free(store);
	return ret;
}

static void refuses(const struct oci_choice *choice, bool docker, int code, const char *message)
{
	autoerror struct error error = ERROR_INIT;
	struct oci_image image = { 0 };

	assert_int_equal(find(choice, docker, &image, &error), -code);
	assert_string_equal(error.message, message);
	oci_image_free(&image);
}

static const struct oci_choice any = { NULL, NULL }, amd64 = { NULL, "amd64" };

/* ---- Layouts ---- */

static const struct {
	const char *index, *message;
	int code;
} indexes[] = {
	{ "", "index.json: not JSON: unexpected end of data", EBADMSG },
	{ "[]", "a manifest without layers", EBADMSG },
	{ "{\"manifests\":{}}", "a manifest without layers", EBADMSG },
	{ "{\"manifests\":[]}", "it has 0 images, say which by its tag: none has one", EINVAL },
	{ "{\"manifests\":[7]}", "a descriptor without a digest", EBADMSG },
	{ "{\"manifests\":[{\"digest\":7}]}", "a descriptor without a digest", EBADMSG },
	{ "{\"manifests\":[{\"digest\":\"md5:1\"}]}", "the digest md5:1 is no SHA-256", EBADMSG },
	{ "{\"manifests\":[{\"digest\":\"sha256:12\"}]}", "the digest sha256:12 is no SHA-256",
	  EBADMSG },
	{ "{\"manifests\":[{\"digest\":\"" NO_BLOB "x\"}]}",
	  "the digest " NO_BLOB "x is no SHA-256", EBADMSG },
	{ "{\"manifests\":[{},{}]}", "it has 2 images, say which by its tag: none has one",
	  EINVAL },
	{ "{\"manifests\":[{\"platform\":{\"architecture\":\"amd64\",\"os\":\"windows\"}},"
	  "{\"platform\":{\"architecture\":\"arm64\"}}]}",
	  "no image is for linux on amd64 ([image] arch); there are: amd64, arm64", ENOENT },
	{ "{\"manifests\":[{\"platform\":{\"architecture\":\"amd64\"}},"
	  "{\"platform\":{\"architecture\":\"arm64\"}}]}",
	  "a descriptor without a digest", EBADMSG },
	{ "{\"manifests\":[{\"digest\":\"" NO_BLOB "\",\"size\":\"2\"}]}",
	  NO_BLOB " has no size in bytes", EBADMSG },
	{ "{\"manifests\":[{\"digest\":\"" NO_BLOB "\",\"size\":-1}]}",
	  NO_BLOB " has no size in bytes", EBADMSG },
	{ "{\"manifests\":[]} x", "index.json: not JSON: unexpected character", EBADMSG },
	{ "{\"manifests\":[]}{}", "index.json: not JSON: unexpected character", EBADMSG },
	{ "{\"manifests\":[],}", "index.json: not JSON: unexpected character", EBADMSG },
	{ "{\"manifests\":[]} \t\r\n", "it has 0 images, say which by its tag: none has one",
	  EINVAL },
};

static void indexes_are_judged(void **state)
{
	for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
		put(*state, "l/index.json", indexes[i].index);
		refuses(&amd64, false, indexes[i].code, indexes[i].message);
	}
	refuses(&(struct oci_choice){ "t", NULL }, false, ENOENT,
		"no image has the tag t; there are: none");
}

static void index_of_one(const struct tempdir *dir, const char *manifest)
{
	char digest[DIGEST_TEXT], text[256];

	blob(dir, manifest, digest);
	snprintf(text, sizeof(text), "{\"manifests\":[{\"digest\":\"%s\"}]}", digest);
	put(dir, "l/index.json", text);
}

static void indexes_in_indexes_end(void **state)
{
	char digest[DIGEST_TEXT], text[256] = "{\"layers\":[]}";

	for (int i = 0; i < 10; i++) {
		blob(*state, text, digest);
		snprintf(text, sizeof(text),
			 "{\"manifests\":[{\"digest\":\"%s\",\"platform\":{\"architecture\":"
			 "\"amd64\"}}]}",
			 digest);
	}
	put(*state, "l/index.json", text);
	refuses(&amd64, false, ELOOP, "too many indexes in indexes");
}

#define ARTIFACT(type, name)                                                                    \
	"it is no container image, but an artifact (" type ") of files: if " name " is a disk " \
	"image, give the layout's file blobs/sha256/1, unpacked if it is compressed, and as a " \
	"source with image: in front"

/* What is as long as it should be is read, down to its content. */
static void blobs_have_the_size_that_is_said(void **state)
{
	char digest[DIGEST_TEXT], text[256], message[256];

	blob(*state, "{\"layers\":[]}", digest);
	for (int size = 12; size <= 14; size++) {
		snprintf(text, sizeof(text), "{\"manifests\":[{\"digest\":\"%s\",\"size\":%d}]}",
			 digest, size);
		put(*state, "l/index.json", text);
		snprintf(message, sizeof(message),
			 "blobs/sha256/%s: its content is damaged: it has 13 bytes, not %d",
			 digest + 7, size);
		refuses(&any, false, EBADMSG,
			size == 13 ? "a descriptor without a digest" : message);
	}
}

/* A manifest's configuration is {}, of this digest, unless it says another. */
static const struct {
	const char *manifest, *message;
	int code;
} manifests[] = {
	{ "{}", "a manifest without layers", EBADMSG },
	{ "{\"layers\":[]}", "a descriptor without a digest", EBADMSG },
	{ "{\"layers\":[],\"config\":{\"mediaType\":\"x/y\"}}",
	  "it is no container image, but something else that is kept like one: its configuration "
	  "is of the type x/y",
	  EINVAL },
	{ "{\"layers\":[{\"digest\":\"sha256:1\"}],\"config\":{\"mediaType\":\"" EMPTY_TYPE "\"}}",
	  ARTIFACT("of no type", "the first one"), EINVAL },
	{ "{\"artifactType\":\"a/b\",\"layers\":[{\"digest\":\"sha256:1\",\"annotations\":{"
	  "\"org.opencontainers.image.title\":\"k.img\"}}],\"config\":{\"mediaType\":"
	  "\"" EMPTY_TYPE "\"}}",
	  ARTIFACT("a/b", "k.img"), EINVAL },
	{ "{\"layers\":[{\"digest\":\"1\"}],\"config\":{\"mediaType\":\"" EMPTY_TYPE "\"}}",
	  "it is no container image, but something else that is kept like one: its configuration "
	  "is of the type " EMPTY_TYPE,
	  EINVAL },
	{ "{\"layers\":[],\"config\":{\"digest\":\"" NO_BLOB "\"}}",
	  "blobs/sha256/0000000000000000000000000000000000000000000000000000000000000000: No such "
	  "file or directory",
	  ENOENT },
};

static void manifests_are_judged(void **state)
{
	for (size_t i = 0; i < sizeof(manifests) / sizeof(manifests[0]); i++) {
		index_of_one(*state, manifests[i].manifest);
		refuses(&any, false, manifests[i].code, manifests[i].message);
	}
}

#define ENCRYPTED "application/vnd.oci.image.layer.v1.tar+encrypted"

static const struct {
	const char *layers, *diff_ids, *message;
	int code;
} layers[] = {
	{ "[{}]", "[\"a\"]", "a layer without a digest", EBADMSG },
	{ "[{}]", "[]", "its configuration does not have one diff_id for each of the 1 layers",
	  EBADMSG },
	{ "[]", "7", "its configuration does not have one diff_id for each of the 0 layers",
	  EBADMSG },
	{ "[{\"digest\":\"x\"}]", "[null]", "the digest x is no SHA-256", EBADMSG },
	{ "[{\"digest\":\"x\",\"mediaType\":\"" ENCRYPTED "\"}]", "[\"a\"]",
	  "the layer x is encrypted (" ENCRYPTED "): copy the image with skopeo copy "
	  "--decryption-key first",
	  ENOTSUP },
	{ "[{\"digest\":\"x\",\"mediaType\":\"+encrypted\"}]", "[\"a\"]",
	  "the layer x is of the unknown type +encrypted: a layer is a tar, plain or compressed by "
	  "gzip or zstd",
	  ENOTSUP },
};

static void write_image(const struct tempdir *dir, const char *of_layers, const char *diff_ids)
{
	char digest[DIGEST_TEXT], config[256], manifest[1024];

	snprintf(config, sizeof(config),
		 "{\"architecture\":\"arm64\",\"rootfs\":{\"diff_ids\":%s}}", diff_ids);
	blob(dir, config, digest);
	snprintf(manifest, sizeof(manifest),
		 "{\"layers\":%s,\"config\":{\"digest\":\"%s\",\"mediaType\":\"" CONFIG_TYPE "\"}}",
		 of_layers, digest);
	index_of_one(dir, manifest);
}

static void layers_are_judged(void **state)
{
	for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
		write_image(*state, layers[i].layers, layers[i].diff_ids);
		refuses(&any, false, layers[i].code, layers[i].message);
	}
	write_image(*state, "[]", "[]");
	refuses(&(struct oci_choice){ NULL, "riscv64" }, false, EINVAL,
		"the image is for arm64, not for riscv64 as [image] arch says");
}

#define FOREIGN "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"

/* Where a layer is that stayed behind is said, if only that nobody knows. */
static void layers_that_stay_behind_are_somewhere(void **state)
{
	static const char *const urls[][2] = {
		{ "", "the registry that it came from" },
		{ ",\"urls\":[]", "the registry that it came from" },
		{ ",\"urls\":[\"https://x/y\"]", "https://x/y" },
	};

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		autoerror struct error error = ERROR_INIT;
		struct oci_image image = { 0 };
		char text[512];

		snprintf(text, sizeof(text),
			 "[{\"digest\":\"" NO_BLOB "\",\"mediaType\":\"" FOREIGN "\"%s}]",
			 urls[i][0]);
		write_image(*state, text, "[\"a\"]");
		assert_int_equal(find(&any, false, &image, &error), 0);
		assert_int_equal(image.layer_count, 1);
		assert_string_equal(image.layers[0].elsewhere, urls[i][1]);
		assert_string_equal(image.layers[0].diff_id, "a");
		oci_image_free(&image);
	}
}

static void large_and_odd_files_are_no_json(void **state)
{
	put(*state, "l/index.json", "{");
	assert_int_equal(truncate("l/index.json", (4 << 20) + 1), 0);
	refuses(&any, false, EFBIG, "index.json: larger than 4 MiB");
	assert_int_equal(unlink("l/index.json"), 0);
	refuses(&any, false, ENOENT, "there is no index.json: it is no OCI image layout");
	tempdir_mkdir(*state, "l/index.json");
	refuses(&any, false, EBADMSG, "index.json: not a file");
}

/* Where a parser for C sees an end, a file may go on. */
static void bytes_behind_an_end_are_refused(void **state)
{
	static const char text[] = "{\"manifests\":[]}\0";

	tempdir_write(*state, "l/index.json", text, sizeof(text) - 1);
	refuses(&any, false, EBADMSG, "index.json: not JSON: it goes on behind its end");
}

static const struct {
	const char *version, *message;
	int code;
} versions[] = {
	{ "{\"imageLayoutVersion\":\"2.0.0\"}", "oci-layout: of an unknown version: 2.0.0",
	  EBADMSG },
	{ "{\"imageLayoutVersion\":1}", "oci-layout: of an unknown version: none", EBADMSG },
	{ "[]", "oci-layout: of an unknown version: none", EBADMSG },
	{ "1.0.0", "oci-layout: not JSON: unexpected character", EBADMSG },
	{ "{\"imageLayoutVersion\":\"1.0.0\"}", "there is no index.json: it is no OCI image layout",
	  ENOENT },
};

static void versions_are_judged(void **state)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		put(*state, "l/oci-layout", versions[i].version);
		refuses(&any, false, versions[i].code, versions[i].message);
	}
}

/* A name with a colon is a path as long as there is one. */
static void tags_are_what_is_no_path(void **state)
{
	static const char *const refused =
		"a container image, not the file of a disk image: kataimg ls and extract look into "
		"it";
	autoerror struct error error = ERROR_INIT;
	char *path;

	write_image(*state, "[]", "[]");
	assert_int_equal(oci_refuse_as_file("l", &error), -EINVAL);
	assert_string_equal(error.message, refused);
	error_clear(&error);
	assert_int_equal(oci_refuse_as_file("l:t", &error), -ENOENT);
	assert_string_equal(error.message, "no image has the tag t; there are: none");
	error_clear(&error);
	assert_int_equal(rename("l", "a:b"), 0);
	assert_int_equal(oci_refuse_as_file("a:b", &error), -EINVAL);
	assert_string_equal(error.message, refused);
	path = oci_store_path("a:b:t:u");
	assert_string_equal(path, "a:b");
	free(path);
	path = oci_store_path("none:t:u");
	assert_string_equal(path, "none");
	free(path);
}

/* ---- Docker's ---- */

#define SAVED(tags) "{\"Config\":\"c.json\",\"Layers\":[],\"RepoTags\":" tags "}"

static const struct {
	const char *tag, *manifest, *message; /* NULL: it is found */
	int code;
} saved[] = {
	{ NULL, "{}", "it has 0 images, say which by its tag: none has one", EINVAL },
	{ NULL, "[" SAVED("null") "]", NULL, 0 },
	{ NULL, "[" SAVED("[\"a\"]") "," SAVED("[null,\"b:1\"]") "]",
	  "it has 2 images, say which by its tag: a, b:1", EINVAL },
	{ "b:1", "[" SAVED("[\"a\"]") "," SAVED("[null,\"b:1\"]") "]", NULL, 0 },
	{ "docker.io/library/b:1", "[" SAVED("[\"b:1\"]") "]", NULL, 0 },
	{ "g/b", "[" SAVED("[\"docker.io/g/b:latest\"]") "]", NULL, 0 },
	{ "localhost/b", "[" SAVED("[\"localhost/b:latest\"]") "]", NULL, 0 },
	{ "host:5000/b", "[" SAVED("[\"host:5000/b:latest\"]") "]", NULL, 0 },
	{ "host.x/b@sha256:1", "[" SAVED("[\"host.x/b@sha256:1\"]") "]", NULL, 0 },
	{ "localhosts/b", "[" SAVED("[\"localhosts/b:1\"]") "]",
	  "no image has the tag localhosts/b; there are: localhosts/b:1", ENOENT },
	{ "b", "[" SAVED("7") "]", "no image has the tag b; there are: none", ENOENT },
	{ NULL, "[{\"Layers\":[]}]", "manifest.json: an image without Config or Layers", EBADMSG },
	{ NULL, "[{\"Config\":\"c.json\"}]", "manifest.json: an image without Config or Layers",
	  EBADMSG },
	{ NULL, "[{\"Config\":\"none\",\"Layers\":[]}]", "none: No such file or directory",
	  ENOENT },
	{ NULL, "[{\"Config\":\"c.json\",\"Layers\":[null]}]",
	  "its configuration does not have one diff_id for each of the 1 layers", EBADMSG },
};

static void names_are_completed_as_docker_does(void **state)
{
	put(*state, "l/c.json", "{\"rootfs\":{\"diff_ids\":[]}}");
	for (size_t i = 0; i < sizeof(saved) / sizeof(saved[0]); i++) {
		const struct oci_choice choice = { saved[i].tag, NULL };
		autoerror struct error error = ERROR_INIT;
		struct oci_image image = { 0 };

		put(*state, "l/manifest.json", saved[i].manifest);
		if (saved[i].message) {
			refuses(&choice, true, saved[i].code, saved[i].message);
			continue;
		}
		if (find(&choice, true, &image, &error) < 0)
			fail_msg("%s: %s", saved[i].manifest, error.message);
		oci_image_free(&image);
	}
	unlink("l/manifest.json");
	refuses(&any, true, ENOENT, "there is no manifest.json: docker save did not write it");
}

static void layers_without_a_path_have_an_empty_one(void **state)
{
	autoerror struct error error = ERROR_INIT;
	struct oci_image image = { 0 };

	put(*state, "l/c.json", "{\"rootfs\":{\"diff_ids\":[\"a\",null]}}");
	put(*state, "l/manifest.json", "[{\"Config\":\"c.json\",\"Layers\":[null,\"x/l.tar\"]}]");
	assert_int_equal(find(&any, true, &image, &error), 0);
	assert_string_equal(image.layers[0].path, "");
	assert_string_equal(image.layers[1].path, "x/l.tar");
	assert_string_equal(image.layers[1].diff_id, "");
	oci_image_free(&image);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(indexes_are_judged),
		TEST(indexes_in_indexes_end),
		TEST(manifests_are_judged),
		TEST(layers_are_judged),
		TEST(layers_that_stay_behind_are_somewhere),
		TEST(large_and_odd_files_are_no_json),
		TEST(bytes_behind_an_end_are_refused),
		TEST(versions_are_judged),
		TEST(blobs_have_the_size_that_is_said),
		TEST(tags_are_what_is_no_path),
		TEST(names_are_completed_as_docker_does),
		TEST(layers_without_a_path_have_an_empty_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
