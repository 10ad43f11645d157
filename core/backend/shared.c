/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/shared.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/backend/trust.h"
#include "lib/cleanup.h"

const bool shared_supported = true;

/*
 * What is loaded stays loaded, and its descriptor open. The dynamic linker knows objects by their
 * path, /proc/self/fd/N here: another file under the same N would be taken for the first one.
 */
struct loaded {
	struct loaded *next;
	dev_t device;
	ino_t inode;
	void *handle;
};

static struct loaded *all_loaded;

static struct loaded *find_loaded(const struct stat *st)
{
	struct loaded *at = all_loaded;

	while (at && (at->device != st->st_dev || at->inode != st->st_ino))
		at = at->next;
	return at;
}

/* The linker's message without the path that it was given. code is errno as the linker left it: of
 * memory that ran out its messages have many words. */
static int fail_load(const char *path, const char *given, int code, struct error *error)
{
	const char *why = dlerror();
	size_t len = strlen(given);

	if (code == ENOMEM)
		return error_nomem(error);
	if (why && strncmp(why, given, len) == 0 && strncmp(why + len, ": ", 2) == 0)
		why += len + 2;
	return error_usage(error, "the backend %s cannot be loaded: %s", path,
			   why ? why : "no reason is given");
}

/* Loads by way of the descriptor, so that the file that was judged is the one that is loaded.
 * Without /proc its path is used, of which every directory was judged. Takes fd over. */
static int load(int fd, const char *path, const struct stat *st, struct error *error)
{
	struct loaded *loaded autocall(cleanup_free) = calloc(1, sizeof(*loaded));
	autoclose int mine = fd;
	char self[64];
	const char *name;

	if (!loaded)
		return error_nomem(error);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	name = access(self, F_OK) == 0 ? self : path;
	errno = 0;
	*loaded = (struct loaded){ all_loaded, st->st_dev, st->st_ino,
				   dlopen(name, RTLD_NOW | RTLD_LOCAL) };
	if (!loaded->handle)
		return fail_load(path, name, errno, error);
	all_loaded = steal_ptr(&loaded);
	steal_fd(&mine);
	return 0;
}

int shared_open(const char *given, const struct kataimg_backend **table, struct error *error)
{
	autofree char *path = NULL;
	autoclose int fd = trust_open(given, &path, error);
	struct stat st;
	int ret = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return error_errno(error, errno, "cannot open the backend %s", given);
	if (!find_loaded(&st))
		ret = load(steal_fd(&fd), path, &st, error);
	if (ret < 0)
		return ret;
	*table = dlsym(find_loaded(&st)->handle, KATAIMG_BACKEND_SYMBOL);
	if (!*table)
		return error_usage(error, "%s is not a backend: it exports no %s", given,
				   KATAIMG_BACKEND_SYMBOL);
	return 0;
}
