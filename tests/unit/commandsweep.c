/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/commandsweep.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/sweepexempt.h"

#define PLACES 65536u /* a power of two */
#define WORDS_MAX 40
#define TEXT_BYTES SWEEP_TEXT_BYTES
#define HANG_SECONDS 60

struct place {
	uint64_t number; /* 0: none */
	const void *caller;
	enum fault_kind kind;
	uint64_t tried; /* faults, as bits: see bit_of() */
};

struct shared {
	unsigned long listed; /* kinds, as bits, whose places are noted */
	struct place target;  /* number 0: nothing fails */
	int how;
	bool struck;
	struct place places[PLACES]; /* a hash table by number */
};

/* With runs. */
static struct shared *shared;

static const struct sweep_fault memory[] = { { MEMORY, ENOMEM } };

/* As tests/faults/judged.py has them: the errors that do most harm. */
static const struct sweep_fault calls[] = {
	{ OPEN, EACCES },
	{ CLOSE, EIO },
	{ READ, EIO },
	{ READ, SWEEP_SHORT },
	{ PREAD, EIO },
	{ PREAD, SWEEP_SHORT },
	{ PWRITE, ENOSPC },
	{ PWRITE, SWEEP_SHORT },
	{ PWRITE, SWEEP_CANCEL },
	{ RENAME, SWEEP_CANCEL },
	{ DIRECTORY, SWEEP_CANCEL },
	{ TRUNCATE, ENOSPC },
	{ SYNC, EIO },
	{ WRITEBACK, EIO },
	{ RENAME, EIO },
	{ LINK, EIO },
	{ UNLINK, EIO },
	{ MODE, EPERM },
	{ MAKE, ENOSPC },
	{ STAT, EIO },
	{ DIRECTORY, EIO },
	{ READLINK, EIO },
	{ XATTR, EIO },
	{ MAP, ENOMEM },
	{ IOCTL, ENOTTY },
	{ LOCK, ENOLCK },
	{ SEEK, EIO },
	{ DESCRIPTOR, EMFILE },
	{ THREAD, EAGAIN },
	{ PROCESS, ENOENT },
	{ WAIT, EINTR },
	{ WAIT, ECHILD },
	{ CONFINE, EPERM },
};

static const struct sweep_program *program;

/* ---- In a run ---- */

static bool is_run;
static int trace_fd = -1; /* gets the way to what fails */

static void note(enum fault_kind kind, uint64_t number, const void *caller)
{
	for (uint32_t at = (uint32_t)number % PLACES;; at = (at + 1) % PLACES) {
		struct place *place = &shared->places[at];
		uint64_t was = 0;

		if (__atomic_compare_exchange_n(&place->number, &was, number, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			place->caller = caller;
			place->kind = kind;
			if (kind == MEMORY && sweep_is_exempt(caller))
				place->tried = UINT64_MAX;
			return;
		}
		if (was == number)
			return;
	}
}

/* Never 0. Of kinds with the same caller, as a macro's, each has its own. */
static uint64_t number_of(enum fault_kind kind, const void *caller)
{
	return (callers_place(caller) + kind) | 1;
}

/* Is its place worth to be asked for, which takes long? */
static bool may_be_target(enum fault_kind kind, const void *caller)
{
	const struct place *target = &shared->target;

	return target->number && kind == target->kind && caller == target->caller;
}

bool fault_strikes(enum fault_kind kind, size_t *count, const void *caller)
{
	bool is_listed = is_run && (shared->listed >> kind & 1);
	void *frames[CALLERS_MAX];
	uint64_t number;

	if (!is_run || (!is_listed && !may_be_target(kind, caller)))
		return false;
	number = number_of(kind, caller);
	if (is_listed)
		note(kind, number, caller);
	if (number != shared->target.number ||
	    __atomic_exchange_n(&shared->struck, true, __ATOMIC_RELAXED))
		return false;
	if (shared->how == SWEEP_SHORT && count && *count > 1)
		*count /= 2;
	if (shared->how == SWEEP_SHORT)
		return false;
	backtrace_symbols_fd(frames, callers_list(frames, caller), trace_fd);
	if (shared->how == SWEEP_CANCEL) {
		raise(SIGTERM);
		return false;
	}
	errno = shared->how;
	return true;
}

void fault_done(void)
{
}

static void redirect(int to, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0 || dup2(fd, to) < 0)
		_exit(99);
}

