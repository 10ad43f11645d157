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

#include "core/cli/cli.h"
#include "tests/unit/sweepexempt.h"

#define PLACES 65536u /* a power of two */
#define WORDS_MAX 40
#define TEXT_BYTES 2000
#define COMPLAINT_BYTES 16384 /* a warning of each backend, twice, and the error */
#define HANG_SECONDS 60

struct place {
	uint64_t number; /* 0: none */
	const void *caller;
	enum fault_kind kind;
	uint64_t tried; /* faults, as bits: see bit_of() */
};

/* With runs. */
static struct shared {
	unsigned long listed; /* kinds, as bits, whose places are noted */
	struct place target;  /* number 0: nothing fails */
	int how;
	bool struck;
	struct place places[PLACES]; /* a hash table by number */
} * shared;

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
	char *arguments[WORDS_MAX] = { (char *)"kataimg" };
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
	return cli_main(count, arguments);
}

/* ---- What it leaves ---- */

struct result {
	int ended; /* the exit code; 128 and more: what ended it */
	uint64_t out, said;
	char complained[COMPLAINT_BYTES];
	bool tells; /* of the error, on its standard output */
};

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

/* By name; or that it is forbidden, as what could not be allowed is. */
static bool is_told(void)
{
	char text[16384] = "";
	FILE *file = fopen("said", "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return shared->how > 0 &&
	       (strstr(text, strerror(shared->how)) || strstr(text, strerror(EACCES)));
}

static struct result run(const struct sweep_command *command)
{
	struct result result;
	pid_t child = fork();
	int status, fd;
	ssize_t len;

	if (child == 0)
		_exit(be_run(command));
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	result.ended = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	fd = open("complained", O_RDONLY | O_CLOEXEC);
	len = read(fd, result.complained, sizeof(result.complained) - 1);
	assert_true(len >= 0);
	result.complained[len] = '\0';
	close(fd);
	result.out = look();
	result.said = mix_file(0, "said");
	result.tells = is_told();
	return result;
}

/* ---- All of a command ---- */

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, part)); at++)
		count++;
	return count;
}

/* NULL, or what is wrong. */
static const char *judge_failed(const struct sweep_command *command, uint64_t before,
				const struct result *result)
{
	/* What inspect says where no backend may be looked for. */
	if (result->ended == 3 && strstr(result->complained, "as far as it could be checked"))
		return NULL;
	if (result->ended != 1 && result->ended != 2)
		return "a wrong exit code";
	if (count_of(result->complained, "error: ") != 1)
		return "not one sentence";
	/* Names that cannot be changed cannot be changed back: it is said where old files are. */
	if (command->leaves ||
	    (shared->target.kind == RENAME && strstr(result->complained, "is kept as")))
		return NULL;
	return result->out == before ? NULL : "other files";
}

static const char *judge(const struct sweep_command *command, uint64_t before,
			 const struct result *undisturbed, const struct result *result)
{
	/* What is refused undisturbed is refused for one reason or the other. */
	if (result->ended != command->ends || strstr(undisturbed->complained, "error: "))
		return judge_failed(command, before, result);
	if (shared->target.kind == SYNC && shared->struck)
		return "what was made may not be on the disk";
	/* That is said, and nobody needs it. */
	if (strstr(result->complained, "warning: skipped a backend: "))
		return NULL;
	if (result->out == undisturbed->out && (result->said == undisturbed->said || result->tells))
		return NULL;
	return "another result";
}

/* Undisturbed. */
static struct result list_places(const struct sweep_command *command, unsigned long kinds)
{
	struct result result;

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
	bool is_new = place->number && place->kind == fault->kind && !(place->tried & bit);

	if (is_new)
		place->tried |= bit;
	return is_new;
}

static size_t all_runs, all_struck;

static void tell(const struct sweep_command *command, const struct sweep_fault *fault,
		 const struct result *result, const char *problem)
{
	print_error("%s: %s, %s: exit %d, %s: %s\n", command->words, fault_kind_names[fault->kind],
		    fault->how == SWEEP_SHORT    ? "short"
		    : fault->how == SWEEP_CANCEL ? "cancelled"
						 : strerror(fault->how),
		    result->ended, problem, result->complained);
	if (system("head -12 trace; diff undisturbed said | head -5; find out") < 0)
		print_error("no diff\n");
}

void sweep(const struct sweep_command *command, const struct sweep_fault *faults, size_t count)
{
	struct result undisturbed;
	size_t runs = 0, wrong = 0;
	unsigned long kinds = 0;

	for (size_t i = 0; i < count; i++)
		kinds |= 1UL << faults[i].kind;
	undisturbed = list_places(command, kinds);
	assert_int_equal(rename("said", "undisturbed"), 0);
	for (size_t at = 0; at < PLACES * count; at++) {
		const struct sweep_fault *fault = &faults[at / PLACES];
		struct place *place = &shared->places[at % PLACES];
		struct result result;
		const char *problem;
		uint64_t before;

		if (!must_try(place, fault))
			continue;
		before = clear(command->old);
		shared->target = *place;
		shared->how = fault->how;
		shared->struck = false;
		result = run(command);
		problem = judge(command, before, &undisturbed, &result);
		shared->target.number = 0;
		runs++;
		all_struck += shared->struck;
		wrong += problem != NULL;
		if (problem)
			tell(command, fault, &result, problem);
	}
	print_message("%s: %zu runs\n", command->words, runs);
	all_runs += runs;
	assert_int_equal(wrong, 0);
}

void sweep_end(void)
{
	print_message("%zu runs, %zu struck\n", all_runs, all_struck);
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

void sweep_begin(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	callers_begin();
}
