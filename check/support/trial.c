/* SPDX-License-Identifier: Apache-2.0 */
/* The build of a trial. */
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check/support/must.h"
#include "check/support/trial_private.h"
#include "core/backend/info.h"
#include "core/backend/negotiate.h"
#include "core/config/options.h"

const struct kataimg_backend *trial_load_backend(void)
{
	const char *path = getenv("KATAIMG_TEST_BACKEND");
	void *module = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	const struct kataimg_backend *backend;

	if (!module) {
		fprintf(stderr, "KATAIMG_TEST_BACKEND: %s\n", path ? dlerror() : "not set");
		abort();
	}
	backend = dlsym(module, KATAIMG_BACKEND_SYMBOL);
	must(backend && backend->struct_size == sizeof(*backend));
	return backend;
}

struct kataimg_job trial_default_job(void)
{
	struct kataimg_job job = {
		.struct_size = sizeof(job),
		.required = KATAIMG_JOB_DAX,
		.window_offset = 3 << 20,
		.hugepage_bytes = 2 << 20,
		.build_time = MEMTREE_MTIME,
		.threads = 1,
		.sector_bytes = 512,
	};

	memset(job.seed, 0x5a, sizeof(job.seed));
	return job;
}

static int set_options(struct config *config, const char *section, const char *const *texts,
		       struct error *error)
{
	int ret = config_init(config, error);

	for (; ret == 0 && texts && *texts; texts++) {
		const char *equals = strchr(*texts, '=');
		autofree char *name = equals ? strndup(*texts, (size_t)(equals - *texts)) : NULL;

		if (!equals)
			ret = error_usage(error, "'%s' is not NAME=VALUE", *texts);
		else if (!name)
			ret = error_nomem(error);
		else
			ret = config_set(config, section, name, equals + 1, *texts, error);
	}
	return ret;
}

struct kataimg_value *trial_read_options(const struct kataimg_backend *backend,
					 const char *const *texts, struct config *config,
					 struct error *error)
{
	struct kataimg_value *values = NULL;

	if (set_options(config, backend->name, texts, error) < 0 ||
	    options_parse(config, backend, &values, error) < 0)
		return NULL;
	return values;
}

struct trial *trial_new(const struct trial_setup *setup)
{
	struct trial *trial = must_calloc(1, sizeof(*trial));

	trial->setup = *setup;
	trial->job = setup->job ? *setup->job : trial_default_job();
	trial->backend.table = *setup->backend;
	trial->window_fd = -1;
	trial->stage = "none";
	meddler_init(&trial->meddler);
	trial->meddler.backwards = setup->backwards;
	return trial;
}

void trial_free(struct trial *trial)
{
	if (!trial)
		return;
	copy_free(trial->copy);
	host_free(trial->host);
	meddler_release(&trial->meddler);
	free(trial->values);
	config_free(&trial->config);
	if (trial->window_fd >= 0)
		close(trial->window_fd);
	error_clear(&trial->error);
	free(trial);
}

void trial_fail(struct trial *trial, enum trial_service service, uint64_t nth, int code)
{
	trial->meddler.fault_service = service;
	trial->meddler.fault_at = nth;
	trial->meddler.fault_code = code;
}

void trial_cancel_after(struct trial *trial, uint64_t calls)
{
	trial->meddler.cancel_after = calls;
}

/* ---- The build ---- */

/* The setup's values, or those that its texts give; a test whose texts are wrong ends here. */
static const struct kataimg_value *read_options(struct trial *trial)
{
	const struct trial_setup *setup = &trial->setup;

	if (setup->values)
		return setup->values;
	trial->values =
		trial_read_options(setup->backend, setup->options, &trial->config, &trial->error);
	if (!trial->values)
		fprintf(stderr, "%s\n", trial_error(trial));
	must(trial->values);
	return trial->values;
}

static int open_scratch(void *arg)
{
	int fd = memfd_create("scratch", MFD_CLOEXEC);

	(void)arg;
	return fd < 0 ? -errno : fd;
}

static struct host *new_host(struct trial *trial)
{
	const struct host_setup setup = {
		.backend = trial->backend.table.name,
		.programs = trial->backend.table.programs,
		.tree = trial->setup.tree ? memtree_core(trial->setup.tree) : NULL,
		.seed = trial->job.seed,
		.threads = trial->job.threads,
		.scratch = open_scratch,
		.strict = true,
		.decorate = meddler_decorate,
		.decorate_arg = &trial->meddler,
	};
	struct host *host = host_new(&setup);

	must(host);
	return host;
}

struct session *trial_open(struct trial *trial)
{
	const struct kataimg_value *values = read_options(trial);
	struct session *session;

	trial->host = new_host(trial);
	trial->stage = "open";
	return session_open(&trial->backend, trial->host, &trial->job, values, &session,
			    &trial->error) < 0
		       ? NULL
		       : session;
}

static int check_tree(struct trial *trial, struct session *session)
{
	uint64_t dropped;
	int ret;

	trial->stage = "limits";
	ret = session_limits(session, &trial->limits, &trial->error);
	if (ret < 0)
		return ret;
	trial->stage = "check";
	return negotiate_tree(session, memtree_core(trial->setup.tree), NULL, &dropped,
			      &trial->error);
}

static int plan(struct trial *trial, struct session *session, const struct kataimg_tree *tree)
{
	const struct trial_setup *setup = &trial->setup;
	int ret;

	trial->stage = "plan";
	ret = session_plan(session, tree, &trial->plan, &trial->error);
	if (ret < 0)
		return ret;
	trial->window_bytes = (setup->window_bytes ? setup->window_bytes : trial->plan.bytes) +
			      setup->extra_bytes;
	trial->stage = "describe";
	return session_describe(session, trial->window_bytes, &trial->described, &trial->error);
}

