/* SPDX-License-Identifier: Apache-2.0 */
#include "core/confine/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/confine/landlock.h"
#include "lib/libc.h"

#define READ (LANDLOCK_FS_READ_FILE | LANDLOCK_FS_READ_DIR | LANDLOCK_FS_IOCTL_DEV)
#define MAKE                                                                     \
	(LANDLOCK_FS_READ_FILE | LANDLOCK_FS_READ_DIR | LANDLOCK_FS_WRITE_FILE | \
	 LANDLOCK_FS_TRUNCATE | LANDLOCK_FS_MAKE_REG | LANDLOCK_FS_REMOVE_FILE | \
	 LANDLOCK_FS_REFER)
#define TREE                                                                            \
	(MAKE | LANDLOCK_FS_REMOVE_DIR | LANDLOCK_FS_MAKE_CHAR | LANDLOCK_FS_MAKE_DIR | \
	 LANDLOCK_FS_MAKE_SOCK | LANDLOCK_FS_MAKE_FIFO | LANDLOCK_FS_MAKE_BLOCK |       \
	 LANDLOCK_FS_MAKE_SYM)

static const uint64_t rights[] = {
	[CONFINE_LIST] = LANDLOCK_FS_READ_DIR,
	[CONFINE_READ] = READ,
	[CONFINE_WRITE] = LANDLOCK_FS_WRITE_FILE | LANDLOCK_FS_TRUNCATE | LANDLOCK_FS_IOCTL_DEV,
	[CONFINE_MAKE] = MAKE,
	[CONFINE_TREE] = TREE,
	[CONFINE_REMOVE] = LANDLOCK_FS_REMOVE_DIR,
	[CONFINE_RUN] = READ | LANDLOCK_FS_EXECUTE,
};

static bool is_off, is_confined;

void confine_switch_off(void)
{
	is_off = true;
}

/* What a version has beyond the one before it. */
static uint64_t rights_of_version(int version)
{
	uint64_t known = LANDLOCK_FS_EXECUTE | TREE;

	if (version < 2)
		known &= ~LANDLOCK_FS_REFER;
	if (version < 3)
		known &= ~LANDLOCK_FS_TRUNCATE;
	if (version >= 5)
		known |= LANDLOCK_FS_IOCTL_DEV;
	return known;
}

/* A kernel takes a structure that is longer than its own if what it does not know is zero. */
static int make_ruleset(int version, uint64_t handled)
{
	const struct landlock_ruleset ruleset = {
		.handled_access_fs = handled,
		.handled_access_net = version >= 4 ? LANDLOCK_NET_ALL : 0,
		.scoped = version >= 6 ? LANDLOCK_SCOPE_ALL : 0,
	};

	return (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset), 0);
}

void confine_begin(struct confine *confine, bool tree)
{
	*confine = CONFINE_NONE;
	if (is_off)
		return;
	confine->version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_ASK_VERSION);
	if (confine->version < 1)
		confine->code = errno;
	/* The first version knows no link from one directory to another, and allows none. */
	if (confine->version < 1 || (tree && confine->version < 2))
		return;
	confine->handled = rights_of_version(confine->version);
	confine->ruleset = make_ruleset(confine->version, confine->handled);
	if (confine->ruleset < 0)
		confine->code = errno;
}

void confine_end(struct confine *confine)
{
	if (confine->ruleset >= 0)
		close(confine->ruleset);
	confine->ruleset = -1;
}

static int add_rule(const struct confine *confine, int fd, enum confine_access access)
{
	struct landlock_beneath rule = { .allowed_access = rights[access] & confine->handled,
					 .parent_fd = fd };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= LANDLOCK_FS_OF_FILES;
	/* A rule that allows nothing is none. */
	if (!rule.allowed_access)
		return 0;
	return syscall(SYS_landlock_add_rule, confine->ruleset, LANDLOCK_RULE_BENEATH, &rule, 0) < 0
		       ? -errno
		       : 0;
}

