/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline of a build over a fake host, and what a test reads off it afterwards. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "tests/support/fakehost.h"
#include "tests/support/fakeoptions.h"
#include "tests/support/fakestate.h"
#include "tests/support/must.h"

#define CANARY 0xa5
#define PLAN_BYTES_MAX (UINT64_C(1) << 50)

const struct kataimg_backend *fakehost_load_backend(void)
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

struct kataimg_job fakehost_default_job(void)
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

struct fakehost *fakehost_new(const struct fakehost_setup *setup)
{
	struct fakehost *host = must_calloc(1, sizeof(*host));

	host->setup = *setup;
	host->job = setup->job ? *setup->job : fakehost_default_job();
	host->services = fakehost_service_table;
	host->services.ctx = (struct kataimg_host_ctx *)host;
	host->window_fd = -1;
	host->ranges = ranges_new();
	must(host->ranges);
	host->cancel_after = UINT64_MAX;
	host->strict = strict_new(&host->services);
	must(host->strict);
	pthread_mutex_init(&host->lock, NULL);
	return host;
}

static void free_facts(struct fakehost *host)
{
	while (host->facts) {
		struct fakefact *fact = host->facts;

		host->facts = fact->next;
		free(fact->key);
		free(fact->value);
		free(fact);
	}
}

void fakehost_free(struct fakehost *host)
{
	if (!host)
		return;
	fakehost_free_scratches(host);
	free_facts(host);
	ranges_free(host->ranges);
	free(host->values);
	config_free(&host->config);
	if (host->window_fd >= 0)
		close(host->window_fd);
	pthread_mutex_destroy(&host->lock);
	free(host->places);
	free(host->error);
	strict_free(host->strict);
	free(host->log);
	free(host);
}

void fakehost_fail(struct fakehost *host, enum fakehost_service service, uint64_t nth, int code)
{
	host->fault_service = service;
	host->fault_at = nth;
	host->fault_code = code;
}

void fakehost_cancel_after(struct fakehost *host, uint64_t calls)
{
	host->cancel_after = calls;
}

/* ---- Stages ---- */

static void check_canary(struct fakehost *host, const uint8_t *canary, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (canary[i] != CANARY)
			strict_note(host->strict, "%s wrote behind the structure it was given",
				    fakestage_name(host->stage));
}

void fakehost_preset_limits(struct kataimg_limits *limits)
{
	memset(limits, 0xff, sizeof(*limits));
	limits->struct_size = sizeof(*limits);
	limits->mtime_min = INT64_MIN;
	limits->mtime_max = INT64_MAX;
}

static int stage_limits(struct fakehost *host)
{
	struct kataimg_limits *limits = &host->results.limits;

	fakehost_preset_limits(limits);
	if (!host->setup.backend->limits)
		return 0;
	fakehost_enter_stage(host, FAKESTAGE_LIMITS);
	return host->setup.backend->limits(host->backend_state, limits);
}

static int check_node(struct fakehost *host, const struct kataimg_node *node)
{
	char reason[128 + FAKE_CANARY_BYTES], path[256];
	int ret;

	memset(reason, CANARY, sizeof(reason));
	reason[0] = '\0';
	ret = host->setup.backend->check(host->backend_state, node, reason, 128);
	check_canary(host, (uint8_t *)reason + 128, FAKE_CANARY_BYTES);
	if (ret <= 0)
		return ret;
	if (ret > KATAIMG_CHECK_MODE || reason[0] == '\0')
		strict_note(host->strict, "check returned %d with the reason \"%s\"", ret, reason);
	fakehost_say_error(host, "it refuses %s: %s", memtree_path(node, path, sizeof(path)),
			   reason);
	return -EFBIG;
}

static int stage_check(struct fakehost *host, const struct kataimg_tree *tree)
{
	int ret = 0;

	if (!host->setup.backend->check)
		return 0;
	fakehost_enter_stage(host, FAKESTAGE_CHECK);
	for (uint64_t i = 0; i < tree->node_count && ret == 0; i++)
		ret = check_node(host, tree->nodes[i]);
	return ret;
}

