/* SPDX-License-Identifier: Apache-2.0 */
#include "core/guest/rootfs.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/tree/find.h"
#include "tests/support/smalltree.h"

#define ANYWAY "; [rootfs] check = no builds the image as it is"

#define NO_INIT                                                                                   \
	"the root filesystem has no executable /sbin/init: install an init system, or the agent " \
	"under that name" ANYWAY
#define NO_SYSTEMD                                                                          \
	"the root filesystem has no systemd (/usr/lib/systemd/systemd, "                    \
	"/lib/systemd/systemd): install it, or, when /sbin/init is kata-agent itself, say " \
	"[rootfs] agent-init = yes" ANYWAY
#define IS_SYSTEMD                                                                         \
	"[rootfs] agent-init = yes, but /sbin/init is systemd: make it the agent, or say " \
	"agent-init = no" ANYWAY
#define NO_TARGET                                                                             \
	"[rootfs] agent-init = yes, but /sbin/init leads to no executable file: make it the " \
	"agent" ANYWAY

/* An entry of a test's tree: a link when it has a target, else a file of the mode. */
struct item {
	const char *path;
	unsigned int mode;
	const char *target;
};

#define ITEMS 8

static const struct {
	struct item items[ITEMS];
	const char *systemd_init, *agent_init; /* what the check says; NULL: nothing */
} cases[] = {
	{ { { "sbin/x", 0755 } }, NO_INIT, NO_INIT },
	{ { { "sbin/init", 0644 } }, NO_INIT, NO_INIT },
	/* the agent was moved to /sbin/init, or is a copy */
	{ { { "sbin/init", 0100 } }, NO_SYSTEMD, NULL },
	{ { { "sbin/init", 0755 }, { "usr/bin/kata-agent", 0644 } }, NO_SYSTEMD, NULL },
	{ { { "sbin/init", 0, "/usr/bin/kata-agent" }, { "usr/bin/kata-agent", 0755 } },
	  NO_SYSTEMD,
	  NULL },
	{ { { "sbin/init", 0, "/usr/bin/kata-agent" }, { "usr/bin/kata-agent", 0644 } },
	  NO_SYSTEMD,
	  NO_TARGET },
	{ { { "sbin/init", 0, "/lib/systemd/systemd" }, { "lib/systemd/systemd", 0755 } },
	  NULL,
	  IS_SYSTEMD },
	{ { { "sbin/init", 0, "../lib/systemd/systemd" }, { "lib/systemd/systemd", 0755 } },
	  NULL,
	  IS_SYSTEMD },
	/* merged /usr, as Debian has it */
	{ { { "sbin", 0, "usr/sbin" },
	    { "lib", 0, "usr/lib" },
	    { "usr/sbin/init", 0, "/lib/systemd/systemd" },
	    { "usr/lib/systemd/systemd", 0755 } },
	  NULL,
	  IS_SYSTEMD },
	/* a copy is systemd too: both are empty here */
	{ { { "sbin/init", 0755 }, { "usr/lib/systemd/systemd", 0755 } }, NULL, IS_SYSTEMD },
	{ { { "sbin/init", 0755 }, { "usr/lib/systemd/systemd", 0644 } }, NO_SYSTEMD, IS_SYSTEMD },
	/* NVIDIA's init has NVRC in its name, and the link's target counts, not where it leads */
	{ { { "sbin/init", 0, "/bin/NVRC" }, { "bin/NVRC", 0755 } }, NULL, NULL },
	{ { { "sbin/init", 0, "/bin/NVRC-x86_64-unknown-linux-musl" },
	    { "bin", 0, "usr/bin" },
	    { "usr/bin/NVRC-x86_64-unknown-linux-musl", 0755 } },
	  NULL,
	  NULL },
	{ { { "sbin", 0, "usr/sbin" }, { "usr/sbin/init", 0, "../lib/NVRC.d/init" } },
	  NULL,
	  NO_TARGET },
	{ { { "sbin/init", 0, "/bin/nvrc" }, { "bin/nvrc", 0755 } }, NO_SYSTEMD, NULL },
	{ { { "sbin/init", 0, "/bin/first" }, { "bin/first", 0, "NVRC" }, { "bin/NVRC", 0755 } },
	  NO_SYSTEMD,
	  NULL },
	{ { { "sbin/NVRC", 0755 }, { "sbin/init", 0755 } }, NO_SYSTEMD, NULL },
	/* links that lead nowhere, in a circle, or out of the root and so to its top */
	{ { { "sbin/init", 0, "nowhere" } }, NO_SYSTEMD, NO_TARGET },
	{ { { "sbin/init", 0, "init" } }, NO_SYSTEMD, NO_TARGET },
	{ { { "sbin/init", 0, "../../../../agent" },
	    { "agent", 0755 },
	    { "usr/bin/kata-agent", 0, "/agent" } },
	  NO_SYSTEMD,
	  NULL },
	{ { { "sbin/init", 0, "/agent/x" }, { "agent", 0755 } }, NO_SYSTEMD, NO_TARGET },
};

