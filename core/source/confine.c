/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "core/backend/loader.h"
#include "core/mtree/mtree.h"
#include "core/source/source.h"

int source_confine(const char *source, const struct backend_search *backends,
		   struct confine *confine, struct error *error)
{
	autofree char *path = source_path(source);
	struct stat st;
	int ret;

	if (!path)
		return error_nomem(error);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		confine->attributes = true;
		return confine_allow(confine, path, CONFINE_READ, error);
	}
	/* Whatever else it is, it may prove to be an image. */
	ret = backend_confine(backends, confine, error);
	if (ret < 0)
		return ret;
	return mtree_is(path) ? mtree_confine(path, confine, error)
			      : confine_allow(confine, path, CONFINE_READ, error);
}
