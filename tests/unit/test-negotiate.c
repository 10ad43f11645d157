/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend cannot store is refused by name, or left out and counted; before anything is
 * written. */
#include "core/backend/negotiate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "core/tree/model.h"

#define ALL_CAPABILITIES ((KATAIMG_CAP_ACLS << 1) - 1)

/* A backend that says what the test wants it to say. */
static struct kataimg_limits wanted_limits;
static int wanted_check;

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
	if (wanted_limits.struct_size)
		*limits = wanted_limits;
	return 0;
}

static int test_check(void *state, const struct kataimg_node *node, char *reason, size_t size)
{
	(void)state;
	if (node->type != KATAIMG_REG)
		return KATAIMG_CHECK_OK;
	snprintf(reason, size, "regular files are not to my taste");
	return wanted_check;
}

static void test_close(void *state)
{
	(void)state;
}

struct fixture {
	struct backend backend;
	struct host *host;
	struct session *session;
	struct tree *tree;
	struct error error;
};

static struct tree_node *add(struct fixture *fixture, struct tree_node *dir, const char *name,
			     enum kataimg_type type)
{
	struct tree_node *node = tree_add_node(fixture->tree, type);

	assert_non_null(node);
	assert_int_equal(tree_add_name(fixture->tree, dir, name, strlen(name), node), 0);
	return node;
}

static void add_xattr(struct fixture *fixture, struct tree_node *node, const char *name,
		      uint32_t value_len)
{
	struct kataimg_xattr *xattr = arena_array(&fixture->tree->arena, 1, sizeof(*xattr));

	assert_non_null(xattr);
	*xattr = (struct kataimg_xattr){ name, "value value value", (uint32_t)strlen(name),
					 value_len };
	tree_set_xattrs(node, xattr, 1);
}

/* etc/ file (two names, an attribute, nanoseconds, a hole) null link fifo socket */
static void make_tree(struct fixture *fixture)
{
	const struct kataimg_segment data = { 4096, 4096 };
	struct tree_node *root, *etc, *file, *device;

	fixture->tree = tree_new();
	assert_non_null(fixture->tree);
	root = tree_add_node(fixture->tree, KATAIMG_DIR);
	etc = add(fixture, root, "etc", KATAIMG_DIR);
	file = add(fixture, etc, "file", KATAIMG_REG);
	assert_int_equal(tree_add_name(fixture->tree, root, "second", 6, file), 0);
	file->pub.size = 8192;
	file->pub.mtime_sec = -7;
	file->pub.mtime_nsec = 1;
	assert_int_equal(tree_set_segments(fixture->tree, file, &data, 1), 0);
	add_xattr(fixture, file, "security.capability", 17);
	device = add(fixture, etc, "null", KATAIMG_CHR);
	device->pub.rdev_major = 300;
	device->pub.uid = 70000;
	assert_int_equal(
		tree_set_target(fixture->tree, add(fixture, etc, "link", KATAIMG_LNK), "a/b", 3),
		0);
	add(fixture, etc, "fifo", KATAIMG_FIFO);
	add(fixture, etc, "socket", KATAIMG_SOCK);
	assert_int_equal(tree_finish(fixture->tree, &fixture->error), 0);
}

