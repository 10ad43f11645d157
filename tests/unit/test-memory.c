/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each place of the program that asks for memory gets none, once: whole commands run in processes
 * of their own, forked off, so that thousands take seconds. tests/faults/test-memory.py does the
 * same from outside, libraries and backends included. A command that ends well all the same has
 * made and said what it does with all memory.
 */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/cli/cli.h"
#include "tests/support/tempdir.h"

#define PLACES_MAX 100000
#define FRAMES 8
#define WORDS_MAX 24
#define HANG_SECONDS 60

#define INI                                                                                    \
	"[image]\nsource=tree\noutput=k.img\nfilesystem=erofs\nalign=2M\n[rootfs]\ncheck=no\n" \
	"[erofs]\nlabel=x\n"
#define TWO                                                                           \
	"[image]\nsource=tree\nalign=2M\n[rootfs]\ncheck=no\n[verity]\nenabled=yes\n" \
	"[image one]\noutput=one.img\nfilesystem=erofs\n[image two]\noutput=two.img\n"
#define MTREE                                                                           \
	"#mtree\n. type=dir mode=0755\n./dev type=dir mode=0755\n./dev/null type=char " \
	"device=native,1,3\n"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

/* Shared with the children. */
static struct {
	unsigned long asked;
	bool counting;          /* notes where each came from */
	unsigned long fails_at; /* 0: none */
	uint64_t places[PLACES_MAX];
} * shared;
static __thread bool inside;

static uint64_t place_of_caller(void)
{
	uint64_t sum = UINT64_C(14695981039346656037); /* FNV-1a */
	void *frames[FRAMES];

	for (int i = backtrace(frames, FRAMES); i > 0; i--)
		sum = (sum ^ (uintptr_t)frames[i - 1]) * UINT64_C(1099511628211);
	return sum;
}

static bool fails(void)
{
	unsigned long number;

	if (!shared || inside || (!shared->counting && !shared->fails_at))
		return false;
	number = __atomic_add_fetch(&shared->asked, 1, __ATOMIC_RELAXED);
	if (shared->counting && number <= PLACES_MAX) {
		inside = true;
		shared->places[number - 1] = place_of_caller();
		inside = false;
	}
	if (number != shared->fails_at)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

/* ---- One run ---- */

static struct tempdir directory;

static void redirect(int to, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || dup2(fd, to) < 0)
		_exit(99);
}

/* The exit code; 128 and more: what ended it. */
static int run(const char *const *words, unsigned long fails_at)
{
	int status;
	pid_t child;

	shared->asked = 0;
	child = fork();
	if (child == 0) {
		char *arguments[WORDS_MAX] = { (char *)"kataimg" };
		int count = 1;

		for (; words[count - 1]; count++)
			arguments[count] = (char *)words[count - 1];
		redirect(STDOUT_FILENO, "said");
		redirect(STDERR_FILENO, "complained");
		alarm(HANG_SECONDS);
		shared->fails_at = fails_at;
		_exit(cli_main(count, arguments));
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	shared->fails_at = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void read_text(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, text, room - 1);

	assert_true(len >= 0);
	text[len] = '\0';
	close(fd);
}

/* ---- All of a command ---- */

static uint64_t known[PLACES_MAX];
static size_t known_count;

static bool is_new(uint64_t place)
{
	for (size_t i = 0; i < known_count; i++)
		if (known[i] == place)
			return false;
	assert_true(known_count < PLACES_MAX);
	known[known_count++] = place;
	return true;
}

/* A sum of all that a command may have made or said. */
static uint64_t sum_results(void)
{
	static const char *const paths[] = { "said", "k.img", "one.img", "two.img", "new.tar" };
	static unsigned char bytes[65536];
	uint64_t sum = UINT64_C(14695981039346656037); /* FNV-1a */

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		ssize_t len = 0;

		while (fd >= 0 && (len = read(fd, bytes, sizeof(bytes))) > 0)
			for (ssize_t at = 0; at < len; at++)
				sum = (sum ^ bytes[at]) * UINT64_C(1099511628211);
		assert_true(len == 0);
		if (fd >= 0)
			close(fd);
	}
	return sum;
}

