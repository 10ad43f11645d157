/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each place of a backend, and of the libraries under it, that asks for memory gets none, once:
 * while it builds its samples and verifies them, and while it reads them back. This program's
 * malloc looks at who asks, and lets the core have all it wants.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/backendsweep.h"
#include "tests/support/callers.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

struct range {
	uintptr_t start, end;
};

static struct range module, program;
static struct sweep sweep = { .code = ENOMEM, .text = "out of memory" };
static bool watching;

static bool is_in(const struct range *range, const void *address)
{
	return (uintptr_t)address >= range->start && (uintptr_t)address < range->end;
}

/* libext2fs ends the program when there is no memory (docs/testing.md); qsort, and a cache of
 * libcrypto, do without. */
static bool is_excused(const void *caller)
{
	static const char *const libraries[] = { "/libext2fs.", "/libc.", "/libcrypto.",
						 "/libzstd." };
	Dl_info info;

	if (!dladdr(caller, &info))
		return false;
	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
		if (strstr(info.dli_fname, libraries[i]))
			return true;
	return false;
}

/* How many frames lie before the first of the module, which may call through libraries, but not
 * through this program, which is the core; -1: the module has not called. */
static int find_module(void *const *frames, int count)
{
	for (int i = 0; i < count && !is_in(&program, frames[i]); i++)
		if (is_in(&module, frames[i]))
			return i;
	return -1;
}

static bool fails(void *caller)
{
	void *frames[CALLERS_MAX];
	int count, first;

	if (!watching || is_in(&program, caller))
		return false;
	count = callers_list(frames, caller);
	first = find_module(frames, count);
	if (first < 0 || is_excused(caller) ||
	    !places_ask(&sweep.places, callers_sum(frames + first, count - first)))
		return false;
	errno = ENOMEM;
	return true;
}

/* The module finds these before those of the C library, as long as they are exported. */
KATAIMG_EXPORT void *malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

KATAIMG_EXPORT void *calloc(size_t count, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

/* To give room back is not to ask for some. */
KATAIMG_EXPORT void *realloc(void *old, size_t size)
{
	bool asks = !old || size > malloc_usable_size(old);

	return asks && fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

/* The C library's own would be a call from within it, which its realloc does not always hear of. */
KATAIMG_EXPORT void *reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, bytes);
}

static int find_end(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct range *range = arg;

	(void)size;
	if (info->dlpi_addr != range->start)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD)
			range->end = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr +
				     info->dlpi_phdr[i].p_memsz;
	return 1;
}

static struct range range_of(const void *address)
{
	struct range range;
	Dl_info info;

	assert_int_not_equal(dladdr(address, &info), 0);
	range.start = (uintptr_t)info.dli_fbase;
	assert_int_equal(dl_iterate_phdr(find_end, &range), 1);
	return range;
}

static int load(void **state)
{
	(void)state;
	sweep.backend = trial_load_backend();
	module = range_of(sweep.backend);
	program = range_of(&sweep);
	callers_begin();
	watching = true;
	return 0;
}

static void builds(void **state)
{
	(void)state;
	assert_int_not_equal(sweep_builds(&sweep), 0);
}

static void reads(void **state)
{
	(void)state;
	sweep_reads(&sweep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds),
		cmocka_unit_test(reads),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
