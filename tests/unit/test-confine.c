/* SPDX-License-Identifier: Apache-2.0 */
/* A process confines itself once: what is looked at after that happens in one of its own. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/confine/confine.h"
#include "core/confine/landlock.h"

/* cmocka's assertions are for its own process: a child says by its exit status which line failed.
 */
#define HOLDS(condition)                           \
	do {                                       \
		if (!(condition))                  \
			_exit(__LINE__ % 255 + 1); \
	} while (0)

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_ASK_VERSION) > 0;
}

static void assert_in_child(void (*run)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		run();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void enter(void)
{
	struct error error = ERROR_INIT;
	struct confine confine;

	confine_begin(&confine, false);
	HOLDS(confine_allow(&confine, "/usr", CONFINE_READ, &error) == 0);
	confine_enter(&confine);
}

static bool explains(int code, const char *words)
{
	autoerror struct error error = ERROR_INIT;

	if (words)
		error_set(&error, code, "%s", words);
	else
		error_errno(&error, code, "a file");
	confine_explain(&error);
	return strstr(error.message, "--no-sandbox") != NULL;
}

static void explain_before_and_after(void)
{
	HOLDS(!explains(EACCES, NULL));
	enter();
	HOLDS(explains(EACCES, NULL));
	HOLDS(explains(EPERM, NULL));
	HOLDS(!explains(ENOENT, NULL));
	HOLDS(!explains(EACCES, "a file that nobody but its owner reads"));
}

static void test_refusals_are_explained(void **state)
{
	(void)state;
	if (!has_landlock())
		skip();
	assert_in_child(explain_before_and_after);
}

static void explain_nothing(void)
{
	confine_switch_off();
	enter();
	HOLDS(!explains(EACCES, NULL));
	HOLDS(open("/etc/passwd", O_RDONLY) >= 0);
}

static void test_switched_off_it_explains_nothing(void **state)
{
	(void)state;
	assert_in_child(explain_nothing);
}

/* An emulator of user programs has none, and the address sanitizer's own calls would be refused. */
static bool has_filters(void)
{
#ifdef __SANITIZE_ADDRESS__
	return false;
#else
	uint32_t action = SECCOMP_RET_ERRNO;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
#endif
}

static void call_what_is_filtered(void)
{
	char byte = ' ';
	int terminal = open("/dev/null", O_RDONLY);

	HOLDS(terminal >= 0);
	enter();
	HOLDS(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM);
#ifdef SYS_socketcall
	HOLDS(syscall(SYS_socketcall, 0, NULL) < 0 && errno == EPERM);
#endif
	HOLDS(kill(getpid(), 0) < 0 && errno == EPERM);
	/* Of /dev/null the kernel would say ENOTTY. */
	HOLDS(ioctl(terminal, TIOCSTI, &byte) < 0 && errno == EPERM);
	HOLDS(ioctl(terminal, TIOCGWINSZ, &byte) < 0 && errno == ENOTTY);
	HOLDS(syscall(SYS_tgkill, getppid(), getppid(), 0) < 0 && errno == EPERM);
	HOLDS(syscall(SYS_tgkill, getpid(), gettid(), 0) == 0);
	HOLDS(syscall(452 /* fchmodat2 */, AT_FDCWD, "/usr", 0755, 0) < 0 && errno == EPERM);
#ifdef __x86_64__
	/* x32, and i386, whose number 20 is getpid. */
	HOLDS(syscall(0x40000000 + SYS_getpid) < 0 && errno == EPERM);
	long result = 20;
	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	HOLDS(result < 0);
#endif
}

static void assert_filtered(void (*run)(void))
{
	if (!has_filters())
		skip();
	assert_in_child(run);
}

static void test_calls_are_filtered(void **state)
{
	(void)state;
	assert_filtered(call_what_is_filtered);
}

/* All that SECURITY.md says is filtered. With arguments that are none, each would say something
 * else if it were let through, or that it is not allowed anyway. */
static const long filtered[] = {
	SYS_execve,
	SYS_execveat,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
	SYS_kill,
	SYS_tkill,
	SYS_tgkill,
	SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo,
	SYS_pidfd_open,
	SYS_pidfd_getfd,
	SYS_pidfd_send_signal,
	SYS_socket,
	SYS_socketpair,
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_open_by_handle_at,
	SYS_mount,
	SYS_umount2,
	442, /* mount_setattr */
	SYS_pivot_root,
	SYS_chroot,
	SYS_open_tree,
	SYS_move_mount,
	SYS_fsopen,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fspick,
	SYS_unshare,
	SYS_setns,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_swapon,
	SYS_swapoff,
	SYS_quotactl,
	443, /* quotactl_fd */
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_fchmodat,
	452, /* fchmodat2 */
	SYS_fchownat,
	SYS_setxattr,
	SYS_lsetxattr,
	SYS_removexattr,
	SYS_lremovexattr,
	463, /* setxattrat */
	466, /* removexattrat */
#ifdef SYS_chmod
	SYS_chmod,
	SYS_chown,
	SYS_lchown,
#endif
};

static void call_each(void)
{
	enter();
	for (size_t i = 0; i < sizeof(filtered) / sizeof(filtered[0]); i++) {
		errno = 0;
		HOLDS(syscall(filtered[i], -1, -1, -1, -1, -1, -1) < 0 && errno == EPERM);
	}
}

static void test_each_call_is_filtered(void **state)
{
	(void)state;
	assert_filtered(call_each);
}

/* ---- Capabilities ---- */

static uint64_t capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3];

	HOLDS(syscall(SYS_capget, &header, words) == 0);
	HOLDS(words[0].effective == words[0].permitted && words[1].effective == words[1].permitted);
	return words[0].effective | (uint64_t)words[1].effective << 32;
}

static const uint64_t of_files = 1 << CAP_CHOWN | 1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH |
				 1 << CAP_FOWNER | 1 << CAP_SYS_RESOURCE;
static const uint64_t of_attributes = 1 << CAP_SYS_ADMIN | UINT64_C(1) << CAP_MAC_ADMIN;
static const uint64_t of_devices = 1 << CAP_FSETID | 1 << CAP_MKNOD | UINT64_C(1) << CAP_SETFCAP;

/* Of those that there were before, nothing else is left. */
static void keep(bool attributes, bool devices)
{
	const uint64_t kept =
		of_files | (attributes ? of_attributes : 0) | (devices ? of_devices : 0);
	const uint64_t before = capabilities();
	struct confine confine;

	confine_begin(&confine, false);
	confine.attributes = attributes;
	confine.devices = devices;
	confine_enter(&confine);
	HOLDS(capabilities() == (before & kept));
}

static void keep_few(void)
{
	keep(false, false);
}

static void keep_for_attributes(void)
{
	keep(true, false);
}

static void keep_for_devices(void)
{
	keep(false, true);
}

static void test_capabilities_are_those_in_need(void **state)
{
	(void)state;
	assert_in_child(keep_few);
	assert_in_child(keep_for_attributes);
	assert_in_child(keep_for_devices);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals_are_explained),
		cmocka_unit_test(test_switched_off_it_explains_nothing),
		cmocka_unit_test(test_calls_are_filtered),
		cmocka_unit_test(test_each_call_is_filtered),
		cmocka_unit_test(test_capabilities_are_those_in_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