static void sweep(const char *const *words, int trouble)
{
	char complained[1000];
	unsigned long count;
	uint64_t sum;

	shared->counting = true;
	if (run(words, 0) != 0) {
		read_text("complained", complained, sizeof(complained));
		fail_msg("%s: %s", words[0], complained);
	}
	shared->counting = false;
	sum = sum_results();
	count = shared->asked < PLACES_MAX ? shared->asked : PLACES_MAX;
	assert_true(count > 0);
	for (unsigned long at = 1; at <= count; at++) {
		int ret;

		if (!is_new(shared->places[at - 1]))
			continue;
		ret = run(words, at);
		read_text("complained", complained, sizeof(complained));
		if (ret != 0 && (ret != trouble || !strstr(complained, "rror: ")))
			fail_msg("%s: allocation %lu: exit %d: %s", words[0], at, ret, complained);
		if (ret == 0 && sum_results() != sum)
			fail_msg("%s: allocation %lu: another result: %s", words[0], at,
				 complained);
	}
}

#define SWEEP(trouble, ...) sweep((const char *const[]){ __VA_ARGS__, NULL }, trouble)
#define QUIET "-q", "--set", "rootfs.check=no"
#define IMAGE "--no-sync", "--set", "image.align=2M", "-o", "k.img"

static int set_up(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	backtrace((void *[1]){ NULL }, 1); /* loads what it needs */
	tempdir_open(&directory);
	tempdir_mkdir(&directory, "tree");
	tempdir_mkdir(&directory, "tree/etc");
	tempdir_fill(&directory, "tree/etc/file", 1, 5000);
	tempdir_write(&directory, "k.ini", INI, strlen(INI));
	tempdir_write(&directory, "two.ini", TWO, strlen(TWO));
	tempdir_write(&directory, "t.mtree", MTREE, strlen(MTREE));
	assert_int_equal(chdir(directory.path), 0);
	assert_int_equal(symlink("etc/file", "tree/link"), 0);
	assert_int_equal(link("tree/etc/file", "tree/etc/other"), 0);
	assert_int_equal(mkfifo("tree/fifo", 0600), 0);
	(void)!setxattr("tree/etc/file", "user.name", "value", 5, 0); /* not every filesystem can */
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tempdir_close(&directory);
	return 0;
}

static void builds(void **state)
{
	(void)state;
	SWEEP(1, QUIET, IMAGE, "-f", "ext4", "tree");
	SWEEP(1, QUIET, IMAGE, "-f", "erofs", "--set", "verity.enabled=yes", "tree");
	SWEEP(1, QUIET, IMAGE, "-f", "erofs", "--set", "image.table=gpt", "--report", "report",
	      "tree");
	SWEEP(1, QUIET, IMAGE, "-f", "erofs", "--set", "image.verify=content", "--set",
	      "tree.exclude=etc/o*", "--set", "tree.apply=t.mtree", "tree");
	SWEEP(1, QUIET, "-f", "erofs", "-o", "oci:layout:new", "--no-sync", "tree");
	SWEEP(1, "-q", "-c", "two.ini", "--manifest", "manifest", "--no-sync");
	SWEEP(1, "-v", "--dry-run", "-c", "k.ini");
}

static void reads(void **state)
{
	(void)state;
	SWEEP(1, "-q", "--no-sync", "-c", "k.ini");
	SWEEP(1, "inspect", "k.img");
	SWEEP(1, "inspect", "--json", "k.img");
	SWEEP(1, "ls", "-lR", "k.img");
	SWEEP(1, "cat", "k.img", "etc/file");
	SWEEP(2, "diff", "k.img", "k.img");
	SWEEP(1, "attest", "-q", "k.img", "-c", "k.ini");
	SWEEP(1, "tree", "-q", "--hash", "sha256", "--set", "rootfs.check=no", "tree");
	SWEEP(1, "tree", "-q", "--set", "rootfs.check=no", "t.mtree");
	SWEEP(1, "key", "-q", "--set", "rootfs.check=no", "tree");
	SWEEP(1, "extract", "-q", "--force", "k.img", "-o", "new.tar");
	SWEEP(1, "extract", "-q", "--force", "k.img", "-C", "new");
}

static void tells(void **state)
{
	(void)state;
	SWEEP(1, "backends");
	SWEEP(1, "backends", "ext4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds),
		cmocka_unit_test(reads),
		cmocka_unit_test(tells),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
