/* SPDX-License-Identifier: Apache-2.0 */
/* SELINUX=yes: the labels that the root filesystem's own policy gives, as the script's restorecon
 * took them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/config/value.h"
#include "core/guest/dropin.h"
#include "lib/cleanup.h"

#define VARIABLE "SELINUX"

/* The policy's name of etc/selinux/config, to be freed; NULL: there is none. */
static char *read_policy_name(const char *rootfs)
{
	static const char key[] = "SELINUXTYPE=";
	autofree char *path = NULL, *line = NULL;
	char *name = NULL;
	size_t size = 0;
	FILE *file;

	if (asprintf(&path, "%s/etc/selinux/config", rootfs) < 0) {
		path = NULL;
		return NULL;
	}
	file = fopen(path, "re");
	while (file && !name && getline(&line, &size, file) > 0)
		if (strncmp(line, key, strlen(key)) == 0)
			name = strndup(line + strlen(key), strcspn(line + strlen(key), " \t\r\n"));
	if (file)
		fclose(file);
	return name;
}

static int use_policy(struct config *config, struct error *error)
{
	const char *rootfs = config->image.source;
	autofree char *name = read_policy_name(rootfs), *path = NULL;

	if (!name ||
	    asprintf(&path, "%s/etc/selinux/%s/contexts/files/file_contexts", rootfs, name) < 0)
		path = NULL;
	if (!path || access(path, R_OK) < 0)
		return error_usage(error,
				   VARIABLE " = yes: %s has no policy in /etc/selinux; name one's "
					    "file by --set selinux.file-contexts=FILE",
				   rootfs);
	return config_set(config, "selinux", "file-contexts", path, VARIABLE, error);
}

int dropin_apply_selinux(struct config *config, struct error *error)
{
	const char *value = getenv(VARIABLE);
	bool yes = false;

	if (value && *value && value_parse_bool(value, &yes, error) < 0)
		return error_prefix(error, VARIABLE " = %s", value);
	if (!yes || (config->selinux.file_contexts && *config->selinux.file_contexts))
		return 0;
	return use_policy(config, error);
}
