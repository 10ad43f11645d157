/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks share: loading, trees, runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "core/backend/guard.h"
#include "core/backend/loader.h"
#include "lib/acl.h"
#include "lib/libc.h"

const struct kataimg_backend *check_load(const char *path)
{
	struct backend_search *search autocall(cleanup_backend_search_free) =
		backend_search_new(NULL, 0);
	autofree char *with_slash = NULL;
	static struct backend *backend;
	autoerror struct error error = ERROR_INIT;
	int ret;

	if (!search || asprintf(&with_slash, "%s%s", strchr(path, '/') ? "" : "./", path) < 0)
		ret = error_nomem(&error);
	else
		ret = backend_load(search, with_slash, &backend, &error);
	if (ret < 0) {
		check_fail("%s", error_sentence(&error));
		return NULL;
	}
	/* The core's handlers of crashes are there before anybody looks whose signals change. */
	guard_enter(backend->table.name, "load");
	guard_leave();
	return &backend->table;
}

struct kataimg_value *check_read_options(const struct kataimg_backend *backend,
					 const char *const *texts, struct config *config)
{
	autoerror struct error error = ERROR_INIT;
	struct kataimg_value *values = trial_read_options(backend, texts, config, &error);

	if (!values)
		check_fail("%s", error_sentence(&error));
	return values;
}

struct kataimg_job check_job(const struct kataimg_backend *backend)
{
	struct kataimg_job job = trial_default_job();

	job.required &= backend->job_features;
	if (backend->capabilities & KATAIMG_CAP_NO_DISK) {
		job.required |= KATAIMG_JOB_NO_DISK;
		job.window_offset = job.hugepage_bytes = 0;
	}
	return job;
}

struct trial_setup check_setup(const struct subject *subject, struct memtree *tree)
{
	return (struct trial_setup){ .backend = subject->backend,
				     .tree = tree,
				     .job = &subject->job,
				     .values = subject->values };
}

const char *check_errno(int ret)
{
	const char *text = errno_text(-ret);

	return text ? text : "not an error number";
}

/* Says why a run did not go as it should. */
static int complain(const struct trial *trial, const char *occasion, int ret)
{
	return check_fail("%s: %s returned %d (%s): %s", occasion, trial_stage(trial), ret,
			  check_errno(ret), trial_error(trial));
}

struct trial *check_run(const struct trial_setup *setup, const char *occasion)
{
	struct trial *trial autocall(cleanup_trial_free) = trial_new(setup);
	int ret = trial_run(trial);

	if (ret == 0)
		return steal_ptr(&trial);
	complain(trial, occasion, ret);
	return NULL;
}

int check_builds(const struct trial_setup *setup, const char *occasion)
{
	struct trial *trial autocall(cleanup_trial_free) = check_run(setup, occasion);

	return trial == NULL;
}

int check_refused(const struct trial_setup *setup, const char *occasion, const char *stages,
		  const char *accepted)
{
	struct trial *trial autocall(cleanup_trial_free) = trial_new(setup);
	int result = trial_run(trial);

	if (result == 0)
		return check_fail("%s: %s", occasion, accepted);
	if (*trial_violation(trial) || !strstr(stages, trial_stage(trial)))
		return complain(trial, occasion, result);
	return 0;
}

static void add_types(struct kataimg_node *dir, uint64_t can)
{
	if (can & KATAIMG_CAP_SYMLINKS) {
		memtree_add_symlink(dir, "link", "file");
		memtree_add_symlink(dir, "dangling",
				    "a/path/that/is/longer/than/any/inline/form/would/be/and/"
				    "leads/nowhere/at/all");
	}
	if (can & KATAIMG_CAP_DEVICES) {
		memtree_add_device(dir, "char", KATAIMG_CHR, 1, 3);
		memtree_add_device(dir, "block", KATAIMG_BLK, 259, 300);
	}
	if (can & KATAIMG_CAP_FIFOS)
		memtree_add_special(dir, "fifo", KATAIMG_FIFO);
	if (can & KATAIMG_CAP_SOCKETS)
		memtree_add_special(dir, "socket", KATAIMG_SOCK);
}

/* As getxattr(2) gives it: the file's own user rw, user 1000 r, group r, mask r, others none. */
static const uint8_t acl[] = {
	2,    0, 0, 0,                         /* version */
	0x01, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, /* user */
	0x02, 0, 4, 0, 0xe8, 0x03, 0,    0,    /* user 1000 */
	0x04, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* group */
	0x10, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* mask */
	0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, /* others */
};

static void add_files(struct kataimg_node *dir, uint64_t can)
{
	static const uint64_t sizes[] = { 1, 4095, 4096, 4097, 65536, 2097152, 5000000 };
	struct kataimg_node *file = memtree_add_file(dir, "file", "content\n", 8);
	char name[32];

	memtree_add_file(dir, "empty", "", 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(name, sizeof(name), "size%zu", i);
		memtree_add_pattern(dir, name, sizes[i], i);
	}
	file->uid = 1000;
	file->gid = 1001;
	if (can & KATAIMG_CAP_HARDLINKS)
		memtree_add_link(dir, "second-name", file);
	if (can & KATAIMG_CAP_NANOSECONDS)
		file->mtime_nsec = 999999999;
	if (can & KATAIMG_CAP_SPARSE) {
		struct kataimg_node *sparse = memtree_add_pattern(dir, "sparse", 1 << 20, 99);

		memtree_punch_hole(sparse, 65536, 131072);
		memtree_punch_hole(sparse, (1 << 20) - 65536, 65536);
	}
	if (can & KATAIMG_CAP_XATTRS) {
		memtree_set_xattr(file, "user.name", "value", 5);
		memtree_set_xattr(file, "security.selinux", "system_u:object_r:bin_t:s0", 27);
		memtree_set_xattr(dir, "user.empty", "", 0);
	}
	if (can & KATAIMG_CAP_ACLS)
		memtree_set_xattr(file, ACL_ACCESS_NAME, acl, sizeof(acl));
}

struct memtree *check_empty_root(const struct subject *subject)
{
	struct memtree *tree = memtree_new();

	check_fit(subject, tree, NULL);
	return tree;
}

struct memtree *check_sample_tree(const struct subject *subject, const char *occasion)
{
	uint64_t can = subject->backend->capabilities;
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree), *many;
	char name[32];

	add_files(memtree_add_dir(root, "files"), can);
	add_types(memtree_add_dir(root, "types"), can);
	memtree_add_dir(memtree_add_dir(memtree_add_dir(root, "a"), "b"), "c")->mode = 01777;
	many = memtree_add_dir(root, "many");
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "entry-%03d-\xff", i);
		memtree_add_file(many, name, name, (size_t)(i % 12))->mode = 0640;
	}
	check_fit(subject, tree, occasion);
	return tree;
}
