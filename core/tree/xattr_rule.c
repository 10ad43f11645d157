/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/xattr_rule.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "lib/acl.h"

/* A namespace, and at least one byte of a name in it. */
static bool is_in(const char *name, const char *space)
{
	size_t len = strlen(space);

	return strncmp(name, space, len) == 0 && name[len] != '\0';
}

const char *tree_xattr_refusal(enum kataimg_type type, const char *name)
{
	if (is_in(name, "trusted.") || is_in(name, "security."))
		return NULL;
	if (is_in(name, "user."))
		return type == KATAIMG_REG || type == KATAIMG_DIR
			       ? NULL
			       : "user attributes of what is neither file nor directory";
	if (strcmp(name, ACL_ACCESS_NAME) == 0)
		return type != KATAIMG_LNK ? NULL : "ACLs of symbolic links";
	if (strcmp(name, ACL_DEFAULT_NAME) == 0)
		return type == KATAIMG_DIR ? NULL : "default ACLs of what is no directory";
	return "attributes of a namespace that Linux has not";
}
