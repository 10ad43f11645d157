/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeoptions.h"

#include <stdlib.h>
#include <string.h>

#include "core/config/options.h"
#include "lib/cleanup.h"

static int set_options(struct config *config, const char *section, const char *const *texts,
		       struct error *error)
{
	int ret = config_init(config, error);

	for (; ret == 0 && texts && *texts; texts++) {
		const char *equals = strchr(*texts, '=');
		autofree char *name = equals ? strndup(*texts, (size_t)(equals - *texts)) : NULL;

		if (!equals)
			ret = error_usage(error, "'%s' is not NAME=VALUE", *texts);
		else if (!name)
			ret = error_nomem(error);
		else
			ret = config_set(config, section, name, equals + 1, *texts, error);
	}
	return ret;
}

struct kataimg_value *fakeoptions_read(const struct kataimg_backend *backend,
				       const char *const *texts, struct config *config,
				       struct error *error)
{
	struct kataimg_value *values = NULL;

	if (set_options(config, backend->name, texts, error) < 0 ||
	    options_parse(config, backend, &values, error) < 0)
		return NULL;
	return values;
}
