/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: read-archives FILE...: reads each as a source, in whole and its headers alone, and ends
 * with 1 when these differ. A file that is none is no failure. What it is at is in the file `at`,
 * for who finds it dead.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive/archive.h"
#include "core/base/digest.h"
#include "core/base/log.h"

#define HANG_SECONDS 20
#define READ_BYTES 512
/* What a few KiB may become when they are unpacked. */
#define ROOM_BYTES ((uint64_t)64 << 20)

struct result {
	int code;
	char message[4096];
	uint8_t names[DIGEST_BYTES], content[DIGEST_BYTES];
};

static int open_scratch(void *arg)
{
	(void)arg;
	return memfd_create("scratch", MFD_CLOEXEC);
}

static int add_content(const struct tree *tree, struct digest *digest, struct error *error)
{
	const struct kataimg_tree *nodes = tree_public(tree);
	char bytes[READ_BYTES];

	for (uint64_t i = 0; i < nodes->node_count; i++) {
		const struct kataimg_node *node = nodes->nodes[i];
		size_t len = node->size < sizeof(bytes) ? (size_t)node->size : sizeof(bytes);
		int ret = node->type == KATAIMG_REG
				  ? tree_read(tree, node, node->size - len, bytes, len, error)
				  : 0;

		if (ret < 0)
			return ret;
		if (node->type == KATAIMG_REG && digest_update(digest, bytes, len) < 0)
			return -1;
	}
	return 0;
}

static void look(const struct tree *tree, struct result *result, struct error *error)
{
	struct digest *names = digest_new(), *content = digest_new();

	if (!names || !content || tree_digest(tree, names, error) < 0 ||
	    digest_final(names, result->names) < 0 || add_content(tree, content, error) < 0 ||
	    digest_final(content, result->content) < 0)
		result->code = error->code ? -error->code : -1;
	digest_free(names);
	digest_free(content);
}

static void read_one(const char *path, enum tree_holes holes, bool later, struct result *result)
{
	const struct tree_options options = {
		.holes = holes,
		.threads = 1,
		.scratch = { .open = open_scratch, .limit = ROOM_BYTES },
		.content_later = later,
	};
	autoerror struct error error = ERROR_INIT;
	struct tree *tree = NULL;

	memset(result, 0, sizeof(*result));
	result->code = archive_read_tree(path, &options, &tree, &error);
	if (result->code == 0)
		look(tree, result, &error);
	if (result->code == 0)
		tree_free(tree);
	snprintf(result->message, sizeof(result->message), "%s",
		 error.message ? error.message : "");
}

static void note(int at, const char *path)
{
	if (ftruncate(at, 0) < 0 || pwrite(at, path, strlen(path), 0) < 0)
		exit(2);
}

int main(int argc, char **argv)
{
	int at = open("at", O_WRONLY | O_CREAT | O_CLOEXEC, 0644), failed = 0;
	static struct result whole, headers;

	log_set_level(LOG_ERROR);
	for (int i = 1; at >= 0 && i < argc; i++) {
		enum tree_holes holes = i % 2 ? TREE_HOLES_BLOCKS : TREE_HOLES_SOURCE;

		note(at, argv[i]);
		alarm(HANG_SECONDS);
		read_one(argv[i], holes, false, &whole);
		read_one(argv[i], holes, true, &headers);
		if (memcmp(&whole, &headers, sizeof(whole)) == 0)
			continue;
		printf("%s: \"%s\" in whole, \"%s\" by headers\n", argv[i], whole.message,
		       headers.message);
		failed = 1;
	}
	return at < 0 ? 2 : failed;
}
