/* SPDX-License-Identifier: Apache-2.0 */
#include "core/guest/rootfs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/tree/edit.h"
#include "core/tree/find.h"
#include "lib/cleanup.h"

#define INIT_PATH "/sbin/init"
#define INITRD_INIT_PATH "/init"
#define BUILD_ANYWAY "; [rootfs] check = no builds the image as it is"
#define COMPARE_BYTES ((size_t)64 << 10)

static const char *const systemd_paths[] = { "/usr/lib/systemd/systemd", "/lib/systemd/systemd" };

#define SYSTEMD_PATHS (sizeof(systemd_paths) / sizeof(systemd_paths[0]))

static bool is_executable(const struct kataimg_node *node)
{
	return node && node->type == KATAIMG_REG && node->mode & 0111;
}

static bool is_link(const struct kataimg_node *node)
{
	return node && node->type == KATAIMG_LNK;
}

/* An executable behind all links, or a link at the end of the path wherever it leads. */
static bool is_program(const struct tree *tree, const char *path)
{
	int code;

	return is_executable(tree_resolve(tree, path, &code)) ||
	       is_link(tree_resolve_link(tree, path, &code));
}

/* NVIDIA's init, which is called NVRC-x86_64-unknown-linux-musl and the like. */
static bool links_to_nvrc(const struct tree *tree)
{
	int code;
	const struct kataimg_node *init = tree_resolve_link(tree, INIT_PATH, &code);

	return is_link(init) && strstr(init->target, "NVRC");
}

static bool has_systemd(const struct tree *tree)
{
	for (size_t i = 0; i < SYSTEMD_PATHS; i++)
		if (is_program(tree, systemd_paths[i]))
			return true;
	return false;
}

static int check_systemd(const struct tree *tree, const struct rootfs_rules *rules,
			 struct error *error)
{
	if (has_systemd(tree) || links_to_nvrc(tree))
		return 0;
	return error_set(
		error, ENOENT,
		"the root filesystem has no systemd (%s, %s): install it, or, when " INIT_PATH
		" is %s itself, say [rootfs] agent-init = yes" BUILD_ANYWAY,
		systemd_paths[0], systemd_paths[1], rules->agent);
}

/* 1: same bytes; 0: not. */
static int same_content(const struct tree *tree, const struct kataimg_node *a,
			const struct kataimg_node *b, struct error *error)
{
	autofree char *buffer = malloc(2 * COMPARE_BYTES);
	int ret = 0;

	if (a == b)
		return 1;
	if (a->size != b->size)
		return 0;
	if (!buffer)
		return error_nomem(error);
	for (uint64_t off = 0; off < a->size; off += COMPARE_BYTES) {
		size_t len =
			a->size - off < COMPARE_BYTES ? (size_t)(a->size - off) : COMPARE_BYTES;

		ret = tree_read(tree, a, off, buffer, len, error);
		if (ret == 0)
			ret = tree_read(tree, b, off, buffer + COMPARE_BYTES, len, error);
		if (ret < 0)
			return ret;
		if (memcmp(buffer, buffer + COMPARE_BYTES, len) != 0)
			return 0;
	}
	return 1;
}

static int check_not_systemd(const struct tree *tree, const struct kataimg_node *init,
			     struct error *error)
{
	for (size_t i = 0; i < SYSTEMD_PATHS; i++) {
		int code;
		const struct kataimg_node *systemd = tree_resolve(tree, systemd_paths[i], &code);
		int same = systemd && systemd->type == KATAIMG_REG
				   ? same_content(tree, init, systemd, error)
				   : 0;

		if (same < 0)
			return same;
		if (same)
			return error_set(error, EINVAL,
					 "[rootfs] agent-init = yes, but " INIT_PATH
					 " is systemd: make it the agent, or say agent-init = "
					 "no" BUILD_ANYWAY);
	}
	return 0;
}

/* Where the agent lay before does not matter: Kata's own rootfs.sh moves it to /sbin/init. */
static int check_agent_init(const struct tree *tree, struct error *error)
{
	int code;
	const struct kataimg_node *init = tree_resolve(tree, INIT_PATH, &code);

	if (!is_executable(init))
		return error_set(error, ENOENT,
				 "[rootfs] agent-init = yes, but " INIT_PATH
				 " leads to no executable file: make it the agent" BUILD_ANYWAY);
	return check_not_systemd(tree, init, error);
}

/* Kernels start nothing else of an initrd; they would go on to mount a root= that there is not. */
static int check_initrd(const struct tree *tree, const struct rootfs_rules *rules,
			struct error *error)
{
	if (rules->init_link && !is_program(tree, rules->init_link))
		return error_set(
			error, ENOENT,
			"the tree has neither an executable " INITRD_INIT_PATH
			" nor an executable %s, which [rootfs] init-link names: install an "
			"init system, or the agent under that name" BUILD_ANYWAY,
			rules->init_link);
	if (is_program(tree, INITRD_INIT_PATH))
		return 0;
	return error_set(
		error, ENOENT,
		"the tree has no executable " INITRD_INIT_PATH
		", which is all that a kernel starts of an initrd: add it, or let [rootfs] "
		"init-link = /sbin/init make a link" BUILD_ANYWAY);
}

