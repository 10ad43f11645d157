/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wish to stop: a signal or a worker's error. Everything that runs long asks cancel_requested
 * and returns -ECANCELED. The flag is the process's, as signals are.
 */
#ifndef BASE_CANCEL_H
#define BASE_CANCEL_H

#include <stdbool.h>

#include "core/base/error.h"

/* SIGINT, SIGTERM and SIGHUP ask to stop; a second one ends the process at once. */
void cancel_install_handlers(void);

bool cancel_requested(void);
/* For a loop to ask at each turn: 0, or -ECANCELED with "interrupted". */
int cancel_check(struct error *error);
void cancel_request(void); /* async-signal-safe */
void cancel_reset(void);   /* for tests */

#endif
