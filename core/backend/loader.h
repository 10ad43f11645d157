/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds a backend, checks its table and loads it. A loaded backend stays loaded until the process
 * ends.
 */
#ifndef BACKEND_LOADER_H
#define BACKEND_LOADER_H

#include "core/backend/search.h"
#include "core/base/error.h"
#include "kataimg/backend.h"
#include "lib/cleanup.h"

struct backend {
	char *path; /* BUILTIN_PATH: it is in the program */
	/*
	 * A copy of the backend's table in the shape of this program's header: members that the
	 * backend does not know are zero; options are this program's struct kataimg_option,
	 * whatever size the backend's have.
	 */
	struct kataimg_backend table;
};

/*
 * value: a NAME, looked up in the search path, or a path with a '/'. Errors (kind ERROR_USAGE),
 * which need not have the name: no such backend, with a guess, or where it was looked for and which
 * exist; one that others may change, which backend/trust.h tells; not a backend; another ABI
 * version; a truncated table; a missing callback; another name than the file's.
 */
int backend_load(const struct backend_search *search, const char *value, struct backend **backend,
		 struct error *error);
void backend_free(struct backend *backend);
DEFINE_CLEANUP(struct backend, backend_free)

/* Calls fn with each backend of the search path, by name, until it returns another value than 0,
 * and returns that; a bad one is logged as a warning and skipped. -errno: their names, or memory,
 * could not be had. */
int backend_for_each(const struct backend_search *search,
		     int (*fn)(void *arg, const struct backend *backend), void *arg);

/*
 * Loads all backends of the search path, as a confined process can load no library, and allows what
 * finding and judging them again takes. A bad one is a warning when it is asked for.
 */
int backend_confine(const struct backend_search *search, struct confine *confine,
		    struct error *error);

/* Checks a table as loaded from file (for messages), and copies it into *copy, whose options are to
 * be freed. */
int backend_check_table(const struct kataimg_backend *table, const char *file,
			const char *expected_name, struct kataimg_backend *copy,
			struct error *error);

#endif
