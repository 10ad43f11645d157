/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "tests/fuzz/target.h"

#define DESCRIPTORS 32

static char directory[] = "/dev/shm/kataimg-fuzz-XXXXXX";
static bool made;

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	return where->level > 0 && (kind == FTW_DP ? rmdir(path) : unlink(path)) < 0 ? -1 : 0;
}

static void empty(void)
{
	if (nftw(directory, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS) != 0)
		fuzz_fail("%s cannot be emptied: %s", directory, strerror(errno));
}

static void leave(void)
{
	empty();
	rmdir(directory);
}

void fuzz_scratch_begin(void)
{
	if (made) {
		empty();
		return;
	}
	if (!mkdtemp(directory) || atexit(leave) != 0)
		fuzz_fail("no room for a directory");
	made = true;
}

char *fuzz_scratch_path(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		fuzz_fail("out of memory");
	return path;
}

void fuzz_scratch_mkdir(const char *name)
{
	autofree char *path = fuzz_scratch_path(name);

	if (mkdir(path, 0755) < 0)
		fuzz_fail("%s: %s", path, strerror(errno));
}

void fuzz_scratch_write(const char *name, const void *bytes, size_t len)
{
	autofree char *path = fuzz_scratch_path(name);
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		fuzz_fail("%s: %s", path, strerror(errno));
}

/* ---- What is there ---- */

static FILE *description;

static void describe_bytes(const char *path)
{
	FILE *file = fopen(path, "r");
	uint64_t sum = UINT64_C(14695981039346656037);

	if (!file)
		fuzz_fail("%s: %s", path, strerror(errno));
	for (int byte = getc(file); byte != EOF; byte = getc(file))
		sum = (sum ^ (uint64_t)byte) * UINT64_C(1099511628211); /* FNV-1a */
	fclose(file);
	fprintf(description, " %016llx", (unsigned long long)sum);
}

static int describe_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)kind;
	fprintf(description, "%d %s %o", where->level, path, (unsigned int)st->st_mode);
	if (S_ISREG(st->st_mode))
		describe_bytes(path);
	fputc('\n', description);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Directories have no order of their own. */
static char *sort_lines(char *text)
{
	char **lines = calloc(strlen(text) + 1, sizeof(*lines)), *sorted = malloc(strlen(text) + 2);
	char *to = sorted;
	size_t count = 0;

	if (!lines || !sorted)
		fuzz_fail("out of memory");
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		lines[count++] = line;
	qsort(lines, count, sizeof(*lines), compare);
	for (size_t i = 0; i < count; i++)
		to += sprintf(to, "%s\n", lines[i]);
	*to = '\0';
	free(lines);
	return sorted;
}

char *fuzz_scratch_describe(const char *name)
{
	autofree char *path = fuzz_scratch_path(name), *text = NULL;
	size_t len;

	description = open_memstream(&text, &len);
	if (!description)
		fuzz_fail("out of memory");
	if (nftw(path, describe_entry, DESCRIPTORS, FTW_PHYS) != 0)
		fuzz_fail("%s: %s", path, strerror(errno));
	if (fclose(description) != 0)
		fuzz_fail("out of memory");
	return sort_lines(text);
}