static void expect(const struct tree *tree, bool agent_init, const char *message, size_t index)
{
	const struct rootfs_rules rules = { agent_init, "kata-agent" };
	autoerror struct error error = ERROR_INIT;
	int ret = rootfs_check(tree, &rules, &error);

	if (!message && ret < 0)
		fail_msg("case %zu: %s", index, error.message);
	if (message && (ret == 0 || strcmp(message, error.message) != 0))
		fail_msg("case %zu: %s\ninstead of: %s", index, error.message, message);
}

static void every_case_is_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smalltree small;

		smalltree_init(&small);
		for (const struct item *item = cases[i].items; item->path; item++)
			if (item->target)
				smalltree_link(&small, item->path, item->target);
			else
				smalltree_add(&small, item->path, S_IFREG | item->mode);
		smalltree_finish(&small);
		expect(small.tree, false, cases[i].systemd_init, i);
		expect(small.tree, true, cases[i].agent_init, i);
		smalltree_free(&small);
	}
}

static void links_end_after_forty(void **state)
{
	struct smalltree small;
	int code;

	(void)state;
	smalltree_init(&small);
	smalltree_link(&small, "a", "b");
	smalltree_link(&small, "b", "a");
	smalltree_add(&small, "file", S_IFREG);
	smalltree_finish(&small);
	assert_null(tree_resolve(small.tree, "/a/x", &code));
	assert_int_equal(code, ELOOP);
	assert_null(tree_resolve(small.tree, "file/x", &code));
	assert_int_equal(code, ENOTDIR);
	assert_null(tree_resolve(small.tree, "x", &code));
	assert_int_equal(code, ENOENT);
	assert_ptr_equal(tree_resolve(small.tree, "/../.", &code), &tree_root(small.tree)->pub);
	smalltree_free(&small);
}

static void machine_id_is_added_once(void **state)
{
	const struct kataimg_node *added;
	struct error error = ERROR_INIT;
	struct smalltree small;
	struct tree_node *etc;
	bool is_added;

	(void)state;
	smalltree_init(&small);
	etc = smalltree_add(&small, "etc", S_IFDIR | 0755);
	etc->pub.mtime_sec = 77;
	etc->pub.mtime_nsec = 5;
	smalltree_add(&small, "etc/zz", S_IFREG);
	smalltree_finish(&small);
	assert_int_equal(rootfs_add_machine_id(small.tree, &is_added, &error), 0);
	assert_true(is_added);
	added = smalltree_get(&small, "etc/machine-id");
	assert_int_equal(added->type, KATAIMG_REG);
	assert_int_equal(added->mode, 0444);
	assert_int_equal(added->size, 0);
	assert_int_equal(added->uid | added->gid, 0);
	assert_int_equal(added->mtime_sec, 77);
	assert_int_equal(added->mtime_nsec, 5);
	assert_int_equal(etc->pub.mtime_sec, 77);
	assert_int_equal(etc->pub.entry_count, 2);
	assert_int_equal(rootfs_add_machine_id(small.tree, &is_added, &error), 0);
	assert_false(is_added);
	smalltree_free(&small);
}