int rootfs_check(const struct tree *tree, const struct rootfs_rules *rules, struct error *error)
{
	if (rules->initrd)
		return check_initrd(tree, rules, error);
	if (!is_program(tree, INIT_PATH))
		return error_set(error, ENOENT,
				 "the root filesystem has no executable " INIT_PATH
				 ": install an init system, or the agent under that "
				 "name" BUILD_ANYWAY);
	return rules->agent_init ? check_agent_init(tree, error)
				 : check_systemd(tree, rules, error);
}

static int add_machine_id(struct tree *tree, struct tree_node *etc, struct error *error)
{
	struct tree_edit *edit autocall(cleanup_tree_edit_free) = tree_edit_new(tree);
	struct tree_node *node = tree_add_node(tree, KATAIMG_REG);
	static const char name[] = "machine-id";

	if (!edit || !node || tree_edit_put(edit, etc, name, strlen(name), node) < 0)
		return error_nomem(error);
	node->pub.mode = 0444;
	node->pub.mtime_sec = etc->pub.mtime_sec;
	node->pub.mtime_nsec = etc->pub.mtime_nsec;
	return tree_edit_finish(edit, error);
}

int rootfs_add_machine_id(struct tree *tree, bool *added, struct error *error)
{
	int code;
	const struct kataimg_node *etc = tree_resolve(tree, "/etc", &code);

	*added = etc && etc->type == KATAIMG_DIR &&
		 !tree_find_entry(etc, "machine-id", strlen("machine-id"));
	return *added ? add_machine_id(tree, tree_node(etc), error) : 0;
}

int rootfs_add_init_link(struct tree *tree, const char *target, bool *added, struct error *error)
{
	struct tree_edit *edit autocall(cleanup_tree_edit_free) = tree_edit_new(tree);
	struct tree_node *root = tree_node(tree_public(tree)->nodes[0]), *node;
	const char *name = &INITRD_INIT_PATH[1];

	*added = !tree_find_entry(&root->pub, name, strlen(name));
	if (!*added)
		return 0;
	node = tree_add_node(tree, KATAIMG_LNK);
	if (!edit || !node || tree_set_target(tree, node, target, strlen(target)) < 0 ||
	    tree_edit_put(edit, root, name, strlen(name), node) < 0)
		return error_nomem(error);
	node->pub.mode = 0777;
	node->pub.mtime_sec = root->pub.mtime_sec;
	node->pub.mtime_nsec = root->pub.mtime_nsec;
	return tree_edit_finish(edit, error);
}

static int note_agent(const struct tree *tree, const struct rootfs_rules *rules,
		      struct error *error)
{
	autofree char *path = NULL;

	if (asprintf(&path, "/usr/bin/%s", rules->agent) < 0) {
		path = NULL;
		return error_nomem(error);
	}
	if (!is_program(tree, path))
		log_info("there is no executable %s: the guest's init has no agent to start "
			 "([rootfs] agent names it)",
			 path);
	return 0;
}

/* What systemd takes for a machine that starts for the first time, as it does an empty file. */
static int is_uninitialized(const struct tree *tree, const struct kataimg_node *node,
			    struct error *error)
{
	static const char word[] = "uninitialized";
	char text[sizeof(word)] = "";
	size_t len = strlen(word);
	int ret;

	if (node->size != len && node->size != len + 1)
		return 0;
	ret = tree_read(tree, node, 0, text, (size_t)node->size, error);
	if (ret < 0)
		return ret;
	return memcmp(text, word, len) == 0 && (node->size == len || text[len] == '\n');
}

static int warn_of_machine_id(const struct tree *tree, struct error *error)
{
	int code, ret;
	const struct kataimg_node *id = tree_resolve(tree, "/etc/machine-id", &code);

	if (!id || id->type != KATAIMG_REG || id->size == 0)
		return 0;
	ret = is_uninitialized(tree, id, error);
	if (ret == 0)
		log_warning("/etc/machine-id is not empty: all guests are the same machine");
	return ret < 0 ? ret : 0;
}

int rootfs_remark(const struct tree *tree, const struct rootfs_rules *rules, struct error *error)
{
	const struct kataimg_node *root = tree_public(tree)->nodes[0];

	if (root->uid != 0)
		log_warning("/ belongs to %" PRIu32 ":%" PRIu32
			    ", not to root: [tree] all-root = yes gives everything to root",
			    root->uid, root->gid);
	if (rules && !rules->agent_init && note_agent(tree, rules, error) < 0)
		return -error->code;
	return warn_of_machine_id(tree, error);
}
