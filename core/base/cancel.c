/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/cancel.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_bool requested;

/* SA_RESETHAND: the second signal has its default effect. No SA_RESTART: blocking calls return. */
static void on_signal(int number)
{
	(void)number;
	cancel_request();
}

void cancel_install_handlers(void)
{
	const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction old;

		/* nohup, and shells for their background jobs, have some ignored on purpose */
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

bool cancel_requested(void)
{
	return atomic_load_explicit(&requested, memory_order_relaxed);
}

int cancel_check(struct error *error)
{
	return cancel_requested() ? error_set(error, ECANCELED, "interrupted") : 0;
}

void cancel_request(void)
{
	atomic_store_explicit(&requested, true, memory_order_relaxed);
}

void cancel_reset(void)
{
	atomic_store(&requested, false);
}