static int stage_plan(struct fakehost *host, const struct kataimg_tree *tree)
{
	struct kataimg_plan *plan = &host->results.plan;
	int ret;

	plan->struct_size = sizeof(*plan);
	fakehost_enter_stage(host, FAKESTAGE_PLAN);
	ret = host->setup.backend->plan(host->backend_state, tree, plan);
	if (ret < 0)
		return ret;
	if (plan->granularity == 0 || plan->granularity % 4096 || plan->bytes == 0 ||
	    plan->bytes % plan->granularity || plan->bytes > PLAN_BYTES_MAX) {
		strict_note(host->strict,
			    "plan says %" PRIu64 " bytes, granularity %" PRIu64
			    ": the granularity is a multiple of 4096, the bytes one of the "
			    "granularity, neither is 0, and no image is larger than 1 PiB",
			    plan->bytes, plan->granularity);
		return -EPROTO;
	}
	host->window_bytes = host->setup.window_bytes ? host->setup.window_bytes : plan->bytes;
	host->window_bytes += host->setup.extra_bytes;
	return 0;
}

static bool ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/* So that whoever prints them can rely on it. */
static int check_texts(struct fakehost *host, const struct kataimg_fs_info *info)
{
	if (ends(info->type, sizeof(info->type)) && ends(info->label, sizeof(info->label)) &&
	    ends(info->min_kernel, sizeof(info->min_kernel)) &&
	    ends(info->features, sizeof(info->features)))
		return 0;
	strict_note(host->strict, "%s left a text without a NUL at its end",
		    fakestage_name(host->stage));
	return -EPROTO;
}

static int stage_describe(struct fakehost *host)
{
	int ret;

	host->results.described.struct_size = sizeof(host->results.described);
	fakehost_enter_stage(host, FAKESTAGE_DESCRIBE);
	ret = host->setup.backend->describe(host->backend_state, host->window_bytes,
					    &host->results.described);
	return ret == 0 ? check_texts(host, &host->results.described) : ret;
}

static int stage_write(struct fakehost *host, const struct kataimg_tree *tree)
{
	int ret;

	fakehost_set_window(host, host->window_bytes);
	fakehost_enter_stage(host, FAKESTAGE_WRITE);
	ret = host->setup.backend->write(host->backend_state, tree, host->window_bytes);
	if (ret < 0)
		return ret;
	strict_judge_files(host->strict, tree);
	fakehost_copy(host);
	return ret;
}

static int stage_verify(struct fakehost *host)
{
	fakehost_enter_stage(host, FAKESTAGE_VERIFY);
	if (host->setup.corrupt)
		fakehost_overwrite(host, host->setup.corrupt_off, host->setup.corrupt,
				   host->setup.corrupt_len);
	if (host->setup.corrupt_all)
		must(ftruncate(host->window_fd, 0) == 0 &&
		     ftruncate(host->window_fd, (off_t)host->window_bytes) == 0);
	return host->setup.backend->verify(host->backend_state, host->window_bytes);
}

static bool same_info(const struct kataimg_fs_info *a, const struct kataimg_fs_info *b)
{
	return a->size_bytes == b->size_bytes && a->block_bytes == b->block_bytes &&
	       a->free_bytes == b->free_bytes && a->inodes == b->inodes &&
	       a->free_inodes == b->free_inodes && a->flags == b->flags &&
	       !memcmp(a->uuid, b->uuid, sizeof(a->uuid)) && !strcmp(a->type, b->type) &&
	       !strcmp(a->label, b->label) && !strcmp(a->min_kernel, b->min_kernel) &&
	       !strcmp(a->features, b->features);
}

static char *format_info(const struct kataimg_fs_info *info)
{
	char *text;

	must(asprintf(&text,
		      "%s size %" PRIu64 " block %" PRIu64 " free %" PRIu64 " inodes %" PRIu64
		      "/%" PRIu64 " label \"%s\" kernel \"%s\" features \"%s\"",
		      info->type, info->size_bytes, info->block_bytes, info->free_bytes,
		      info->free_inodes, info->inodes, info->label, info->min_kernel,
		      info->features) >= 0);
	return text;
}

static void compare_infos(struct fakehost *host)
{
	char *described = format_info(&host->results.described);
	char *probed = format_info(&host->results.probed);

	if (!same_info(&host->results.described, &host->results.probed))
		strict_note(host->strict, "describe and probe differ (or their UUIDs): %s; %s",
			    described, probed);
	free(described);
	free(probed);
}

