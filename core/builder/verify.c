/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/backend/info.h"
#include "core/builder/private.h"
#include "core/inspect/inspect.h"

/* What the finished filesystem says of itself must be what describe said before it was written. */
static int compare_info(const struct build *build, const struct kataimg_fs_info *found,
			struct error *error)
{
	return info_compare(build->backend->table.name, &build->info, found, error) < 0
		       ? error_prefix(error, "verification failed")
		       : 0;
}

/* A build asks the one backend that it used, which must know its own. */
static int probe(void *arg, int fd, uint64_t off, uint64_t len, struct kataimg_fs_info *found,
		 char backend[INSPECT_BACKEND_NAME_BYTES], struct error *error)
{
	const struct build *build = arg;
	const struct host_range window = { fd, off, len };
	int ret = backend_probe(build->backend, &window, found, error);

	if (ret == -ENODATA)
		return error_set(error, EPROTO,
				 "verification failed: %s does not recognise its own filesystem",
				 build->backend->table.name);
	snprintf(backend, INSPECT_BACKEND_NAME_BYTES, "%s", build->backend->table.name);
	return ret < 0 ? ret : compare_info(build, found, error);
}

int build_verify_filesystem(struct build *build, struct error *error)
{
	const struct host_range window = build_window(build);
	int ret;

	if (build->config->image.verify == CONFIG_VERIFY_NONE)
		return 0;
	progress_stage(build->progress, "verify");
	ret = build_compare(build, error);
	if (ret < 0)
		return ret;
	host_set_window(build->host, HOST_READ_WINDOW, &window, NULL);
	return session_verify(build->session, window.len_bytes, error);
}

int build_verify_image(struct build *build, struct error *error)
{
	const struct inspect_probe asking = { .probe = probe, .arg = build };

	progress_stage(build->progress, "inspect");
	return inspect_check(build->image_fd, &build->geometry, &asking, error);
}
