/* SPDX-License-Identifier: Apache-2.0 */
/* Windows that nobody wrote, or that were damaged, are for the reading side to refuse. */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check/check.h"
#include "check/support/must.h"
#include "core/base/io.h"
#include "core/reader/reader.h"

#define MUTATIONS 400
#define NOISES 16
#define NOISE_BYTES ((size_t)1 << 20)
/* A window takes seconds at most; a reader that goes in circles takes for ever. */
#define SECONDS_MAX 300
/* As much as the judge may take for a window of 64 MiB, and those here are smaller. */
#define MEMORY_KIB_MAX (256 * 1024)

struct attack {
	const struct backend *backend;
	struct host_range window;
	uint32_t random;
};

static uint32_t next_random(struct attack *attack)
{
	attack->random = attack->random * 1664525 + 1013904223;
	return attack->random >> 8;
}

/* All bytes that a tree says it has, or the beginning and the end of them. */
static void read_contents(const struct tree *tree)
{
	const struct kataimg_tree *pub = tree_public(tree);
	static uint8_t buf[4096];

	for (uint64_t i = 0; i < pub->node_count; i++) {
		const struct kataimg_node *node = pub->nodes[i];

		for (uint32_t s = 0; s < node->segment_count; s++) {
			uint64_t off = node->segments[s].file_off, bytes = node->segments[s].len;
			size_t len = bytes < sizeof(buf) ? (size_t)bytes : sizeof(buf);
			autoerror struct error error = ERROR_INIT;

			if (tree_read(tree, node, off, buf, len, &error) == 0)
				tree_read(tree, node, off + bytes - len, buf, len, &error);
		}
	}
}

/* Probe and read may answer what they will, as long as they return. */
static void attack_once(const struct attack *attack)
{
	const struct reader_options options = { .threads = 2 };
	struct kataimg_fs_info info;
	autoerror struct error probed = ERROR_INIT, read = ERROR_INIT;
	struct tree *tree = NULL;

	alarm(SECONDS_MAX);
	backend_probe(attack->backend, &attack->window, &info, &probed);
	if (reader_read(attack->backend, &attack->window, &options, &tree, &read) == 0)
		read_contents(tree);
	tree_free(tree);
	alarm(0);
}

/* Chooses a byte of the window, mostly one that the backend itself wrote, which is metadata. */
static uint64_t choose_byte(struct attack *attack, const struct trial *trial)
{
	uint64_t off = 0;

	for (int tries = 0; tries < 1000; tries++) {
		off = (uint64_t)next_random(attack) * 256 + (next_random(attack) & 255);
		off %= attack->window.len_bytes;
		if (trial_is_written(trial, off))
			break;
	}
	return off;
}

/* Changes one to four bytes, has the window read, and puts the bytes back. */
static void mutate(struct attack *attack, const struct trial *trial)
{
	size_t count = 1 + next_random(attack) % 4;
	uint64_t offs[4];
	uint8_t old[4], new[4];

	for (size_t i = 0; i < count; i++) {
		offs[i] = choose_byte(attack, trial);
		must(io_pread(attack->window.fd, &old[i], 1, offs[i]) == 0);
		new[i] = next_random(attack) % 2
				 ? (uint8_t)next_random(attack)
				 : (uint8_t)(old[i] ^ 1u << next_random(attack) % 8);
	}
	for (size_t i = 0; i < count; i++)
		must(io_pwrite(attack->window.fd, &new[i], 1, offs[i]) == 0);
	attack_once(attack);
	for (size_t i = count; i-- > 0;)
		must(io_pwrite(attack->window.fd, &old[i], 1, offs[i]) == 0);
}

/* Has noise read that begins as a real window does, and real windows that are cut off. */
static void attack_with_noise(struct attack *attack)
{
	autofree uint8_t *noise = must_realloc(NULL, NOISE_BYTES);
	const struct host_range whole = attack->window;
	int fd autoclose = memfd_create("noise", MFD_CLOEXEC);

	must(fd >= 0);
	for (int i = 0; i < NOISES; i++) {
		size_t start = (size_t)next_random(attack) % 8 * 4096;

		if (start > whole.len_bytes)
			start = 0;
		for (size_t at = 0; at < NOISE_BYTES; at++)
			noise[at] = (uint8_t)next_random(attack);
		must(io_pread(whole.fd, noise, start, 0) == 0);
		must(io_pwrite(fd, noise, NOISE_BYTES, 0) == 0);
		attack->window = (struct host_range){ fd, 0, NOISE_BYTES >> i % 4 * 3 };
		attack_once(attack);
		attack->window = (struct host_range){ whole.fd, 0, whole.len_bytes / (1u << i) };
		attack_once(attack);
	}
	attack->window = whole;
}

static long memory_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

int check_hostile(const struct subject *subject)
{
	struct trial *trial autocall(cleanup_trial_free) = check_run(&subject->sample, "hostile");
	struct attack attack = { .random = 1 };
	long before = memory_kib(), grown;

	if (trial && subject->backend->read) {
		attack.backend = trial_backend(trial);
		attack.window = trial_window(trial);
		for (int i = 0; i < MUTATIONS; i++)
			mutate(&attack, trial);
		attack_with_noise(&attack);
	}
	grown = memory_kib() - before;
	if (trial && grown > MEMORY_KIB_MAX)
		return check_fail("hostile: a window took %ld MiB of memory to read", grown / 1024);
	return trial == NULL;
}