struct host_range trial_window(const struct trial *trial)
{
	return (struct host_range){ trial->window_fd, 0, trial->window_bytes };
}

static int make_window(struct trial *trial, uint64_t bytes)
{
	trial->window_bytes = bytes;
	trial->window_fd = memfd_create("window", MFD_CLOEXEC);
	if (trial->window_fd < 0 || ftruncate(trial->window_fd, (off_t)bytes) < 0)
		return error_errno(&trial->error, errno,
				   "cannot make a window of %" PRIu64 " bytes", bytes);
	return 0;
}

static int fill_window(struct trial *trial, struct session *session,
		       const struct kataimg_tree *tree)
{
	const struct copy_options options = { .threads = trial->job.threads };
	struct copy_stats stats;
	struct host_range window;
	int ret;

	trial->stage = "write";
	ret = make_window(trial, trial->window_bytes);
	if (ret < 0)
		return ret;
	window = trial_window(trial);
	trial->copy = copy_new(memtree_core(trial->setup.tree));
	must(trial->copy);
	host_set_window(trial->host, HOST_WRITE_WINDOW, &window, trial->copy);
	ret = session_write(session, tree, trial->window_bytes, &trial->error);
	return ret < 0 ? ret
		       : copy_run(trial->copy, trial->window_fd, &options, &stats, &trial->error);
}

/* Writes a second time, and compares all that the backend wrote, inline content too, and what it
 * placed. */
static int write_again(struct trial *trial, struct session *session,
		       const struct kataimg_tree *tree)
{
	struct copy *again autocall(cleanup_copy_free) = copy_new_again(trial->copy);
	const struct host_range window = trial_window(trial);
	int ret;

	trial->stage = "write again";
	must(again && host_begin_compare(trial->host, &window, again, true) == 0);
	ret = session_write(session, tree, trial->window_bytes, &trial->error);
	if (ret == 0)
		ret = host_end_compare(trial->host, &trial->error);
	return ret < 0 ? ret : copy_check_same(again, &trial->error);
}

static void corrupt(struct trial *trial)
{
	const struct trial_setup *setup = &trial->setup;

	if (setup->corrupt)
		trial_overwrite(trial, setup->corrupt_off, setup->corrupt, setup->corrupt_len);
	if (setup->corrupt_all)
		must(ftruncate(trial->window_fd, 0) == 0 &&
		     ftruncate(trial->window_fd, (off_t)trial->window_bytes) == 0);
}

static int build(struct trial *trial, struct session *session)
{
	const struct kataimg_tree *tree = memtree_finish(trial->setup.tree);
	int ret = check_tree(trial, session);
	struct host_range window;

	if (ret == 0)
		ret = plan(trial, session, tree);
	if (ret < 0 || trial->setup.plan_only)
		return ret;
	ret = fill_window(trial, session, tree);
	if (ret == 0 && trial->setup.again &&
	    trial->backend.table.capabilities & KATAIMG_CAP_WRITE_AGAIN)
		ret = write_again(trial, session, tree);
	if (ret < 0)
		return ret;
	corrupt(trial);
	trial->stage = "verify";
	window = trial_window(trial);
	host_set_window(trial->host, HOST_READ_WINDOW, &window, NULL);
	return session_verify(session, trial->window_bytes, &trial->error);
}

static int probe(struct trial *trial)
{
	const struct host_range window = trial_window(trial);
	int ret;

	trial->stage = "probe";
	ret = host_probe(trial->host, &trial->backend, &window, &trial->probed, &trial->error);
	if (ret < 0 || trial->setup.corrupt || trial->setup.corrupt_all)
		return ret;
	return info_compare(trial->backend.table.name, &trial->described, &trial->probed,
			    &trial->error);
}

int trial_run(struct trial *trial)
{
	struct session *session = trial_open(trial);
	int ret;

	if (!session)
		return -trial->error.code;
	ret = build(trial, session);
	session_close(session);
	if (ret == 0 && !trial->setup.plan_only)
		ret = probe(trial);
	return ret == 0 && host_violation(trial->host) ? -EPROTO : ret;
}

/* ---- Runs of a special kind ---- */

int trial_probe_bytes(const struct kataimg_backend *backend, const void *bytes, uint64_t len,
		      struct kataimg_fs_info *info)
{
	struct trial *trial =
		trial_new(&(struct trial_setup){ .backend = backend, .corrupt_all = true });
	int ret;

	must(make_window(trial, len) == 0);
	trial_overwrite(trial, 0, bytes, len);
	trial->host = new_host(trial);
	ret = probe(trial);
	*info = trial->probed;
	trial_free(trial);
	return ret;
}

static void sweep_one(const struct trial_setup *setup, enum trial_service service, int code,
		      uint64_t nth)
{
	struct trial *trial = trial_new(setup);
	int ret;

	trial_fail(trial, service, nth, code);
	ret = trial_run(trial);
	if (ret != -code) {
		fprintf(stderr,
			"call %" PRIu64 " of service %d failed with %d in %s, the run returned %d\n"
			"error: %s\n",
			nth, service, -code, trial_stage(trial), ret, trial_error(trial));
		abort();
	}
	trial_free(trial);
}

void trial_sweep(const struct trial_setup *setup, enum trial_service service, int code,
		 uint64_t tries)
{
	struct trial *clean = trial_new(setup);
	uint64_t calls;

	must(trial_run(clean) == 0);
	calls = clean->meddler.calls[service];
	trial_free(clean);
	must(calls > 0); /* else the sweep would prove nothing */
	if (tries > calls)
		tries = calls;
	for (uint64_t i = 0; i < tries; i++)
		sweep_one(setup, service, code, 1 + i * calls / tries);
}
