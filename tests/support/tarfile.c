/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/tarfile.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "core/tree/find.h"

int tarfile_set_up(void **state)
{
	struct tarfile *fixture = calloc(1, sizeof(*fixture));

	log_set_level(LOG_ERROR);
	strcpy(fixture->path, "/tmp/kataimg-archive-XXXXXX");
	fixture->fd = mkstemp(fixture->path);
	*state = fixture;
	return fixture->fd < 0 ? -1 : 0;
}

int tarfile_tear_down(void **state)
{
	struct tarfile *fixture = *state;

	close(fixture->fd);
	unlink(fixture->path);
	tree_free(fixture->tree);
	error_clear(&fixture->error);
	free(fixture);
	return 0;
}

void tarfile_append(struct tarfile *fixture, const void *bytes, size_t len)
{
	assert_int_equal(write(fixture->fd, bytes, len), len);
}

void tarfile_header(struct tarfile *fixture, char type, const char *name, const char *target,
		    unsigned long long size)
{
	char block[512] = { 0 };
	unsigned int sum = 0;

	strncpy(block, name, 100);
	strcpy(block + 100, "0000644");
	strcpy(block + 108, "0000005");
	strcpy(block + 116, "0000006");
	snprintf(block + 124, 12, "%011llo", size & 077777777777);
	strcpy(block + 136, "00000001750");
	memset(block + 148, ' ', 8);
	block[156] = type;
	strncpy(block + 157, target, 100);
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(block); i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", sum);
	tarfile_append(fixture, block, sizeof(block));
}

void tarfile_member(struct tarfile *fixture, char type, const char *name, const char *content)
{
	static const char zeros[512];
	size_t len = strlen(content);

	tarfile_header(fixture, type, name, "", len);
	tarfile_append(fixture, content, len);
	tarfile_append(fixture, zeros, (512 - len % 512) % 512);
}

char *tarfile_record(char *at, const char *key, const char *value)
{
	int len = 0;

	for (int digits = 1; len == 0 || snprintf(NULL, 0, "%d", len) != digits - 1; digits++)
		len = digits + snprintf(NULL, 0, " %s=%s\n", key, value);
	return at + sprintf(at, "%d %s=%s\n", len, key, value);
}

void tarfile_pax(struct tarfile *fixture, const char *key, const char *value)
{
	char text[4096];

	tarfile_record(text, key, value);
	tarfile_member(fixture, 'x', "pax", text);
}

void tarfile_end(struct tarfile *fixture)
{
	static const char zeros[1024];

	tarfile_append(fixture, zeros, sizeof(zeros));
}

static int open_scratch(void *arg)
{
	(void)arg;
	return open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static int read_archive(struct tarfile *fixture)
{
	const struct tree_options options = { .scratch = { open_scratch, NULL } };

	return archive_read_tree(fixture->path, &options, &fixture->tree, &fixture->error);
}

void tarfile_accept(struct tarfile *fixture)
{
	if (read_archive(fixture) < 0)
		fail_msg("%s", fixture->error.message);
}

void tarfile_refuse(struct tarfile *fixture, const char *message)
{
	size_t label = strlen(fixture->path) + 2;

	assert_true(read_archive(fixture) < 0);
	assert_true(strlen(fixture->error.message) > label);
	assert_string_equal(fixture->error.message + label, message);
}

const struct kataimg_node *tarfile_get(const struct tarfile *fixture, const char *path)
{
	int code;

	return tree_resolve_link(fixture->tree, path, &code);
}

void tarfile_expect(struct tarfile *fixture, const char *path, const char *content)
{
	const struct kataimg_node *node = tarfile_get(fixture, path);
	char buffer[64] = { 0 };

	assert_non_null(node);
	assert_int_equal(node->size, strlen(content));
	assert_int_equal(
		tree_read(fixture->tree, node, 0, buffer, strlen(content), &fixture->error), 0);
	assert_string_equal(buffer, content);
}
