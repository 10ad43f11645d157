/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded: counts calls of some kinds and lets one of them, or all from one on, go wrong.
 *
 * FAULT_KIND   the kinds that are counted, with commas between: see fault_kind_names
 * FAULT_AT     which call, from 1; 0 or not set: none
 * FAULT_HOW    fail (the default), fail-twice (the next one as well), fail-on (and all others),
 *              short (half of what was asked for), short-on, kill (the process ends instead of
 *              the call, as by SIGKILL, with KILLED), kill-after
 * FAULT_ERRNO  the number of the error; EIO when not given
 * FAULT_COUNT  a file that gets the number of calls, however the program ends
 * FAULT_LACKS  what the filesystem cannot do: tmpfile, exchange
 * FAULT_TRACE  a file that gets the stack of what goes wrong
 * FAULT_STACKS a file that gets a number for each call that is counted: one for each way to get
 * there
 */
#include "tests/support/faultcalls.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STACKS_MAX (1 << 20)

enum how { FAIL, FAIL_TWICE, FAIL_ON, SHORT, SHORT_ON, KILL, KILL_AFTER };

static const char *const how_names[] = {
	[FAIL] = "fail",
	[FAIL_TWICE] = "fail-twice",
	[FAIL_ON] = "fail-on",
	[SHORT] = "short",
	[KILL] = "kill",
	[SHORT_ON] = "short-on",
	[KILL_AFTER] = "kill-after",
};

/* As a shell has it of SIGKILL, which a confined process may send nobody. Nothing is done on the
 * way out, nor in other threads. */
#define KILLED 137

static atomic_long in_memory;
static atomic_long *calls = &in_memory; /* or in the file of FAULT_COUNT */
static long at;
static unsigned long kinds; /* bits */
static enum how how;
static int error_number = EIO;
static int trace_fd = -1;
static uint64_t *stacks; /* of the first STACKS_MAX calls, in the file of FAULT_STACKS; or NULL */
static bool ready;
static __thread bool kill_when_done;

static size_t find_name(const char *const *names, size_t count, const char *name, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
			return i;
	dprintf(STDERR_FILENO, "faults: what is '%.*s'?\n", (int)length, name);
	_exit(99);
}

static unsigned long find_kinds(const char *text)
{
	unsigned long found = 0;

	for (size_t length; *text; text += length + (text[length] == ',')) {
		length = strcspn(text, ",");
		found |= 1UL << find_name(fault_kind_names, FAULT_KINDS, text, length);
	}
	return found;
}

/* Open while the program may, and shared, so that it holds what was counted up to a kill. */
static void *share(const char *path, size_t bytes)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	void *page = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, (off_t)bytes) == 0)
		page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED) {
		dprintf(STDERR_FILENO, "faults: %s: %s\n", path, strerror(errno));
		_exit(99);
	}
	close(fd);
	return page;
}

static void open_trace(const char *path)
{
	trace_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

__attribute__((constructor)) static void begin(void)
{
	const char *mode = variable("FAULT_HOW");

	at = atol(variable("FAULT_AT"));
	kinds = find_kinds(variable("FAULT_KIND"));
	if (*mode)
		how = (enum how)find_name(how_names, COUNT_OF(how_names), mode, strlen(mode));
	if (*variable("FAULT_ERRNO"))
		error_number = atoi(variable("FAULT_ERRNO"));
	if (*variable("FAULT_COUNT"))
		calls = share(variable("FAULT_COUNT"), sizeof(*calls));
	fault_lacks_tmpfile = strstr(variable("FAULT_LACKS"), "tmpfile");
	fault_lacks_exchange = strstr(variable("FAULT_LACKS"), "exchange");
	if (*variable("FAULT_TRACE"))
		open_trace(variable("FAULT_TRACE"));
	if (*variable("FAULT_STACKS"))
		stacks = share(variable("FAULT_STACKS"), STACKS_MAX * sizeof(*stacks));
	callers_begin();
	unsetenv("LD_PRELOAD");
	ready = true;
}

static void trace(void)
{
	void *frames[40];

	if (trace_fd >= 0)
		backtrace_symbols_fd(frames, backtrace(frames, COUNT_OF(frames)), trace_fd);
}

static void note_stack(long call, const void *caller)
{
	if (stacks && call > 0 && call <= STACKS_MAX)
		stacks[call - 1] = callers_place(caller);
}

/* Does this call go wrong? */
static bool is_met(enum fault_kind kind, const void *caller)
{
	long call = ready && (kinds >> kind & 1) ? ++*calls : 0;

	note_stack(call, caller);
	if (call == 0 || at == 0 || call < at)
		return false;
	return call == at || how == FAIL_ON || how == SHORT_ON ||
	       (how == FAIL_TWICE && call == at + 1);
}

bool fault_strikes(enum fault_kind kind, size_t *count, const void *caller)
{
	if (!is_met(kind, caller))
		return false;
	trace();
	if (how == KILL)
		_exit(KILLED);
	kill_when_done = how == KILL_AFTER;
	if (how == SHORT || how == SHORT_ON)
		*(count ? count : &(size_t){ 0 }) = count && *count > 1 ? *count / 2 : 1;
	if (how >= SHORT)
		return false;
	errno = kind == MEMORY ? ENOMEM : error_number;
	return true;
}

void fault_done(void)
{
	if (kill_when_done)
		_exit(KILLED);
}
