/* SPDX-License-Identifier: Apache-2.0 */
#include "core/guest/dropin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend/loader.h"
#include "core/base/log.h"
#include "core/config/value.h"

const struct dropin_variable dropin_variables[] = {
	{ "IMAGE", DROPIN_TEXT, "image", "output", "the image to make" },
	{ "FS_TYPE", DROPIN_TEXT, "image", "filesystem", "ext4, xfs or erofs" },
	{ "ROOT_FREE_SPACE", DROPIN_MEBIBYTES, "image", "free-space", "free space in MiB" },
	{ "IMAGE_SIZE_ALIGNMENT_MB", DROPIN_MEBIBYTES, "image", "align",
	  "the image's size is a multiple of so many MiB" },
	{ "SKIP_DAX_HEADER", DROPIN_INVERTED, "image", "dax", "yes: no NVDIMM header" },
	{ "SKIP_ROOTFS_CHECK", DROPIN_INVERTED, "rootfs", "check",
	  "yes: do not look for init and agent" },
	{ "AGENT_INIT", DROPIN_TEXT, "rootfs", "agent-init", "yes: the agent is the init process" },
	{ "AGENT_BIN", DROPIN_TEXT, "rootfs", "agent", "the agent's name" },
	{ "MEASURED_ROOTFS", DROPIN_TEXT, "verity", "enabled", "yes: add a dm-verity hash tree" },
	{ "BUILD_VARIANT", DROPIN_TEXT, "verity", "variant", "names root_hash_VARIANT.txt" },
	{ "SELINUX", DROPIN_ACCEPTED, NULL, NULL,
	  "yes: label the tree by the policy that lies in it" },
	{ "BLOCK_SIZE", DROPIN_BLOCKS, NULL, NULL, "4096, the only block size there is" },
	{ "USE_DOCKER", DROPIN_CONTAINER, NULL, NULL, "accepted: no container is needed" },
	{ "USE_PODMAN", DROPIN_CONTAINER, NULL, NULL, "accepted: no container is needed" },
	{ "DOCKER_RUNTIME", DROPIN_ACCEPTED, NULL, NULL, "accepted: no container is needed" },
	{ "IMAGE_REGISTRY", DROPIN_ACCEPTED, NULL, NULL, "accepted: no container is needed" },
	{ "NSDAX_BIN", DROPIN_ACCEPTED, NULL, NULL, "accepted: the NVDIMM header is built in" },
	{ "ARCH", DROPIN_ACCEPTED, NULL, NULL, "accepted: an image is the same for each" },
	{ "DEBUG", DROPIN_ACCEPTED, NULL, NULL, "accepted: see --verbose" },
	{ "TMPDIR", DROPIN_ACCEPTED, NULL, NULL, "accepted: scratch lies beside the image" },
};
const size_t dropin_variable_count = sizeof(dropin_variables) / sizeof(dropin_variables[0]);

static int set_mebibytes(struct config *config, const struct dropin_variable *variable,
			 const char *value, struct error *error)
{
	char size[32];
	uint64_t mebibytes;

	if (value_parse_u64(value, 0, 0, &mebibytes, error) < 0)
		return error_prefix(error, "%s = %s", variable->name, value);
	snprintf(size, sizeof(size), "%" PRIu64 "M", mebibytes);
	return config_set(config, variable->section, variable->key, size, variable->name, error);
}

static int set_inverted(struct config *config, const struct dropin_variable *variable,
			const char *value, struct error *error)
{
	bool yes;

	if (value_parse_bool(value, &yes, error) < 0)
		return error_prefix(error, "%s = %s", variable->name, value);
	return config_set(config, variable->section, variable->key, yes ? "no" : "yes",
			  variable->name, error);
}

static int take_variable(struct config *config, const struct dropin_variable *variable,
			 const char *value, struct error *error)
{
	switch (variable->form) {
	case DROPIN_TEXT:
		return config_set(config, variable->section, variable->key, value, variable->name,
				  error);
	case DROPIN_MEBIBYTES:
		return set_mebibytes(config, variable, value, error);
	case DROPIN_INVERTED:
		return set_inverted(config, variable, value, error);
	case DROPIN_BLOCKS:
		if (strcmp(value, "4096") != 0)
			return error_usage(error, "%s = %s: blocks have 4096 bytes", variable->name,
					   value);
		return 0;
	case DROPIN_CONTAINER:
		log_info("%s has nothing to do: no privilege is needed, so no container is",
			 variable->name);
		return 0;
	case DROPIN_ACCEPTED:
		return 0;
	}
	return 0;
}

static int take_variables(struct config *config, const struct dropin_variable *variables,
			  size_t count, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		const char *value = getenv(variables[i].name);
		int ret = 0;

		if (value && *value)
			ret = config_collect(
				config, take_variable(config, &variables[i], value, error), error);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int dropin_read_environment(struct config *config, enum dropin_script script, struct error *error)
{
	int ret;

	if (script != DROPIN_INITRD)
		return take_variables(config, dropin_variables, dropin_variable_count, error);
	ret = dropin_preset_initrd(config, error);
	return ret < 0 ? ret
		       : take_variables(config, dropin_initrd_variables,
					dropin_initrd_variable_count, error);
}

static bool can_have_free_space(const struct config *config, const struct backend_search *search)
{
	struct backend *backend autocall(cleanup_backend_free) = NULL;
	autoerror struct error error = ERROR_INIT;

	/* A backend that does not load is the build's error, not ours. */
	if (backend_load(search, config->image.filesystem, &backend, &error) < 0)
		return true;
	return backend->table.capabilities & KATAIMG_CAP_FREE_SPACE;
}

int dropin_adjust(struct config *config, const struct backend_search *search,
		  enum dropin_script script, struct error *error)
{
	int ret;

	if (script == DROPIN_INITRD)
		return 0;
	if (config->image.free_space_bytes != 0 && !can_have_free_space(config, search)) {
		log_warning("%s is read-only: it has no free space", config->image.filesystem);
		config->image.free_space_bytes = 0;
	}
	ret = dropin_adjust_erofs(config, script == DROPIN_IMAGE, error);
	return ret < 0 ? ret : dropin_apply_selinux(config, error);
}

static const char *const script_names[] = {
	[DROPIN_NONE] = "kataimg",
	[DROPIN_IMAGE] = "image_builder.sh",
	[DROPIN_INITRD] = "initrd_builder.sh",
};

const char *dropin_script_name(enum dropin_script script)
{
	return script_names[script];
}

enum dropin_script dropin_find_script(const char *program)
{
	const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;

	if (strcmp(name, script_names[DROPIN_IMAGE]) == 0)
		return DROPIN_IMAGE;
	return strcmp(name, script_names[DROPIN_INITRD]) == 0 ? DROPIN_INITRD : DROPIN_NONE;
}
