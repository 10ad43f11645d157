/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/negotiation.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/log.h"

static struct negotiation negotiation; /* of the test at hand */

static int test_open(const struct kataimg_host *host, const struct kataimg_job *job,
		     const struct kataimg_value *values, void **state)
{
	(void)host, (void)job, (void)values;
	*state = NULL;
	return 0;
}

static int test_limits(void *state, struct kataimg_limits *limits)
{
	(void)state;
	if (negotiation.limits.struct_size)
		*limits = negotiation.limits;
	return 0;
}

static int test_check(void *state, const struct kataimg_node *node, char *reason, size_t size)
{
	(void)state;
	if (node->type != KATAIMG_REG)
		return KATAIMG_CHECK_OK;
	snprintf(reason, size, "regular files are not to my taste");
	return negotiation.check;
}

static void test_close(void *state)
{
	(void)state;
}

struct kataimg_limits negotiation_no_limits(void)
{
	struct kataimg_limits limits;

	memset(&limits, 0xff, sizeof(limits));
	limits.struct_size = sizeof(limits);
	limits.mtime_min = INT64_MIN;
	limits.mtime_max = INT64_MAX;
	return limits;
}

struct tree_node *negotiation_add(struct negotiation *fixture, struct tree_node *dir,
				  const char *name, enum kataimg_type type)
{
	struct tree_node *node = tree_add_node(fixture->tree, type);

	assert_non_null(node);
	assert_int_equal(tree_add_name(fixture->tree, dir, name, strlen(name), node), 0);
	return node;
}

static void add_xattr(struct negotiation *fixture, struct tree_node *node, const char *name,
		      uint32_t value_len)
{
	struct kataimg_xattr *xattr = arena_array(&fixture->tree->arena, 1, sizeof(*xattr));

	assert_non_null(xattr);
	*xattr = (struct kataimg_xattr){ name, "value value value", (uint32_t)strlen(name),
					 value_len };
	tree_set_xattrs(node, xattr, 1);
}

/* etc/ file (two names, an attribute, nanoseconds, a hole) null link fifo socket */
static void make_tree(struct negotiation *fixture)
{
	const struct kataimg_segment data = { 4096, 4096 };
	struct tree_node *root, *etc, *file, *device;

	fixture->tree = tree_new();
	assert_non_null(fixture->tree);
	root = tree_add_node(fixture->tree, KATAIMG_DIR);
	etc = negotiation_add(fixture, root, "etc", KATAIMG_DIR);
	file = negotiation_add(fixture, etc, "file", KATAIMG_REG);
	assert_int_equal(tree_add_name(fixture->tree, root, "second", 6, file), 0);
	file->pub.size = 8192;
	file->pub.mtime_sec = -7;
	file->pub.mtime_nsec = 1;
	assert_int_equal(tree_set_segments(fixture->tree, file, &data, 1), 0);
	add_xattr(fixture, file, "security.capability", 17);
	device = negotiation_add(fixture, etc, "null", KATAIMG_CHR);
	device->pub.rdev_major = 300;
	device->pub.uid = 70000;
	assert_int_equal(tree_set_target(fixture->tree,
					 negotiation_add(fixture, etc, "link", KATAIMG_LNK), "a/b",
					 3),
			 0);
	negotiation_add(fixture, etc, "fifo", KATAIMG_FIFO);
	negotiation_add(fixture, etc, "socket", KATAIMG_SOCK);
	assert_int_equal(tree_finish(fixture->tree, &fixture->error), 0);
}

int negotiation_set_up(void **state)
{
	static const struct kataimg_job job = { .struct_size = sizeof(job) };
	const struct host_setup setup = { .backend = "test", .threads = 1 };

	negotiation = (struct negotiation){ .check = KATAIMG_CHECK_OK };
	log_set_level(LOG_ERROR);
	negotiation.backend.table = (struct kataimg_backend){ .name = "test",
							      .capabilities = ALL_CAPABILITIES,
							      .open = test_open,
							      .limits = test_limits,
							      .check = test_check,
							      .close = test_close };
	make_tree(&negotiation);
	negotiation.host = host_new(&setup);
	assert_int_equal(session_open(&negotiation.backend, negotiation.host, &job, NULL,
				      &negotiation.session, &negotiation.error),
			 0);
	*state = &negotiation;
	return 0;
}

int negotiation_tear_down(void **state)
{
	struct negotiation *fixture = *state;

	session_close(fixture->session);
	host_free(fixture->host);
	tree_free(fixture->tree);
	error_clear(&fixture->error);
	return 0;
}

static void leave_out(void *arg, const char *filesystem, const struct kataimg_node *node,
		      const char *cannot, const char *has)
{
	assert_null(arg);
	assert_non_null(node);
	assert_true(*filesystem && *cannot && *has);
}

int negotiation_run(struct negotiation *fixture, bool drop, uint64_t *dropped)
{
	static const struct negotiate_drop dropping = { .left_out = leave_out };

	return negotiate_tree(fixture->session, fixture->tree, drop ? &dropping : NULL, dropped,
			      &fixture->error);
}

void negotiation_assert_refused(struct negotiation *fixture, const char *why)
{
	uint64_t dropped;

	assert_int_equal(negotiation_run(fixture, false, &dropped), -EOPNOTSUPP);
	if (!strstr(fixture->error.message, why))
		fail_msg("'%s' is not in: %s", why, fixture->error.message);
	assert_non_null(strstr(fixture->error.message, "unsupported = drop"));
	error_clear(&fixture->error);
}

void negotiation_assert_dropped(struct negotiation *fixture, uint64_t expected)
{
	uint64_t dropped;

	assert_int_equal(negotiation_run(fixture, true, &dropped), 0);
	assert_int_equal(dropped, expected);
	assert_int_equal(tree_drop_marked(fixture->tree, &fixture->error), 0);
	assert_int_equal(negotiation_run(fixture, false, &dropped), 0);
}

const struct kataimg_node *negotiation_find(struct negotiation *fixture, const char *path)
{
	const struct kataimg_tree *tree = tree_public(fixture->tree);
	char buf[64];

	for (uint64_t i = 0; i < tree->node_count; i++)
		if (strcmp(tree_path(tree->nodes[i], buf, sizeof(buf)), path) == 0)
			return tree->nodes[i];
	return NULL;
}
