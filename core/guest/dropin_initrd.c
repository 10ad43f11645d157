/* SPDX-License-Identifier: Apache-2.0 */
/*
 * initrd_builder.sh: find | cpio -H newc -o | gzip -9, with a link /init to /sbin/init where there
 * is no /init. cpio took no extended attributes, holes and nanoseconds, and did not say so.
 */
#include "core/guest/dropin.h"

const struct dropin_variable dropin_initrd_variables[] = {
	{ "INITRD_IMAGE", DROPIN_TEXT, "image", "output", "the initrd to make" },
	{ "AGENT_INIT", DROPIN_TEXT, "rootfs", "agent-init", "yes: the agent is the init process" },
	{ "AGENT_BIN", DROPIN_TEXT, "rootfs", "agent", "the agent's name" },
	{ "DEBUG", DROPIN_ACCEPTED, NULL, NULL, "accepted: see --verbose" },
};
const size_t dropin_initrd_variable_count =
	sizeof(dropin_initrd_variables) / sizeof(dropin_initrd_variables[0]);

static const struct {
	const char *section, *key, *value;
} presets[] = {
	{ "image", "output", "kata-containers-initrd.img" },
	{ "image", "filesystem", "cpio" },
	{ "image", "compress", "gzip" },
	{ "image", "level", "9" },
	{ "image", "unsupported", "drop" },
	{ "rootfs", "init-link", "/sbin/init" },
	{ "tree", "holes", "fill" },
	{ "tree", "whole-seconds", "yes" },
};

int dropin_preset_initrd(struct config *config, struct error *error)
{
	const char *giver = dropin_script_name(DROPIN_INITRD);
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < sizeof(presets) / sizeof(presets[0]); i++)
		ret = config_set(config, presets[i].section, presets[i].key, presets[i].value,
				 giver, error);
	return ret;
}
