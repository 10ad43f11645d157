/* SPDX-License-Identifier: Apache-2.0 */
/* Where backends are looked for: in the program itself (builtin.h), --backend-dir,
 * KATAIMG_BACKEND_PATH, the directory that the build has set; in this order. */
#ifndef BACKEND_SEARCH_H
#define BACKEND_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "core/confine/confine.h"
#include "lib/cleanup.h"

struct backend_search;

/* extra_dirs: those of --backend-dir, may be NULL. NULL when memory is out. */
struct backend_search *backend_search_new(const char *const *extra_dirs, size_t extra_count);
void backend_search_free(struct backend_search *search);
DEFINE_CLEANUP(struct backend_search, backend_search_free)

/* [a-z0-9][a-z0-9-]{0,31} */
bool backend_name_valid(const char *name, size_t len);

/* *path: of kataimg-NAME-backend.so, or BUILTIN_PATH; to be freed; NULL when there is none. One
 * that is there and cannot be reached is found. -ENOMEM. */
int backend_search_find(const struct backend_search *search, const char *name, char **path);

/* *name: the NAME of a path that ends in kataimg-NAME-backend.so, to be freed; NULL when it does
 * not. -ENOMEM. */
int backend_name_of_path(const char *path, char **name);

/* Every backend's name in the search path, sorted, each once: NULL-terminated; free with
 * backend_names_free. A directory that does not exist, or that may not be read, has none; -errno
 * when one cannot be read for another reason. */
int backend_search_names(const struct backend_search *search, char ***names);
void backend_names_free(char **names);
DEFINE_CLEANUP(char *, backend_names_free)

/* Allows reading of all that is in these directories. */
int backend_search_confine(const struct backend_search *search, struct confine *confine,
			   struct error *error);

/* Where they are looked for, the directories joined by ", "; to be freed; NULL when memory is out.
 */
char *backend_search_describe(const struct backend_search *search);

#endif