/* Its frame is where each way begins. */
static __attribute__((noinline)) int be_run(const struct sweep_command *command)
{
	char text[TEXT_BYTES];
	char *arguments[WORDS_MAX] = { (char *)program->name };
	int count = 1;

	strcpy(text, command->words);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		arguments[count++] = word;
	fault_lacks_tmpfile = command->lacks_tmpfile;
	redirect(STDIN_FILENO, command->input ? command->input : "/dev/null", O_RDONLY);
	redirect(STDOUT_FILENO, "said", O_WRONLY | O_CREAT | O_TRUNC);
	redirect(STDERR_FILENO, "complained", O_WRONLY | O_CREAT | O_TRUNC);
	trace_fd = open("trace", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	signal(SIGSEGV, SIG_DFL); /* cmocka catches these */
	signal(SIGABRT, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	signal(SIGFPE, SIG_DFL);
	signal(SIGILL, SIG_DFL);
	alarm(HANG_SECONDS);
	callers_begin_here();
	is_run = true;
	count = program->main(count, arguments);
	fflush(NULL);
	return count;
}

/* ---- What it leaves ---- */

static uint64_t mix(uint64_t sum, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ ((const uint8_t *)bytes)[i]) * UINT64_C(1099511628211);
	return sum;
}

static uint64_t mix_file(uint64_t sum, const char *path)
{
	static uint64_t words[8192];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	assert_true(fd >= 0);
	while ((len = read(fd, words, sizeof(words))) > 0) {
		memset((char *)words + len, 0, -(size_t)len % sizeof(*words));
		for (size_t i = 0; i * sizeof(*words) < (size_t)len; i++)
			sum = (sum ^ words[i]) * UINT64_C(1099511628211);
	}
	assert_int_equal(len, 0);
	close(fd);
	return sum;
}

static uint64_t found;

/* What no run answers for: what could not be removed, and a report, which has times and failures.
 */
static bool is_exempt(const char *path)
{
	return strcmp(path, "out/report") == 0 ||
	       (shared->target.kind == UNLINK && strstr(path, ".tmp"));
}

/* In whichever order. */
static int add_entry(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	uint64_t sum = mix(mix(0, path, strlen(path)), &st->st_mode, sizeof(st->st_mode));

	(void)type;
	if (walk->level > 0 && !is_exempt(path))
		found += S_ISREG(st->st_mode) ? mix_file(sum, path) : sum;
	return 0;
}

static uint64_t look(void)
{
	found = 0;
	assert_int_equal(nftw("out", add_entry, 16, FTW_PHYS), 0);
	return found;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st, (void)type, (void)walk;
	return remove(path);
}

/* Returns how it is there before a run. */
static uint64_t clear(const char *old)
{
	char text[TEXT_BYTES], path[300];

	nftw("out", remove_entry, 16, FTW_PHYS | FTW_DEPTH);
	assert_int_equal(mkdir("out", 0755), 0);
	strcpy(text, old ? old : "");
	for (char *name = strtok(text, " "); name; name = strtok(NULL, " ")) {
		FILE *file;

		snprintf(path, sizeof(path), "out/%s", name);
		file = fopen(path, "w");
		assert_non_null(file);
		fprintf(file, "old %s", name);
		fclose(file);
	}
	return look();
}

/* What is in a file, or its beginning. */
static void read_text(char *text, const char *path)
{
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	text[fread(text, 1, TEXT_BYTES - 1, file)] = '\0';
	fclose(file);
}

static struct sweep_result run(const struct sweep_command *command)
{
	struct sweep_result result;
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(be_run(command));
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	result.ended = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	read_text(result.told, "said");
	read_text(result.complained, "complained");
	result.out = look();
	result.said = mix_file(0, "said");
	return result;
}

/* ---- All of a command ---- */

size_t sweep_count(const char *text, const char *part)
{
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, part)); at++)
		count++;
	return count;
}

/* On its standard output; or that it is forbidden, as what could not be allowed is. */
static bool is_told(const struct sweep_result *result, int how)
{
	return how > 0 &&
	       (strstr(result->told, strerror(how)) || strstr(result->told, strerror(EACCES)));
}