static void without_etc_there_is_no_machine_id(void **state)
{
	struct error error = ERROR_INIT;
	struct smalltree small;
	bool added;

	(void)state;
	smalltree_init(&small);
	smalltree_add(&small, "etc", S_IFREG | 0644);
	smalltree_finish(&small);
	assert_int_equal(rootfs_add_machine_id(small.tree, &added, &error), 0);
	assert_false(added);
	assert_int_equal(tree_public(small.tree)->node_count, 2);
	smalltree_free(&small);
}

/* A file of so many bytes, zeros but for some text at an offset. */
static void add_content(struct smalltree *small, const char *path, size_t size, size_t off,
			const char *text)
{
	struct tree_node *node = smalltree_add(small, path, S_IFREG | 0755);
	int fd = memfd_create("content", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(pwrite(fd, text, strlen(text), (off_t)off), strlen(text));
	assert_int_equal(tree_set_stretch(small->tree, node,
					  tree_add_shared(small->tree, fd, TREE_SOURCE_ARCHIVE),
					  size, 0),
			 0);
}

/* An init of systemd's size is systemd when all its bytes are. */
static void a_copy_is_told_by_its_bytes(void **state)
{
	static const struct {
		size_t size, off;
		const char *text, *message;
	} copies[] = {
		{ 100000, 0, "ELF", IS_SYSTEMD }, { 100001, 0, "ELF", NULL },
		{ 100000, 0, "ELG", NULL },       { 100000, 99990, "ELF", NULL },
		{ 65536, 0, "ELF", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		struct smalltree small;

		smalltree_init(&small);
		add_content(&small, "sbin/init", copies[i].size, copies[i].off, copies[i].text);
		add_content(&small, "usr/lib/systemd/systemd", 100000, 0, "ELF");
		smalltree_finish(&small);
		expect(small.tree, true, copies[i].message, i);
		smalltree_free(&small);
	}
}

/* What rootfs_remark says on standard error, cut to size. */
static void remark(const struct tree *tree, char *text, size_t size)
{
	autoerror struct error error = ERROR_INIT;
	int said = memfd_create("said", MFD_CLOEXEC), kept = dup(STDERR_FILENO), ret;
	ssize_t len;

	assert_true(said >= 0 && kept >= 0);
	assert_true(dup2(said, STDERR_FILENO) >= 0);
	ret = rootfs_remark(tree, NULL, &error);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	close(kept);
	assert_int_equal(ret, 0);
	len = pread(said, text, size - 1, 0);
	assert_true(len >= 0);
	text[len] = '\0';
	close(said);
}

static void machine_ids_that_all_would_share_are_told(void **state)
{
	static const struct {
		const char *text;
		bool told;
	} ids[] = {
		{ "", false },
		{ "uninitialized", false },
		{ "uninitialized\n", false },
		{ "uninitialized.", true },
		{ "uninitialised", true },
		{ "uninitialized\n\n", true },
		{ "0123456789abcdef0123456789abcdef\n", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct smalltree small;
		char text[256];

		smalltree_init(&small);
		add_content(&small, "etc/machine-id", strlen(ids[i].text), 0, ids[i].text);
		smalltree_finish(&small);
		remark(small.tree, text, sizeof(text));
		if (ids[i].told)
			assert_non_null(strstr(text, "/etc/machine-id is not empty: all guests are "
						     "the same machine"));
		else
			assert_string_equal(text, "");
		smalltree_free(&small);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_is_told_apart),
		cmocka_unit_test(links_end_after_forty),
		cmocka_unit_test(a_copy_is_told_by_its_bytes),
		cmocka_unit_test(machine_ids_that_all_would_share_are_told),
		cmocka_unit_test(machine_id_is_added_once),
		cmocka_unit_test(without_etc_there_is_no_machine_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
