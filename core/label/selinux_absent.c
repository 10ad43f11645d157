/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of selinux.c where kataimg is built without libselinux. */
#include "core/label/selinux.h"

int selinux_label_tree(struct tree *tree, const char *file_contexts, uint64_t *labelled,
		       struct error *error)
{
	(void)tree, (void)file_contexts, (void)labelled;
	return error_usage(error, "[selinux] file-contexts: this kataimg was built without "
				  "libselinux: build it with -Dselinux=enabled");
}

int selinux_confine(const char *file_contexts, struct confine *confine, struct error *error)
{
	(void)file_contexts, (void)confine, (void)error;
	return 0;
}
