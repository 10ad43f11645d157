/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FS_TYPE=erofs. The script made a compressed image of it (mkfs.erofs -zlz4hc), and rounded its
 * size to 1 MiB alone. Where SKIP_DAX_HEADER says that no guest maps the image, that is what its
 * callers want. With the header it is not: a guest cannot map what is compressed, and NVDIMM needs
 * the alignment.
 */
#include <string.h>

#include "core/base/log.h"
#include "core/guest/dropin.h"
#include "lib/cleanup.h"

#define NO_HEADER "SKIP_DAX_HEADER"
#define SMALLEST_ALIGN "1M"

/* By its name or by its file's. */
static int is_erofs(const struct config *config, struct error *error)
{
	autofree char *name = NULL;

	if (backend_name_of_path(config->image.filesystem, &name) < 0)
		return error_nomem(error);
	return strcmp(name ? name : config->image.filesystem, "erofs") == 0;
}

/* Who gave the value; NULL: nobody, it is the default. */
static const char *giver_of(const struct config *config, const char *section, const char *name)
{
	return config->origins[config_find_key(section, name) - config_keys].name;
}

static bool is_compression_given(const struct config *config)
{
	return config_find_pair(config, "erofs", "compress");
}

/* What nobody gave becomes what it is with the script. */
static int take_script_defaults(struct config *config, struct error *error)
{
	if (!is_compression_given(config)) {
		log_info("erofs: files are compressed with lz4hc, as there is no DAX header");
		if (config_set(config, "erofs", "compress", "lz4hc", NO_HEADER, error) < 0)
			return -error->code;
	}
	if (giver_of(config, "image", "align"))
		return 0;
	return config_set(config, "image", "align", SMALLEST_ALIGN, NO_HEADER, error);
}

int dropin_adjust_erofs(struct config *config, bool script, struct error *error)
{
	const char *giver = giver_of(config, "image", "dax");
	int ret = is_erofs(config, error);

	if (ret <= 0)
		return ret;
	if (!config->image.mapped && giver && strcmp(giver, NO_HEADER) == 0)
		return take_script_defaults(config, error);
	if (config->image.mapped && script && !is_compression_given(config))
		log_info("erofs: files stay uncompressed, so that guests can map them "
			 "(DAX); " NO_HEADER "=yes compresses them");
	return 0;
}
