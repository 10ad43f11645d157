/* SPDX-License-Identifier: Apache-2.0 */
/* USER and GROUP: the script gave the finished image to them. */
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/config/value.h"
#include "core/guest/dropin.h"

/* A name or a number; -1 when it is neither. */
static long find_id(const char *text, long (*by_name)(const char *name))
{
	uint64_t number;
	autoerror struct error error = ERROR_INIT;
	long id = by_name(text);

	if (id < 0 && value_parse_u64(text, 0, UINT32_MAX - 1, &number, &error) == 0)
		id = (long)number;
	return id;
}

static long find_user(const char *name)
{
	const struct passwd *user = getpwnam(name);

	return user ? (long)user->pw_uid : -1;
}

static long find_group(const char *name)
{
	const struct group *group = getgrnam(name);

	return group ? (long)group->gr_gid : -1;
}

int dropin_find_owner(uid_t *owner, gid_t *group, struct error *error)
{
	const char *user_name = getenv("USER"), *group_name = getenv("GROUP");
	long user_id, group_id;

	*owner = (uid_t)-1;
	*group = (gid_t)-1;
	if (geteuid() != 0 || !user_name || !*user_name || !group_name || !*group_name)
		return 0;
	user_id = find_id(user_name, find_user);
	group_id = find_id(group_name, find_group);
	if (user_id < 0)
		return error_usage(error, "USER = %s: no such user", user_name);
	if (group_id < 0)
		return error_usage(error, "GROUP = %s: no such group", group_name);
	*owner = (uid_t)user_id;
	*group = (gid_t)group_id;
	return 0;
}
