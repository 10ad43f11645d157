/* SPDX-License-Identifier: Apache-2.0 */
#include "core/reader/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "core/backend/guard.h"
#include "core/base/cancel.h"
#include "core/reader/judge.h"
#include "core/reader/maketree.h"
#include "core/reader/sink.h"

#define PATH_BYTES 4096u

bool reader_can(const struct backend *backend)
{
	return backend->table.read;
}

static void found_release(struct found *found)
{
	array_free(&found->inodes);
	array_free(&found->entries);
	array_free(&found->ranges);
	array_free(&found->xattrs);
	tree_free(found->tree);
	pthread_mutex_destroy(&found->lock);
}

/* What was reported is no tree, or memory is out. */
static int disbelieve(const struct backend *backend, struct error *error)
{
	return error->code == EUCLEAN ? error_prefix(error, "%s: the filesystem contradicts itself",
						     backend->table.name)
				      : -error->code;
}

static int ask(const struct backend *backend, struct host *host, struct found *found,
	       struct decoder *decoder, struct error *error)
{
	struct kataimg_sink_ctx sink;
	int ret;

	sink_init(&sink, found);
	guard_enter(backend->table.name, "read");
	ret = backend->table.read(host_services(host), found->window_bytes, &sink.services,
				  decoder_state(decoder));
	guard_leave();
	if (ret == 0)
		decoder_begin(decoder);
	if (sink_take_error(&sink, error) < 0)
		return disbelieve(backend, error);
	if (ret != 0 || host_has_error(host))
		return host_take_error(host, ret, "read", error);
	return cancel_check(error); /* what was refused since is not in the tree */
}

/* By the path, which the finished tree has. */
static int tell_odd_links(const struct found *found, char **links, struct error *error)
{
	const struct found_odd_links *odd = &found->odd_links;
	char path[PATH_BYTES], others[64] = "";

	if (!links || odd->count == 0)
		return 0;
	tree_path(&odd->node->pub, path, sizeof(path));
	if (odd->count > 1)
		snprintf(others, sizeof(others), "; wrong ones in all: %" PRIu64, odd->count);
	if (asprintf(links, "inode %" PRIu64 " (%s) says that it has %u link%s, and has %u%s",
		     odd->id, path, odd->said, odd->said > 1 ? "s" : "", odd->is, others) >= 0)
		return 0;
	*links = NULL;
	return error_nomem(error);
}

/* Everything is read through a descriptor of the tree's own. */
static int read_found(const struct backend *backend, const struct host_range *window,
		      const struct reader_options *options, struct found *found,
		      struct error *error)
{
	const struct host_setup setup = { .backend = backend->table.name,
					  .programs = backend->table.programs,
					  .threads = options->threads,
					  .progress = options->progress,
					  .progress_arg = options->progress_arg };
	struct decoder *decoder autocall(cleanup_decoder_free) = NULL;
	autoclose int fd = fcntl(window->fd, F_DUPFD_CLOEXEC, 0);
	const struct host_range own = { fd, window->offset_bytes, window->len_bytes };
	struct host *host = host_new(&setup);
	int ret;

	if (fd < 0)
		return error_errno(error, errno, "cannot read the image");
	decoder = host ? decoder_new(backend, host) : NULL;
	if (!decoder || !found->tree)
		return error_nomem(error);
	host_set_window(host, HOST_READ_WINDOW, &own, NULL);
	ret = ask(backend, host, found, decoder, error);
	if (ret < 0)
		return ret;
	if (judge_found(found, error) < 0 ||
	    maketree(found, steal_fd(&fd), window->offset_bytes, steal_ptr(&decoder), error) < 0)
		return disbelieve(backend, error);
	return tell_odd_links(found, options->links, error);
}

int reader_read(const struct backend *backend, const struct host_range *window,
		const struct reader_options *options, struct tree **tree, struct error *error)
{
	struct found found = { .window_bytes = window->len_bytes };
	int ret;

	if (!reader_can(backend))
		return error_set(error, EOPNOTSUPP, "the backend %s cannot read images",
				 backend->table.name);
	pthread_mutex_init(&found.lock, NULL);
	found.tree = tree_new_implied();
	ret = read_found(backend, window, options, &found, error);
	if (ret == 0)
		*tree = steal_ptr(&found.tree);
	found_release(&found);
	return ret;
}
