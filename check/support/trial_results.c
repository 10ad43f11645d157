/* SPDX-License-Identifier: Apache-2.0 */
/* What a test reads off a trial. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "check/support/must.h"
#include "check/support/trial_private.h"
#include "core/base/io.h"

const char *trial_stage(const struct trial *trial)
{
	return trial->stage;
}

const char *trial_error(const struct trial *trial)
{
	return trial->error.code ? error_sentence(&trial->error) : "";
}

const char *trial_violation(const struct trial *trial)
{
	const char *violation = trial->host ? host_violation(trial->host) : NULL;

	return violation ? violation : "";
}

const char *trial_log(const struct trial *trial)
{
	return trial->meddler.log ? trial->meddler.log : "";
}

const char *trial_fact(const struct trial *trial, const char *key)
{
	size_t count;
	const struct host_fact *facts = host_facts(trial->host, &count);

	while (count-- > 0)
		if (strcmp(facts[count].key, key) == 0)
			return facts[count].value;
	return NULL;
}

const struct kataimg_plan *trial_plan(const struct trial *trial)
{
	return &trial->plan;
}

const struct kataimg_limits *trial_limits(const struct trial *trial)
{
	return &trial->limits;
}

const struct kataimg_fs_info *trial_described(const struct trial *trial)
{
	return &trial->described;
}

const struct kataimg_fs_info *trial_probed(const struct trial *trial)
{
	return &trial->probed;
}

const struct backend *trial_backend(const struct trial *trial)
{
	return &trial->backend;
}

uint64_t trial_calls(const struct trial *trial, enum trial_service service)
{
	return trial->meddler.calls[service];
}

bool trial_is_used(const struct trial *trial, uint64_t off, uint64_t len)
{
	struct copy_claim claim;

	return copy_next_claim(trial->copy, off, &claim) && claim.image_off < off + len;
}

bool trial_is_written(const struct trial *trial, uint64_t off)
{
	struct copy_claim claim;

	return copy_next_claim(trial->copy, off, &claim) && claim.image_off <= off &&
	       !claim.is_data;
}

uint64_t trial_window_bytes(const struct trial *trial)
{
	return trial->window_bytes;
}

void trial_read(const struct trial *trial, uint64_t off, void *buf, size_t len)
{
	must(io_pread(trial->window_fd, buf, len, off) == 0);
}

void trial_overwrite(struct trial *trial, uint64_t off, const void *buf, size_t len)
{
	must(io_pwrite(trial->window_fd, buf, len, off) == 0);
}

static void save_data(const struct trial *trial, int to, off_t off, off_t end)
{
	uint8_t buf[65536];

	while (off < end) {
		size_t rest = (size_t)(end - off), len = rest < sizeof(buf) ? rest : sizeof(buf);

		trial_read(trial, (uint64_t)off, buf, len);
		must(io_pwrite(to, buf, len, (uint64_t)off) == 0);
		off += (off_t)len;
	}
}

void trial_save(const struct trial *trial, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	off_t data, hole = 0;

	must(fd >= 0);
	must(ftruncate(fd, (off_t)trial->window_bytes) == 0);
	while ((data = lseek(trial->window_fd, hole, SEEK_DATA)) >= 0) {
		hole = lseek(trial->window_fd, data, SEEK_HOLE);
		must(hole > data);
		save_data(trial, fd, data, hole);
	}
	must(errno == ENXIO);
	must(close(fd) == 0);
}

uint64_t trial_place_count(const struct trial *trial)
{
	return trial->meddler.places.count;
}

const struct trial_place *trial_place_at(const struct trial *trial, uint64_t index)
{
	must(index < trial->meddler.places.count);
	return &trial->meddler.places.items[index];
}
