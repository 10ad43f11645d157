/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: read-NAME SECONDS SEED IMAGE...: damages the images where such a filesystem has numbers,
 * in memory, and reads them. What comes of it is of no matter, as long as something comes: dead or
 * hanging, the seed of the last line says how.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/reader/reader.h"
#include "tests/fuzz/damaged.h"

#define HANG_SECONDS 30
#define READ_BYTES 4096u

struct image {
	uint8_t *bytes;
	size_t len;
};

static uint64_t random_state;

uint64_t damaged_random(uint64_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (random_state >> 33) % below;
}

static struct image load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct image image = { 0 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		perror(path);
		exit(2);
	}
	image.len = (size_t)st.st_size;
	image.bytes = malloc(image.len);
	if (!image.bytes || read(fd, image.bytes, image.len) != st.st_size)
		exit(2);
	close(fd);
	return image;
}

static void damage(uint8_t *bytes, size_t len)
{
	static const uint32_t values[] = { 0,     1,      2,          0xff,       0x7ff,
					   0x800, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff };
	uint64_t at = damaged_choose(bytes, len), width = 1u << damaged_random(3);
	uint32_t value = values[damaged_random(sizeof(values) / sizeof(values[0]))];

	if (at + width > len)
		return;
	switch (damaged_random(3)) {
	case 0:
		bytes[at] ^= (uint8_t)(1u << damaged_random(8));
		break;
	case 1:
		memcpy(bytes + at, &value, width);
		break;
	default: /* what has its form, from elsewhere */
		memmove(bytes + at, bytes + damaged_random(len - width) / width * width, width);
	}
}

/* The first and last bytes of each file. */
static void read_files(const struct tree *tree)
{
	const struct kataimg_tree *nodes = tree_public(tree);
	static char bytes[READ_BYTES];

	for (uint64_t i = 0; i < nodes->node_count; i++) {
		const struct kataimg_node *node = nodes->nodes[i];
		size_t len = node->size < sizeof(bytes) ? (size_t)node->size : sizeof(bytes);
		autoerror struct error error = ERROR_INIT;

		if (node->type != KATAIMG_REG)
			continue;
		if (tree_read(tree, node, 0, bytes, len, &error) == 0)
			tree_read(tree, node, node->size - len, bytes, len, &error);
	}
}

static bool read_image(int fd, size_t len)
{
	const struct reader_options options = { .threads = 1 };
	const struct host_range window = { fd, 0, len };
	autoerror struct error error = ERROR_INIT;
	struct tree *tree = NULL;
	struct backend backend;

	memset(&backend, 0, sizeof(backend));
	memcpy(&backend.table, &kataimg_backend, sizeof(kataimg_backend));
	if (reader_read(&backend, &window, &options, &tree, &error) < 0)
		return false;
	read_files(tree);
	tree_free(tree);
	return true;
}

static bool try_seed(const struct image *image, uint64_t seed)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	uint8_t *bytes;
	bool sound;

	random_state = seed;
	if (fd < 0 || ftruncate(fd, (off_t)image->len) < 0)
		exit(2);
	bytes = mmap(NULL, image->len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		exit(2);
	memcpy(bytes, image->bytes, image->len);
	for (uint64_t i = damaged_random(6) + (seed != 0); i > 0 && seed; i--)
		damage(bytes, image->len);
	damaged_seal(bytes, image->len);
	alarm(HANG_SECONDS);
	sound = read_image(fd, image->len);
	munmap(bytes, image->len);
	close(fd);
	return sound;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 3 ? atoi(argv[1]) : 0);
	uint64_t seed = argc > 3 ? strtoull(argv[2], NULL, 10) : 0, tried = 0, sound = 0;

	log_set_level(LOG_ERROR);
	if (argc < 4)
		return 2;
	for (int i = 3; i < argc; i++) {
		struct image image = load(argv[i]);

		if (!try_seed(&image, 0)) {
			fprintf(stderr, "%s: cannot be read undamaged\n", argv[i]);
			return 1;
		}
		free(image.bytes);
	}
	for (; time(NULL) < end; seed++) {
		struct image image = load(argv[3 + seed % (uint64_t)(argc - 3)]);

		for (int i = 0; i < 64 && time(NULL) < end; i++, tried++) {
			uint64_t own = seed * 64 + (uint64_t)i + 1;

			if (tried % 64 == 0)
				fprintf(stderr, "\r%s: %llu", argv[3 + seed % (uint64_t)(argc - 3)],
					(unsigned long long)own);
			sound += try_seed(&image, own);
		}
		free(image.bytes);
	}
	fprintf(stderr, "\n%llu tried, %llu could be read\n", (unsigned long long)tried,
		(unsigned long long)sound);
	return 0;
}