static int stage_probe(struct fakehost *host)
{
	int ret;

	host->results.probed.struct_size = sizeof(host->results.probed);
	fakehost_enter_stage(host, FAKESTAGE_PROBE);
	ret = host->setup.backend->probe(strict_services(host->strict), host->window_bytes,
					 &host->results.probed);
	if (ret == 0)
		ret = check_texts(host, &host->results.probed);
	if (ret == 0 && !host->setup.corrupt && !host->setup.corrupt_all)
		compare_infos(host);
	return ret;
}

static int run_opened(struct fakehost *host, const struct kataimg_tree *tree)
{
	int ret = stage_limits(host);

	if (ret == 0)
		ret = stage_check(host, tree);
	if (ret == 0)
		ret = stage_plan(host, tree);
	if (ret == 0)
		ret = stage_describe(host);
	if (ret == 0 && !host->setup.plan_only)
		ret = stage_write(host, tree);
	if (ret == 0 && !host->setup.plan_only)
		ret = stage_verify(host);
	return ret;
}

static void judge(struct fakehost *host, int ret)
{
	struct fakeresults *results = &host->results;

	check_canary(host, results->after_limits, FAKE_CANARY_BYTES);
	check_canary(host, results->after_plan, FAKE_CANARY_BYTES);
	check_canary(host, results->after_described, FAKE_CANARY_BYTES);
	check_canary(host, results->after_probed, FAKE_CANARY_BYTES);
	if (ret > 0)
		strict_note(host->strict, "%s returned %d", fakestage_name(host->stage), ret);
	/* -ENODATA of probe is an answer. */
	if (ret < 0 && ret != -ECANCELED && ret != -ENOMEM && !host->error &&
	    !(host->stage == FAKESTAGE_PROBE && ret == -ENODATA))
		strict_note(host->strict, "%s returned %d (%s) without a message",
			    fakestage_name(host->stage), ret, strerror(-ret));
	if (ret == 0 && host->error)
		strict_note(host->strict, "success with the error message \"%s\"", host->error);
}

/* The setup's, or made of its texts, which a test gives right. */
static const struct kataimg_value *read_options(struct fakehost *host)
{
	autoerror struct error error = ERROR_INIT;

	if (host->setup.values)
		return host->setup.values;
	free(host->values);
	config_free(&host->config);
	host->values =
		fakeoptions_read(host->setup.backend, host->setup.options, &host->config, &error);
	if (!host->values)
		fprintf(stderr, "%s\n", error.message ? error.message : "out of memory");
	must(host->values);
	return host->values;
}

int fakehost_run(struct fakehost *host)
{
	const struct kataimg_backend *backend = host->setup.backend;
	const struct kataimg_tree *tree = memtree_finish(host->setup.tree);
	const struct kataimg_value *values = read_options(host);
	enum fakestage last;
	int ret;

	memset(&host->results, CANARY, sizeof(host->results));
	memset(&host->results.described, 0, sizeof(host->results.described));
	memset(&host->results.probed, 0, sizeof(host->results.probed));
	fakehost_enter_stage(host, FAKESTAGE_OPEN);
	ret = backend->open(strict_services(host->strict), &host->job, values,
			    &host->backend_state);
	if (ret == 0) {
		ret = run_opened(host, tree);
		last = host->stage;
		fakehost_enter_stage(host, FAKESTAGE_CLOSE);
		backend->close(host->backend_state);
		host->stage = last;
	}
	if (ret == 0 && !host->setup.plan_only)
		ret = stage_probe(host);
	judge(host, ret);
	fakehost_free_scratches(host);
	return strict_violation(host->strict) ? -EPROTO : ret;
}

/* ---- Results ---- */

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

const char *fakehost_stage(const struct fakehost *host)
{
	return fakestage_name(host->stage);
}

const char *fakehost_error(const struct fakehost *host)
{
	return text_or_empty(host->error);
}

const char *fakehost_violation(const struct fakehost *host)
{
	return text_or_empty(strict_violation(host->strict));
}

const char *fakehost_log(const struct fakehost *host)
{
	return text_or_empty(host->log);
}

const char *fakehost_fact(const struct fakehost *host, const char *key)
{
	for (const struct fakefact *fact = host->facts; fact; fact = fact->next)
		if (!strcmp(fact->key, key))
			return fact->value;
	return NULL;
}

