/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/guard.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/log.h"

static const char *volatile running_backend, *volatile running_callback;

static void refuse_exit(void)
{
	char text[256];

	if (!running_backend)
		return;
	snprintf(text, sizeof(text),
		 "the backend %s ended the program in %s: "
		 "kataimg-backend-check may tell more",
		 running_backend, running_callback);
	log_error(text);
	fflush(NULL);
	_exit(1);
}

static void write_text(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

/* After a crash stdio cannot be used. With SA_RESETHAND the signal, raised once more, ends the
 * program. */
static void on_crash(int number)
{
	if (running_backend) {
		write_text("kataimg: error: a crash in the backend ");
		write_text(running_backend);
		write_text(", in ");
		write_text(running_callback);
		write_text(": kataimg-backend-check may tell more\n");
	}
	raise(number);
}

static void install(void)
{
	const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	struct sigaction action = { .sa_handler = on_crash,
				    .sa_flags = (int)(SA_RESETHAND | SA_NODEFER) };

	atexit(refuse_exit);
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction old;

		/* a sanitizer's handler says more */
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(signals[i], &action, NULL);
	}
}

void guard_enter(const char *backend, const char *callback)
{
	static bool installed;

	if (!installed)
		install();
	installed = true;
	running_callback = callback;
	running_backend = backend;
}

void guard_leave(void)
{
	running_backend = NULL;
}
