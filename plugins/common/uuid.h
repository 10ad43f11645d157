/* SPDX-License-Identifier: Apache-2.0 */
/* A backend's option "uuid". */
#ifndef COMMON_UUID_H
#define COMMON_UUID_H

#include <stdint.h>

#include "kataimg/backend.h"

/*
 * values and options are the backend's, index is the option's place in them. What the option gives,
 * or, when it is not set, what the build derives from the label. Zeros are refused: they stand for
 * "none", and checkers put another in their place. 0, or -errno with its message.
 */
int uuid_from_option(const struct kataimg_host *host, const struct kataimg_option *options,
		     const struct kataimg_value *values, uint64_t index, const char *label,
		     uint8_t uuid[16]);

#endif
