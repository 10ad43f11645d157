/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/probe.h"

#include <errno.h>
#include <stdio.h>

#include "core/backend/session.h"
#include "core/reader/reader.h"

struct question {
	struct host_range window;
	struct kataimg_fs_info *info;
	char *name; /* INSPECT_BACKEND_NAME_BYTES */
	struct error *error;
	int answer;
};

static int ask_backend(void *arg, const struct backend *backend)
{
	struct question *question = arg;
	struct kataimg_fs_info info; /* of whoever knows it: the next one asked leaves another */
	int answer = backend_probe(backend, &question->window, &info, question->error);

	if (answer == -ENODATA)
		return 0;
	*question->info = info;
	question->answer = answer;
	snprintf(question->name, INSPECT_BACKEND_NAME_BYTES, "%s", backend->table.name);
	return answer == 0;
}

static int ask_backends(void *arg, int fd, uint64_t off, uint64_t len, struct kataimg_fs_info *info,
			char name[INSPECT_BACKEND_NAME_BYTES], struct error *error)
{
	const struct backend_search *search = arg;
	struct question question = {
		.window = { .fd = fd, .offset_bytes = off, .len_bytes = len },
		.info = info,
		.name = name,
		.error = error,
		.answer = -ENODATA,
	};
	int ret = backend_for_each(search, ask_backend, &question);

	return ret < 0 ? error_errno(error, -ret, "cannot ask the backends") : question.answer;
}

static int read_by_backend(void *arg, int fd, uint64_t off, uint64_t len, const char *name,
			   char **sentence, struct error *error)
{
	struct backend *backend autocall(cleanup_backend_free) = NULL;
	const struct reader_options options = { .threads = 1, .links = sentence };
	const struct host_range window = { fd, off, len };
	struct tree *tree = NULL;
	int ret = backend_load(arg, name, &backend, error);

	if (ret == -ENOMEM)
		return ret;
	if (ret < 0)
		return -EOPNOTSUPP; /* which is no fault of the filesystem's */
	if (!reader_can(backend))
		return 0;
	ret = reader_read(backend, &window, &options, &tree, error);
	tree_free(tree);
	return ret;
}

/* One that could not be loaded was not asked either; what is wrong with it has been said. */
static int has_backend(void *arg, const char *name)
{
	struct backend *backend autocall(cleanup_backend_free) = NULL;
	autoerror struct error error = ERROR_INIT;
	int ret = backend_load(arg, name, &backend, &error);

	return ret == -ENOMEM ? ret : ret == 0;
}

struct inspect_probe inspect_probe_backends(const struct backend_search *search)
{
	return (struct inspect_probe){ .probe = ask_backends,
				       .read = read_by_backend,
				       .has = has_backend,
				       .arg = (void *)(uintptr_t)search };
}