static int setup(void **state)
{
	static struct fixture fixture;
	static const struct kataimg_job job = { .struct_size = sizeof(job) };
	const struct host_setup setup = { .backend = "test", .threads = 1 };

	memset(&fixture, 0, sizeof(fixture));
	memset(&wanted_limits, 0, sizeof(wanted_limits));
	wanted_check = KATAIMG_CHECK_OK;
	log_set_level(LOG_ERROR);
	fixture.backend.table = (struct kataimg_backend){ .name = "test",
							  .capabilities = ALL_CAPABILITIES,
							  .open = test_open,
							  .limits = test_limits,
							  .check = test_check,
							  .close = test_close };
	make_tree(&fixture);
	fixture.host = host_new(&setup);
	assert_int_equal(session_open(&fixture.backend, fixture.host, &job, NULL, &fixture.session,
				      &fixture.error),
			 0);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

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

static int negotiate(struct fixture *fixture, bool drop, uint64_t *dropped)
{
	static const struct negotiate_drop dropping = { .left_out = leave_out };

	return negotiate_tree(fixture->session, fixture->tree, drop ? &dropping : NULL, dropped,
			      &fixture->error);
}

static void assert_refused(struct fixture *fixture, const char *why)
{
	uint64_t dropped;

	assert_int_equal(negotiate(fixture, false, &dropped), -EOPNOTSUPP);
	if (!strstr(fixture->error.message, why))
		fail_msg("'%s' is not in: %s", why, fixture->error.message);
	assert_non_null(strstr(fixture->error.message, "unsupported = drop"));
	error_clear(&fixture->error);
}

/* Drops what the backend refuses; afterwards nothing is left to refuse. */
static void assert_dropped(struct fixture *fixture, uint64_t expected)
{
	uint64_t dropped;

	assert_int_equal(negotiate(fixture, true, &dropped), 0);
	assert_int_equal(dropped, expected);
	assert_int_equal(tree_drop_marked(fixture->tree, &fixture->error), 0);
	assert_int_equal(negotiate(fixture, false, &dropped), 0);
}

static const struct kataimg_node *find(struct fixture *fixture, const char *path)
{
	const struct kataimg_tree *tree = tree_public(fixture->tree);
	char buf[64];

	for (uint64_t i = 0; i < tree->node_count; i++)
		if (strcmp(tree_path(tree->nodes[i], buf, sizeof(buf)), path) == 0)
			return tree->nodes[i];
	return NULL;
}

static void everything_fits(void **state)
{
	uint64_t dropped = 99;

	assert_int_equal(negotiate(*state, false, &dropped), 0);
	assert_int_equal(dropped, 0);
}

/* No filesystem of Linux has longer ones, whatever a backend forgets to say. */
static void names_have_an_end_without_limits(void **state)
{
	struct fixture *fixture = *state;
	char name[257];

	memset(name, 'n', 256);
	name[256] = '\0';
	add(fixture, fixture->tree->root, name + 1, KATAIMG_FIFO);
	assert_int_equal(tree_finish(fixture->tree, &fixture->error), 0);
	everything_fits(state);
	add(fixture, fixture->tree->root, name, KATAIMG_FIFO);
	assert_int_equal(tree_finish(fixture->tree, &fixture->error), 0);
	assert_refused(fixture, "test cannot store names above 255: nnn");
	assert_dropped(fixture, 1);
}

static void each_missing_capability_is_named(void **state)
{
	static const struct {
		uint64_t capability;
		const char *why;
		uint64_t dropped;
	} cases[] = {
		{ KATAIMG_CAP_SYMLINKS, "test cannot store symbolic links: etc/link is one", 1 },
		{ KATAIMG_CAP_HARDLINKS, "test cannot store hard links: etc/file has 2 names", 1 },
		{ KATAIMG_CAP_DEVICES, "test cannot store device nodes: etc/null is one", 1 },
		{ KATAIMG_CAP_FIFOS, "test cannot store fifos: etc/fifo is one", 1 },
		{ KATAIMG_CAP_SOCKETS, "test cannot store sockets: etc/socket is one", 1 },
		{ KATAIMG_CAP_XATTRS,
		  "test cannot store extended attributes: etc/file has security.capability", 1 },
		{ KATAIMG_CAP_NANOSECONDS,
		  "test cannot store nanoseconds: etc/file is one of 1 that have them "
		  "(whole-seconds",
		  1 },
		{ KATAIMG_CAP_SPARSE, "test cannot store holes: etc/file is sparse", 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *fixture = *state;

		fixture->backend.table.capabilities = ALL_CAPABILITIES & ~cases[i].capability;
		assert_refused(fixture, cases[i].why);
		assert_dropped(fixture, cases[i].dropped);
	}
}

static struct kataimg_limits no_limits(void)
{
	struct kataimg_limits limits;

	memset(&limits, 0xff, sizeof(limits));
	limits.struct_size = sizeof(limits);
	limits.mtime_min = INT64_MIN;
	limits.mtime_max = INT64_MAX;
	return limits;
}

static void each_limit_is_named(void **state)
{
	struct fixture *fixture = *state;

#define CASE(member, value, why)              \
	do {                                  \
		wanted_limits = no_limits();  \
		wanted_limits.member = value; \
		assert_refused(fixture, why); \
	} while (0)
	CASE(name_bytes, 5, "names above 5: etc/socket has 6 bytes in its name");
	CASE(symlink_bytes, 2, "symbolic link targets above 2: etc/link has 3 bytes");
	CASE(xattr_name_bytes, 18,
	     "attributes with names above 18 bytes: etc/file has security.capability with 19");
	CASE(xattr_value_bytes, 16,
	     "attributes with values above 16 bytes: etc/file has security.capability with 17");
	CASE(xattr_total_bytes, 35, "more than 35 bytes of extended attributes: etc/file has 36");
	CASE(mtime_min, -6, "etc/file has -7 seconds since 1970");
	CASE(device_major, 299, "device majors above 299: etc/null has 300");
	CASE(id, 69999, "user ids above 69999: etc/null has 70000");
	CASE(links, 1, "link counts above 1: etc/file has 2 names");
	CASE(subdirectories, 0, "subdirectories of one directory above 0: . has 1");
	CASE(entries, 4, "entries of one directory above 4: etc has 5");
	CASE(path_bytes, 9, "paths above 9: etc/socket has 10 bytes in a path");
	CASE(mtime_granularity_nsec, 100,
	     "times finer than 100 nanoseconds: etc/file is one of 1 that have them (whole-sec");
	CASE(mtime_granularity_nsec, 2000000000,
	     "times finer than 2000000000 nanoseconds: etc/file is one of 1 that have them (unsu");
	CASE(file_bytes, 8191, "files above 8191: etc/file has 8192 bytes");
#undef CASE
}

/* The group has r, a named group rwx, the mask rwx: stat says 0674. */
static const uint8_t acl[] = {
	2,    0, 0, 0,                         /* version */
	0x01, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, /* user: rw */
	0x04, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* group: r */
	0x08, 0, 7, 0, 0x05, 0,    0,    0,    /* group 5: rwx */
	0x10, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, /* mask: rwx */
	0x20, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* other: r */
};

static void acls_alone_are_dropped(void **state)
{
	struct fixture *fixture = *state;
	const struct kataimg_node *file = find(fixture, "etc/file");
	struct kataimg_xattr *xattrs = arena_array(&fixture->tree->arena, 2, sizeof(*xattrs));

	xattrs[0] = file->xattrs[0];
	xattrs[1] = (struct kataimg_xattr){ "system.posix_acl_access", acl, 23, sizeof(acl) };
	tree_node(file)->pub.mode = 04674;
	tree_set_xattrs(tree_node(file), xattrs, 2);
	fixture->backend.table.capabilities &= ~KATAIMG_CAP_ACLS;
	assert_refused(fixture,
		       "test cannot store POSIX ACLs: etc/file has system.posix_acl_access");
	assert_dropped(fixture, 1);
	assert_int_equal(find(fixture, "etc/file")->xattr_count, 1);
	assert_string_equal(find(fixture, "etc/file")->xattrs[0].name, "security.capability");
	assert_int_equal(find(fixture, "etc/file")->mode, 04644);
}

static void nanoseconds_of_all_are_one_offence(void **state)
{
	struct fixture *fixture = *state;
	const char *const paths[] = { ".", "etc", "etc/null" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		tree_node(find(fixture, paths[i]))->pub.mtime_nsec = 5;
	fixture->backend.table.capabilities &= ~KATAIMG_CAP_NANOSECONDS;
	assert_refused(fixture, "test cannot store nanoseconds: . is one of 4 that have them");
	assert_dropped(fixture, 4);
	assert_int_equal(find(fixture, "etc/null")->mtime_nsec, 0);
}

static void too_many_nodes_are_an_error(void **state)
{
	struct fixture *fixture = *state;
	uint64_t dropped;

	wanted_limits = no_limits();
	wanted_limits.nodes = 6;
	assert_int_equal(negotiate(fixture, true, &dropped), -EFBIG);
}

static void the_backends_own_check_counts(void **state)
{
	struct fixture *fixture = *state;

	wanted_check = KATAIMG_CHECK_NODE;
	assert_refused(fixture,
		       "test cannot store this: etc/file (regular files are not to my taste)");
	assert_dropped(fixture, 1);
	assert_null(find(fixture, "etc/file"));
	assert_null(find(fixture, "second"));
}

/* etc is 3 bytes, etc/file 8; second, the same node, is not too long and goes, too. */
static void nodes_with_long_paths_are_dropped(void **state)
{
	struct fixture *fixture = *state;

	wanted_limits = no_limits();
	wanted_limits.path_bytes = 7;
	assert_dropped(fixture, 5);
	assert_null(find(fixture, "second"));
	assert_non_null(find(fixture, "etc"));
}

static void times_are_cut_to_what_the_filesystem_has(void **state)
{
	static const struct {
		uint64_t granularity;
		int64_t sec, cut_sec;
		uint32_t nsec, cut_nsec;
	} cases[] = {
		{ 100, -7, -7, 199, 100 },
		{ 1000000000, -7, -7, 999999999, 0 },
		{ UINT64_C(2000000000), 7, 6, 1, 0 },
		{ UINT64_C(2000000000), -7, -8, 1, 0 },
		{ UINT64_C(86400000000000), 86399, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *fixture = *state;
		struct kataimg_node *file = &tree_node(find(fixture, "etc/file"))->pub;

		file->mtime_sec = cases[i].sec;
		file->mtime_nsec = cases[i].nsec;
		wanted_limits = no_limits();
		wanted_limits.mtime_granularity_nsec = cases[i].granularity;
		assert_dropped(fixture, 1);
		assert_int_equal(file->mtime_sec, cases[i].cut_sec);
		assert_int_equal(file->mtime_nsec, cases[i].cut_nsec);
	}
}

static void a_granularity_that_is_none_is_the_backends_fault(void **state)
{
	static const uint64_t wrong[] = { 0, 3, 1500000000 };
	struct fixture *fixture = *state;
	uint64_t dropped;

	wanted_limits = no_limits();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		wanted_limits.mtime_granularity_nsec = wrong[i];
		assert_int_equal(negotiate(fixture, true, &dropped), -EPROTO);
		assert_non_null(strstr(fixture->error.message, "a divisor of 10^9"));
		error_clear(&fixture->error);
	}
}

/* Whatever the check says of a file, it says until there is nothing left to say it of. */
static void drop_until_nothing_is_refused(struct fixture *fixture, unsigned int rounds)
{
	uint64_t dropped;

	for (unsigned int i = 0; i < rounds; i++) {
		assert_non_null(find(fixture, "etc/file"));
		assert_int_equal(negotiate(fixture, true, &dropped), 0);
		assert_int_equal(dropped, 1);
		assert_int_equal(tree_drop_marked(fixture->tree, &fixture->error), 0);
	}
	assert_int_equal(negotiate(fixture, true, &dropped), 0);
	assert_int_equal(dropped, 0);
	assert_null(find(fixture, "etc/file"));
}

static void owner_and_mode_are_dropped_before_the_file(void **state)
{
	struct fixture *fixture = *state;
	struct kataimg_node *file = &tree_node(find(fixture, "etc/file"))->pub;
	uint64_t dropped;

	file->mode = 04711;
	file->uid = 5;
	wanted_check = KATAIMG_CHECK_MODE;
	assert_refused(fixture,
		       "test cannot store this mode: etc/file (regular files are not to my taste)");
	assert_int_equal(negotiate(fixture, true, &dropped), 0);
	assert_int_equal(tree_drop_marked(fixture->tree, &fixture->error), 0);
	assert_int_equal(file->mode, 0711);
	assert_int_equal(negotiate(fixture, true, &dropped), 0);
	assert_int_equal(tree_drop_marked(fixture->tree, &fixture->error), 0);
	assert_int_equal(file->mode, 0755);
	wanted_check = KATAIMG_CHECK_OWNER;
	assert_refused(fixture, "test cannot store this owner: etc/file (");
	assert_int_equal(negotiate(fixture, true, &dropped), 0);
	assert_int_equal(tree_drop_marked(fixture->tree, &fixture->error), 0);
	assert_int_equal(file->uid, 0);
	drop_until_nothing_is_refused(fixture, 1);
}

static void attributes_that_are_gone_are_no_way_out(void **state)
{
	wanted_check = KATAIMG_CHECK_XATTRS;
	drop_until_nothing_is_refused(*state, 2);
}

static void answers_that_nobody_knows_are_an_error(void **state)
{
	struct fixture *fixture = *state;
	uint64_t dropped;

	wanted_check = KATAIMG_CHECK_MODE + 1;
	assert_int_equal(negotiate(fixture, true, &dropped), -EIO);
	assert_non_null(strstr(fixture->error.message, "the backend test returned 5 from check"));
}

static void attributes_are_dropped_before_the_file(void **state)
{
	struct fixture *fixture = *state;

	wanted_limits = no_limits();
	wanted_limits.xattr_value_bytes = 3;
	assert_dropped(fixture, 1);
	assert_non_null(find(fixture, "etc/file"));
	assert_int_equal(find(fixture, "etc/file")->xattr_count, 0);
}

static void the_root_cannot_be_dropped(void **state)
{
	struct fixture *fixture = *state;
	uint64_t dropped;

	wanted_limits = no_limits();
	wanted_limits.entries = 1;
	assert_int_equal(negotiate(fixture, true, &dropped), -EOPNOTSUPP);
}

static void twenty_offenders_are_listed_and_the_rest_counted(void **state)
{
	struct fixture *fixture = *state;
	struct tree_node *root;

	tree_free(fixture->tree);
	fixture->tree = tree_new();
	root = tree_add_node(fixture->tree, KATAIMG_DIR);
	for (int i = 0; i < 25; i++) {
		char name[16];

		snprintf(name, sizeof(name), "fifo%02d", i);
		add(fixture, root, name, KATAIMG_FIFO);
	}
	assert_int_equal(tree_finish(fixture->tree, &fixture->error), 0);
	fixture->backend.table.capabilities &= ~KATAIMG_CAP_FIFOS;
	assert_refused(fixture, "fifo19 is one\nand 5 more");
}

static void jobs_that_the_backend_cannot_do_are_refused(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		uint64_t bit;
		const char *why;
	} cases[] = {
		{ KATAIMG_JOB_DAX, "test cannot be mounted with dax: set dax = no" },
		{ KATAIMG_JOB_FREE_SPACE, "test is read-only and has no free space" },
		{ UINT64_C(1) << 63, "does not know what this job requires" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct kataimg_job job = { .required = cases[i].bit };

		assert_int_equal(negotiate_job(&fixture->backend, &job, &fixture->error), -EINVAL);
		assert_int_equal(fixture->error.kind, ERROR_USAGE);
		assert_non_null(strstr(fixture->error.message, cases[i].why));
		error_clear(&fixture->error);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(everything_fits),
		TEST(names_have_an_end_without_limits),
		TEST(each_missing_capability_is_named),
		TEST(each_limit_is_named),
		TEST(acls_alone_are_dropped),
		TEST(nanoseconds_of_all_are_one_offence),
		TEST(too_many_nodes_are_an_error),
		TEST(the_backends_own_check_counts),
		TEST(nodes_with_long_paths_are_dropped),
		TEST(times_are_cut_to_what_the_filesystem_has),
		TEST(a_granularity_that_is_none_is_the_backends_fault),
		TEST(owner_and_mode_are_dropped_before_the_file),
		TEST(attributes_that_are_gone_are_no_way_out),
		TEST(answers_that_nobody_knows_are_an_error),
		TEST(attributes_are_dropped_before_the_file),
		TEST(the_root_cannot_be_dropped),
		TEST(twenty_offenders_are_listed_and_the_rest_counted),
		TEST(jobs_that_the_backend_cannot_do_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