const struct kataimg_plan *fakehost_plan(const struct fakehost *host)
{
	return &host->results.plan;
}

const struct kataimg_limits *fakehost_limits(const struct fakehost *host)
{
	return &host->results.limits;
}

const struct kataimg_fs_info *fakehost_described(const struct fakehost *host)
{
	return &host->results.described;
}

const struct kataimg_fs_info *fakehost_probed(const struct fakehost *host)
{
	return &host->results.probed;
}

uint64_t fakehost_calls(const struct fakehost *host, enum fakehost_service service)
{
	return host->calls[service];
}

bool fakehost_is_used(const struct fakehost *host, uint64_t off, uint64_t len)
{
	return ranges_touch_any(host->ranges, off, len);
}

uint64_t fakehost_window_bytes(const struct fakehost *host)
{
	return host->window_bytes;
}

void fakehost_read(const struct fakehost *host, uint64_t off, void *buf, size_t len)
{
	must(pread(host->window_fd, buf, len, (off_t)off) == (ssize_t)len);
}

void fakehost_overwrite(struct fakehost *host, uint64_t off, const void *buf, size_t len)
{
	must(pwrite(host->window_fd, buf, len, (off_t)off) == (ssize_t)len);
}

static void save_data(int from, int to, off_t off, off_t end)
{
	uint8_t buf[65536];

	while (off < end) {
		size_t rest = (size_t)(end - off);
		ssize_t got = pread(from, buf, rest < sizeof(buf) ? rest : sizeof(buf), off);

		must(got > 0 && pwrite(to, buf, (size_t)got, off) == got);
		off += got;
	}
}

void fakehost_save(const struct fakehost *host, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	off_t data, hole = 0;

	must(fd >= 0 && ftruncate(fd, (off_t)host->window_bytes) == 0);
	while ((data = lseek(host->window_fd, hole, SEEK_DATA)) >= 0) {
		hole = lseek(host->window_fd, data, SEEK_HOLE);
		save_data(host->window_fd, fd, data, hole);
	}
	must(errno == ENXIO && close(fd) == 0);
}

uint64_t fakehost_place_count(const struct fakehost *host)
{
	return host->place_count;
}

const struct fakehost_place *fakehost_place_at(const struct fakehost *host, uint64_t index)
{
	must(index < host->place_count);
	return &host->places[index];
}

const struct kataimg_host *fakehost_services(struct fakehost *host)
{
	return strict_services(host->strict);
}

/* ---- Runs of a special kind ---- */

int fakehost_probe_bytes(const struct kataimg_backend *backend, const void *bytes, uint64_t len,
			 struct kataimg_fs_info *info)
{
	struct fakehost *host = fakehost_new(&(struct fakehost_setup){ .backend = backend });
	int ret;

	fakehost_set_window(host, len);
	fakehost_overwrite(host, 0, bytes, len);
	fakehost_enter_stage(host, FAKESTAGE_PROBE);
	memset(info, 0, sizeof(*info));
	info->struct_size = sizeof(*info);
	ret = backend->probe(strict_services(host->strict), len, info);
	fakehost_free(host);
	return ret;
}

static void sweep_one(const struct fakehost_setup *setup, enum fakehost_service service, int code,
		      uint64_t nth)
{
	struct fakehost *host = fakehost_new(setup);
	int ret;

	fakehost_fail(host, service, nth, code);
	ret = fakehost_run(host);
	if (ret != -code) {
		fprintf(stderr,
			"call %" PRIu64 " of service %d failed with %d in %s, the run returned %d\n"
			"error: %s\nviolation: %s\n",
			nth, service, -code, fakehost_stage(host), ret, fakehost_error(host),
			fakehost_violation(host));
		abort();
	}
	fakehost_free(host);
}

void fakehost_sweep(const struct fakehost_setup *setup, enum fakehost_service service, int code,
		    uint64_t tries)
{
	struct fakehost *clean = fakehost_new(setup);
	uint64_t calls;

	must(fakehost_run(clean) == 0);
	calls = clean->calls[service];
	fakehost_free(clean);
	must(calls > 0); /* else the sweep would prove nothing */
	if (tries > calls)
		tries = calls;
	for (uint64_t i = 0; i < tries; i++)
		sweep_one(setup, service, code, 1 + i * calls / tries);
}
