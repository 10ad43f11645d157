/* SPDX-License-Identifier: Apache-2.0 */
/* A backend's refusal of the value of an option. */
#ifndef COMMON_REFUSE_H
#define COMMON_REFUSE_H

#include "kataimg/backend.h"

/*
 * Refuses option index of the backend's table: the message says what is wrong with the value, not
 * which option it is, because the core does. Returns -EINVAL.
 */
int option_refuse(const struct kataimg_host *host, const struct kataimg_option *options,
		  uint64_t index, const char *fmt, ...) KATAIMG_PRINTF(4, 5);

#endif
