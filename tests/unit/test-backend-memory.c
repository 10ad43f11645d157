/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each allocation of a backend fails in turn: while it builds a sample and verifies it, and while
 * it reads it back. This program's malloc looks at who asks, and lets only the module's own calls
 * fail.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/reader/reader.h"
#include "core/tree/tree.h"
#include "tests/support/runs.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static uintptr_t module_start, module_end;
static unsigned long asked, fails_at;

static bool fails(const void *caller)
{
	uintptr_t from = (uintptr_t)caller;

	if (from < module_start || from >= module_end ||
	    __atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED) != fails_at)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

static int find_end(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	if (info->dlpi_addr != module_start)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD)
			module_end = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr +
				     info->dlpi_phdr[i].p_memsz;
	return 1;
}

static const struct kataimg_backend *load(void)
{
	const struct kataimg_backend *backend = trial_load_backend();
	Dl_info info;

	assert_int_not_equal(dladdr(backend, &info), 0);
	module_start = (uintptr_t)info.dli_fbase;
	assert_int_equal(dl_iterate_phdr(find_end, NULL), 1);
	return backend;
}

static void arm(unsigned long at)
{
	asked = 0;
	fails_at = at;
}

/* Did the run come to the allocation that was to fail? */
static bool disarm(void)
{
	bool met = asked >= fails_at;

	fails_at = 0;
	return met;
}

/* All that there is, or, for backends that cannot store it, little. */
static struct memtree *make_tree(const struct kataimg_backend *backend)
{
	struct memtree *tree;
	struct kataimg_node *dir;

	if (backend->capabilities & KATAIMG_CAP_SPARSE)
		return memtree_new_sample();
	tree = memtree_new();
	dir = memtree_add_dir(memtree_root(tree), "dir");
	memtree_add_pattern(dir, "file", 20000, 1);
	memtree_add_symlink(dir, "link", "file");
	return tree;
}

static struct trial_setup setup_of(const struct kataimg_backend *backend, struct memtree *tree,
				   const char *const *options)
{
	return (struct trial_setup){
		.backend = backend, .tree = tree, .options = options, .again = true
	};
}

static void sweep_build(const char *const *options)
{
	const struct kataimg_backend *backend = load();
	bool met = true;

	for (unsigned long at = 1; met; at++) {
		struct memtree *tree = make_tree(backend);
		struct trial_setup setup = setup_of(backend, tree, options);
		struct trial *trial = trial_new(&setup);
		int ret;

		arm(at);
		ret = trial_run(trial);
		met = disarm();
		if (ret != (met ? -ENOMEM : 0))
			fail_msg("allocation %lu: %s returned %d: %s", at, trial_stage(trial), ret,
				 trial_error(trial));
		trial_free(trial);
		memtree_free(tree);
	}
}

static int read_all(struct tree *tree, struct error *error)
{
	const struct kataimg_tree *pub = tree_public(tree);
	char bytes[4096];
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < pub->node_count; i++)
		if (pub->nodes[i]->type == KATAIMG_REG && pub->nodes[i]->size >= sizeof(bytes))
			ret = tree_read(tree, pub->nodes[i], 0, bytes, sizeof(bytes), error);
	return ret;
}

static void sweep_read(const char *const *options)
{
	const struct kataimg_backend *backend = load();
	const struct reader_options reading = { .threads = 1 };
	struct memtree *made = make_tree(backend);
	struct trial_setup setup = setup_of(backend, made, options);
	struct trial *trial = run_ok(&setup);
	const struct host_range window = trial_window(trial);
	bool met = backend->read != NULL;

	for (unsigned long at = 1; met; at++) {
		autoerror struct error error = ERROR_INIT;
		struct tree *tree = NULL;
		int ret;

		arm(at);
		ret = reader_read(trial_backend(trial), &window, &reading, &tree, &error);
		if (ret == 0)
			ret = read_all(tree, &error);
		met = disarm();
		if (ret != (met ? -ENOMEM : 0))
			fail_msg("allocation %lu: %d: %s", at, ret,
				 error.message ? error.message : "");
		tree_free(tree);
	}
	trial_free(trial);
	memtree_free(made);
}

static const char *const *options_at(int index)
{
	static const char *const plain[] = { NULL };
	static const char *const packed[] = { "data=packed", NULL };
	static const char *const tails[] = { "compress=lz4", "fragments=tails", NULL };
	static const char *const dedupe[] = { "compress=lz4hc", "tail=inline", NULL };
	static const char *const *const all[] = { plain, packed, tails, dedupe };

	if (index > 0 && strcmp(load()->name, "erofs") != 0)
		return NULL;
	return index < (int)(sizeof(all) / sizeof(all[0])) ? all[index] : NULL;
}

static void builds(void **state)
{
	(void)state;
	for (int i = 0; options_at(i); i++)
		sweep_build(options_at(i));
}

static void reads(void **state)
{
	(void)state;
	for (int i = 0; options_at(i); i++)
		sweep_read(options_at(i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds),
		cmocka_unit_test(reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
