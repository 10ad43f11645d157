/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The services that a backend is given (struct kataimg_host), over the tree, the image and the copy
 * engine. The only module that sees both sides.
 */
#ifndef BACKEND_HOST_H
#define BACKEND_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/copy/copy.h"
#include "core/tree/tree.h"
#include "kataimg/backend.h"
#include "lib/cleanup.h"

struct host;

struct host_setup {
	const char *backend;         /* its name, which stands before all that it says */
	const char *const *programs; /* its table's */
	const struct tree *tree;     /* NULL in probe: no source_read, no place */
	const uint8_t *seed;         /* DIGEST_BYTES; NULL in probe */
	unsigned int threads;        /* at least 1 */
	int (*scratch)(void *arg);   /* opens an unnamed file, or -errno; NULL: no scratch */
	void *scratch_arg;
	/* Makes the error of kind ERROR_USAGE that the backend's refusal of an option is, or keeps
	 * it for later and leaves error as it is. NULL: the message alone is the error. */
	void (*refuse_option)(void *arg, uint64_t index, const char *why, struct error *error);
	void *refuse_arg;
	void (*progress)(void *arg, uint64_t done, uint64_t total); /* may be NULL */
	void *progress_arg;
	bool strict; /* what is against the contract is an error: backend/strict.h */
	/* Round the services, below the strict ones: for tests. NULL: nothing. */
	const struct kataimg_host *(*decorate)(void *arg, const struct kataimg_host *services);
	void *decorate_arg;
};

struct host *host_new(const struct host_setup *setup); /* NULL when memory is out */
void host_free(struct host *host);
DEFINE_CLEANUP(struct host, host_free)

const struct kataimg_host *host_services(struct host *host);

/* What the window services do. At first there is no window. */
enum host_window { HOST_NO_WINDOW, HOST_WRITE_WINDOW, HOST_COMPARE_WINDOW, HOST_READ_WINDOW };

struct host_range {
	int fd;
	uint64_t offset_bytes, len_bytes;
};

/* copy records what is written and placed; only for HOST_WRITE_WINDOW. */
void host_set_window(struct host *host, enum host_window mode, const struct host_range *range,
		     struct copy *copy);

/* A callback is about to be called, from this thread. */
void host_enter(struct host *host, const char *callback);
/* A callback ended with the code. A strict host judges it, and write with the tree. */
void host_leave(struct host *host, int code, const struct kataimg_tree *written);
/* Against the contract, found by the caller of callbacks; lost where the host is not strict. */
void host_note(struct host *host, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The first thing that was against the contract; NULL. */
const char *host_violation(const struct host *host);

/*
 * From here on write compares with the finished window, whose bytes stay as they are; log, fact and
 * progress are mute. again records what is placed, as at the first time. Without with_content,
 * bytes that the backend has from source_read_inline do not count. -ENOMEM.
 */
int host_begin_compare(struct host *host, const struct host_range *range, struct copy *again,
		       bool with_content);
/* The first byte of metadata, at or behind from, that the image has not as it was written; in bytes
 * of the image. */
bool host_next_difference(const struct host *host, uint64_t from, uint64_t *image_off);
/* -EUCLEAN, with the place, where the window has not what was written, or anything elsewhere. */
int host_end_compare(struct host *host, struct error *error);

/*
 * Turns a callback's result into an error: the backend's own message, or one for it. code is what
 * the callback returned, 0 after an error that it should have passed on; what names the callback.
 * Returns a negative code.
 */
int host_take_error(struct host *host, int code, const char *what, struct error *error);
/* Has the backend, or a service that it called, reported an error that was not taken yet? */
bool host_has_error(const struct host *host);

/* What the backend reported by fact, in order. */
struct host_fact {
	char *key, *value;
};
const struct host_fact *host_facts(const struct host *host, size_t *count);

#endif
