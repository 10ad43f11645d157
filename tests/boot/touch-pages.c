/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps a file at an address where huge pages are possible, reads one byte of every page, and prints
 * how many page faults that took. A guest's tool, linked statically.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES 4096u
#define HUGEPAGE_BYTES (UINT64_C(2) << 20)

static long count_faults(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) < 0 ? 0 : usage.ru_minflt + usage.ru_majflt;
}

/* The kernel alone may pick an address that no huge page fits. */
static const volatile uint8_t *map_aligned(int fd, size_t size)
{
	uint8_t *room = mmap(NULL, size + HUGEPAGE_BYTES, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *aligned;

	if (room == MAP_FAILED)
		return MAP_FAILED;
	aligned = room + (-(uintptr_t)room & (HUGEPAGE_BYTES - 1));
	return mmap(aligned, size, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
}

static long touch(const volatile uint8_t *bytes, size_t size)
{
	long before = count_faults();

	for (size_t off = 0; off < size; off += PAGE_BYTES)
		(void)bytes[off];
	return count_faults() - before;
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	const volatile uint8_t *bytes;
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat) < 0)
		return 1;
	bytes = map_aligned(fd, (size_t)stat.st_size);
	if (bytes == MAP_FAILED)
		return 1;
	printf("%ld\n", touch(bytes, (size_t)stat.st_size));
	return 0;
}
