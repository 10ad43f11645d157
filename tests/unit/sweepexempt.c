/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sweepexempt.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "tests/support/faultcalls.h"

static bool is_in(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (name && strstr(name, names[i]))
			return true;
	return false;
}

/*
 * These libraries, and functions of others, end the program when some of their own allocations
 * fail, by assertions, abort(), or through NULL, or lose what they could not copy.
 */
bool sweep_is_exempt(const void *caller)
{
	static const char *const libraries[] = { "libarchive.so", "libext2fs.so", "libselinux.so",
						 "libpcre2", "ld-linux" };
	static const char *const functions[] = { "json_tokener_parse_ex",
						 "OSSL_LIB_CTX_get0_global_default",
						 "ZSTD_compressStream",
						 "archive_write_add_filter_zstd" };
	void *frames[CALLERS_MAX];
	int depth = callers_list(frames, caller);
	bool is_inner = true; /* no frame yet of a library but libc */
	Dl_info info;

	for (int at = 0; at < depth; at++) {
		if (!dladdr(frames[at], &info))
			continue;
		if (is_inner && is_in(info.dli_fname, libraries, COUNT_OF(libraries)))
			return true;
		is_inner = is_inner && strstr(info.dli_fname, "libc.so");
		if (is_in(info.dli_sname, functions, COUNT_OF(functions)))
			return true;
	}
	return false;
}
