/* SPDX-License-Identifier: Apache-2.0 */
/* The same tree gives the same bytes, whatever else happens at the same time. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check/check.h"
#include "check/support/must.h"
#include "core/base/io.h"
#include "lib/libc.h"

#define CHUNK_BYTES 65536

/* len bytes of both files; why is what it means when they differ. */
static int compare_files(int one, int other, uint64_t len, const char *occasion, const char *why)
{
	static uint8_t a[CHUNK_BYTES], b[CHUNK_BYTES];

	for (uint64_t off = 0; off < len; off += CHUNK_BYTES) {
		size_t chunk = len - off < CHUNK_BYTES ? (size_t)(len - off) : CHUNK_BYTES;

		must(io_pread(one, a, chunk, off) == 0 && io_pread(other, b, chunk, off) == 0);
		if (memcmp(a, b, chunk) != 0)
			return check_fail("%s: %s within 64 KiB of byte %" PRIu64, occasion, why,
					  off);
	}
	return 0;
}

static int compare_windows(const struct trial *one, const struct trial *other, const char *occasion)
{
	const struct host_range a = trial_window(one), b = trial_window(other);

	if (a.len_bytes != b.len_bytes)
		return check_fail("%s: the plans differ: %" PRIu64 " and %" PRIu64 " bytes",
				  occasion, a.len_bytes, b.len_bytes);
	return compare_files(a.fd, b.fd, a.len_bytes, occasion, "the filesystems differ");
}

/* Both runs' windows must be alike; frees the hosts. */
static int compare(struct trial *one, struct trial *other, const char *occasion)
{
	int ret = one && other ? compare_windows(one, other, occasion) : 1;

	trial_free(one);
	trial_free(other);
	return ret;
}

struct elsewhere {
	const struct trial_setup *setup;
	const char *path;
};

static int build_there(const void *arg)
{
	const struct elsewhere *elsewhere = arg;
	struct trial *trial autocall(cleanup_trial_free) = NULL;

	check_shift_clock(400 * 86400 + 12345);
	trial = check_run(elsewhere->setup, "same-bytes, another time and process");
	if (trial)
		trial_save(trial, elsewhere->path);
	return trial == NULL;
}

/* Runs the setup in another process at another time, and saves its window. */
static int build_elsewhere(const struct trial_setup *setup, const char *path)
{
	const struct elsewhere elsewhere = { setup, path };
	int status;

	if (check_in_child("same-bytes", build_there, &elsewhere, &status))
		return 1;
	return status == 0 ? 0 : check_fail("same-bytes: the build in another process failed");
}

static int compare_file(const struct trial *trial, int fd)
{
	const struct host_range window = trial_window(trial);
	off_t end = lseek(fd, 0, SEEK_END);

	must(end >= 0);
	if ((uint64_t)end != window.len_bytes)
		return check_fail("same-bytes: the plans of two processes differ");
	return compare_files(window.fd, fd, window.len_bytes, "same-bytes",
			     "another process at another time (it may not look at a clock or a "
			     "process's number) writes something else");
}

static int compare_elsewhere(const struct trial_setup *setup)
{
	int fd autoclose = memfd_create("elsewhere", MFD_CLOEXEC);
	struct trial *trial autocall(cleanup_trial_free) = NULL;
	char path[32];

	if (fd < 0)
		return check_fail("same-bytes: cannot make a memory file: %s", strerror(errno));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (build_elsewhere(setup, path))
		return 1;
	trial = check_run(setup, "same-bytes");
	return trial ? compare_file(trial, fd) : 1;
}

int check_same_bytes(const struct subject *subject)
{
	struct memtree *again autocall(cleanup_memtree_free) = check_sample_tree(subject, NULL);
	const struct trial_setup second = check_setup(subject, again);
	int ret = compare(check_run(&subject->sample, "same-bytes"),
			  check_run(&second, "same-bytes"), "same-bytes");

	return ret == 0 ? compare_elsewhere(&subject->sample) : ret;
}

int check_again(const struct subject *subject)
{
	struct trial_setup setup = subject->sample;

	setup.again = true;
	return check_builds(&setup, "again");
}

struct instance {
	struct trial_setup setup;
	struct trial *trial;
};

static void *run_instance(void *arg)
{
	struct instance *instance = arg;

	instance->trial = check_run(&instance->setup, "two-at-once");
	return NULL;
}

/* Two trees, so that state shared between instances would show. */
int check_two_at_once(const struct subject *subject)
{
	struct memtree *other autocall(cleanup_memtree_free) = check_sample_tree(subject, NULL);
	struct memtree *empty autocall(cleanup_memtree_free) = check_empty_root(subject);
	struct instance first = { check_setup(subject, other), NULL };
	struct instance second = { check_setup(subject, empty), NULL };
	pthread_t thread;
	int ret = pthread_create(&thread, NULL, run_instance, &first);

	if (ret != 0)
		return check_fail("two-at-once: cannot start a thread: %s", errno_text(ret));
	for (int i = 0; i < 10; i++) {
		run_instance(&second);
		trial_free(second.trial);
	}
	pthread_join(thread, NULL);
	return compare(first.trial, check_run(&subject->sample, "two-at-once"), "two-at-once");
}

int check_threads(const struct subject *subject)
{
	struct trial_setup serial = subject->sample, other = serial;
	struct kataimg_job one = subject->job, four = one;
	int ret;

	one.threads = 1;
	four.threads = 4;
	serial.job = &one;
	other.job = &four;
	ret = compare(check_run(&serial, "threads"), check_run(&other, "threads"), "threads");
	other.job = &one;
	other.backwards = true;
	return ret |
	       compare(check_run(&serial, "threads"), check_run(&other, "threads"), "threads");
}