int confine_allow(struct confine *confine, const char *path, enum confine_access access,
		  struct error *error)
{
	autoclose int fd = confine->ruleset < 0 ? -1 : open(path, O_PATH | O_CLOEXEC);
	int ret = 0;

	if (fd >= 0)
		ret = add_rule(confine, fd, access);
	else if (confine->ruleset >= 0)
		ret = -errno;
	/* What ran out says nothing of the path, which would be refused later on. */
	if (ret == -EMFILE || ret == -ENFILE)
		return error_errno(error, -ret, "cannot open %s", path);
	return ret == -ENOMEM ? error_nomem(error) : 0;
}

int confine_allow_parent(struct confine *confine, const char *path, enum confine_access access,
			 struct error *error)
{
	autofree char *copy = strdup(path);

	return copy ? confine_allow(confine, dirname(copy), access, error) : error_nomem(error);
}

int confine_allow_scratch(struct confine *confine, struct error *error)
{
	const char *directory = getenv("TMPDIR");

	return confine_allow(confine, directory && *directory ? directory : "/var/tmp",
			     CONFINE_MAKE, error);
}

int confine_allow_programs(struct confine *confine, struct error *error)
{
	int ret = confine_allow(confine, "/", CONFINE_RUN, error);

	confine->programs = true;
	return ret < 0 ? ret : confine_allow(confine, "/dev/null", CONFINE_WRITE, error);
}

static void warn(const char *what, int code)
{
	log_warning("not confined: cannot %s: %s", what, errno_text(code));
}

/* How much of it the kernel has is the kernel's business; that it fails in it is not. */
static void note(const struct confine *confine)
{
	if (confine->version < 1)
		log_debug("not confined: this kernel has no Landlock, or not switched on: %s",
			  errno_text(confine->code));
	else if (confine->code)
		warn("make a Landlock ruleset", confine->code);
	else if (confine->ruleset < 0)
		log_debug("not confined: Landlock of this kernel allows no links between "
			  "directories");
	else
		log_debug("confined by version %d of Landlock", confine->version);
}

/* In a build with AddressSanitizer the search for leaks, at the end, looks at all threads, as a
 * debugger does. */
static void allow_leak_search(struct confine *confine)
{
#ifdef __SANITIZE_ADDRESS__
	autoerror struct error ignored = ERROR_INIT;

	confine_allow(confine, "/proc/self", CONFINE_READ, &ignored);
	confine->programs = true;
#else
	(void)confine;
#endif
}

/* That the kernel has no such filter (ENOSYS, EINVAL) is its business, too. */
static void filter_calls(const struct confine *confine)
{
	int ret = confine->programs ? 0 : confine_filter_calls(confine);

	if (ret == -ENOSYS || ret == -EINVAL)
		log_debug("system calls are not filtered: %s", errno_text(-ret));
	else if (ret < 0)
		warn("filter system calls", -ret);
}

void confine_enter(struct confine *confine)
{
	int ret;

	if (is_off)
		return;
	is_off = true;
	allow_leak_search(confine);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		warn("give up new privileges", errno);
		return;
	}
	if (confine->ruleset >= 0 && syscall(SYS_landlock_restrict_self, confine->ruleset, 0) < 0) {
		warn("enter a Landlock domain", errno);
		return;
	}
	is_confined = confine->ruleset >= 0;
	ret = confine_drop_capabilities(confine);
	if (ret < 0)
		warn("drop capabilities", -ret);
	filter_calls(confine);
	note(confine);
	confine_end(confine);
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* Where the program has found the cause itself, its words are not the system's. */
void confine_explain(struct error *error)
{
	const char *why = errno_text(error->code);

	if (is_confined && (error->code == EACCES || error->code == EPERM) && error->message &&
	    why && ends_with(error->message, why))
		error_append(error,
			     " (kataimg is confined to what it was given: --no-sandbox shows "
			     "whether that is why)");
}