static const char *judge(const struct sweep_command *command, const struct sweep_fault *fault,
			 uint64_t before, const struct sweep_result *undisturbed,
			 const struct sweep_result *result)
{
	/* What is refused undisturbed is refused for one reason or the other. */
	if (result->ended != command->ends || strstr(undisturbed->complained, "error: "))
		return program->judge(command, fault, before, result);
	if (fault->kind == SYNC && shared->struck)
		return "what was made may not be on the disk";
	/* That is said, and nobody needs it. */
	if (strstr(result->complained, "warning: skipped a backend: "))
		return NULL;
	if (result->out == undisturbed->out &&
	    (result->said == undisturbed->said || is_told(result, fault->how)))
		return NULL;
	return "another result";
}

/* Undisturbed. */
static struct sweep_result list_places(const struct sweep_command *command, unsigned long kinds)
{
	struct sweep_result result;

	clear(command->old);
	shared->listed = kinds;
	result = run(command);
	shared->listed = 0;
	if (result.ended != command->ends)
		fail_msg("%s: exit %d: %s", command->words, result.ended, result.complained);
	return result;
}

static bool must_try(struct place *place, const struct sweep_fault *fault)
{
	uint64_t bit = UINT64_C(1) << (fault->how & 63);
	bool is_new = place->number && place->kind == fault->kind && !(place->tried & bit) &&
		      (fault->how != SWEEP_CANCEL || program->takes_signals);

	if (is_new)
		place->tried |= bit;
	return is_new;
}

static size_t all_runs, all_struck, all_wrong;

static void tell(const struct sweep_command *command, const struct sweep_fault *fault,
		 const struct sweep_result *result, const char *problem)
{
	print_error("%s: %s, %s: exit %d, %s: %s\n", command->words, fault_kind_names[fault->kind],
		    fault->how == SWEEP_SHORT    ? "short"
		    : fault->how == SWEEP_CANCEL ? "cancelled"
						 : strerror(fault->how),
		    result->ended, problem, result->complained);
	if (system("head -12 trace; diff undisturbed said | head -5; find out") < 0)
		print_error("no diff\n");
}

void sweep(const struct sweep_command *command, bool is_memory)
{
	const struct sweep_fault *faults = is_memory ? memory : calls;
	size_t count = is_memory ? COUNT_OF(memory) : COUNT_OF(calls);
	struct sweep_result undisturbed;
	size_t runs = 0, wrong = 0;
	unsigned long kinds = 0;

	for (size_t i = 0; i < count; i++)
		kinds |= 1UL << faults[i].kind;
	undisturbed = list_places(command, kinds);
	assert_int_equal(rename("said", "undisturbed"), 0);
	for (size_t at = 0; at < PLACES * count; at++) {
		const struct sweep_fault *fault = &faults[at / PLACES];
		struct place *place = &shared->places[at % PLACES];
		struct sweep_result result;
		const char *problem;
		uint64_t before;

		if (!must_try(place, fault))
			continue;
		before = clear(command->old);
		shared->target = *place;
		shared->how = fault->how;
		shared->struck = false;
		result = run(command);
		problem = judge(command, fault, before, &undisturbed, &result);
		shared->target.number = 0;
		runs++;
		all_struck += shared->struck;
		wrong += problem != NULL;
		if (problem)
			tell(command, fault, &result, problem);
	}
	print_message("%s: %zu runs\n", command->words, runs);
	all_runs += runs;
	all_wrong += wrong;
}

void sweep_end(void)
{
	print_message("%zu runs, %zu struck\n", all_runs, all_struck);
	assert_int_equal(all_wrong, 0);
	assert_true(all_struck > 0 && all_struck >= all_runs / 2);
}

void sweep_prepare(const char *words)
{
	list_places(&(struct sweep_command){ .words = words }, 0);
}

void sweep_know(const char *words)
{
	list_places(&(struct sweep_command){ .words = words }, ~0UL);
	for (size_t i = 0; i < PLACES; i++)
		if (shared->places[i].number)
			shared->places[i].tried = UINT64_MAX;
}

void sweep_begin(const struct sweep_program *of)
{
	program = of;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	callers_begin();
}
