/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose code runs: a backend is called inside the process, so one that crashes or calls exit ends
 * kataimg. Between enter and leave that ends it with a message and never with success.
 */
#ifndef BACKEND_GUARD_H
#define BACKEND_GUARD_H

/* Both strings must live until guard_leave. Callbacks come from one thread at a time. */
void guard_enter(const char *backend, const char *callback);
void guard_leave(void);

#endif
