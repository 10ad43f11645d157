/* SPDX-License-Identifier: Apache-2.0 */
/* "name=value" texts to the option values that a backend's open gets. */
#ifndef SUPPORT_FAKEOPTIONS_H
#define SUPPORT_FAKEOPTIONS_H

#include "kataimg/backend.h"

/* One value per option of the backend, defaults filled in; to be freed. A wrong text ends the test.
 */
struct kataimg_value *fakeoptions_parse(const struct kataimg_backend *backend,
					const char *const *texts);

#endif
