/* SPDX-License-Identifier: Apache-2.0 */
/* A backend's options out of texts, read by the core's own reader. */
#ifndef SUPPORT_FAKEOPTIONS_H
#define SUPPORT_FAKEOPTIONS_H

#include "core/config/config.h"
#include "kataimg/backend.h"

/*
 * The values of "NAME=VALUE" texts, ended by NULL; texts may be NULL. To be freed; NULL after an
 * error. Their strings are config's, which is for config_free either way.
 */
struct kataimg_value *fakeoptions_read(const struct kataimg_backend *backend,
				       const char *const *texts, struct config *config,
				       struct error *error);

#endif
