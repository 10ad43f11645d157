/* SPDX-License-Identifier: Apache-2.0 */
/* What Landlock has no say in, or only of late: system calls that no part of the program makes once
 * it is confined, and that reach beyond files. They fail with EPERM, as Landlock would have it. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/confine/confine.h"

/* A call's numbers belong to an architecture. Where this is 0, nothing is filtered. */
#if defined(__x86_64__) && defined(__LP64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define ARCHITECTURE AUDIT_ARCH_I386
#elif defined(__ARM_EABI__)
#define ARCHITECTURE AUDIT_ARCH_ARM
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__s390x__)
#define ARCHITECTURE AUDIT_ARCH_S390X
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE AUDIT_ARCH_PPC64LE
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#else
#define ARCHITECTURE 0
#endif

/* Numbers that are the same on all of these, of calls that the headers of a build may not know. */
enum {
	CALL_MOUNT_SETATTR = 442,
	CALL_QUOTACTL_FD = 443,
	CALL_FCHMODAT2 = 452,
	CALL_SETXATTRAT = 463,
	CALL_REMOVEXATTRAT = 466,
};

static const unsigned int denied[] = {
	/* programs, and other processes */
	SYS_execve,
	SYS_execveat,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
	SYS_kill,
	SYS_tkill,
	SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo,
	SYS_pidfd_open,
	SYS_pidfd_getfd,
	SYS_pidfd_send_signal,
	/* sockets of every kind, also those that are files */
	SYS_socket,
	SYS_socketpair,
#ifdef SYS_socketcall
	SYS_socketcall,
#endif
	/* other ways to the same */
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	/* what CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH would allow, and the kernel's larger surfaces
	 */
	SYS_open_by_handle_at,
	SYS_mount,
	SYS_umount2,
#ifdef SYS_umount
	SYS_umount,
#endif
	CALL_MOUNT_SETATTR,
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
	CALL_QUOTACTL_FD,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
};

/* Of files by name, which only who fills a directory makes so. */
static const unsigned int attributes_by_name[] = {
#ifdef SYS_chmod
	SYS_chmod,
#endif
#ifdef SYS_chown
	SYS_chown,
#endif
#ifdef SYS_lchown
	SYS_lchown,
#endif
#ifdef SYS_chown32
	SYS_chown32,     SYS_lchown32,
#endif
	SYS_fchmodat,    CALL_FCHMODAT2,   SYS_fchownat,    SYS_setxattr,       SYS_lsetxattr,
	SYS_removexattr, SYS_lremovexattr, CALL_SETXATTRAT, CALL_REMOVEXATTRAT,
};

/* What a terminal takes for typed. */
static const unsigned int denied_requests[] = { TIOCSTI, TIOCLINUX };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DENY (SECCOMP_RET_ERRNO | EPERM)

struct program {
	struct sock_filter code[2 * (COUNT(denied) + COUNT(attributes_by_name)) + 24];
	unsigned short length;
};

static void add(struct program *program, unsigned short code, unsigned int value,
		unsigned char if_true, unsigned char if_false)
{
	program->code[program->length++] =
		(struct sock_filter){ .code = code, .jt = if_true, .jf = if_false, .k = value };
}

static void load(struct program *program, size_t offset)
{
	add(program, BPF_LD | BPF_W | BPF_ABS, (unsigned int)offset, 0, 0);
}

static void end(struct program *program, unsigned int action)
{
	add(program, BPF_RET | BPF_K, action, 0, 0);
}

static void deny_each(struct program *program, const unsigned int *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		add(program, BPF_JMP | BPF_JEQ | BPF_K, values[i], 0, 1);
		end(program, DENY);
	}
}

/* The half of an argument that holds an int. */
static size_t argument(unsigned int i)
{
	return offsetof(struct seccomp_data, args) + i * sizeof(uint64_t) +
	       (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? sizeof(uint32_t) : 0);
}

/* Another ABI of the same machine has other numbers: all its calls fail. x86-64 has one that only a
 * bit of the number tells. */
static void deny_other_numbers(struct program *program)
{
	load(program, offsetof(struct seccomp_data, arch));
	add(program, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
	end(program, DENY);
	load(program, offsetof(struct seccomp_data, nr));
	add(program, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
	end(program, DENY);
}

/* abort() and raise() signal a thread of the process itself. */
static void deny_arguments(struct program *program)
{
	add(program, BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 0, 4);
	load(program, argument(0));
	add(program, BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)getpid(), 1, 0);
	end(program, DENY);
	end(program, SECCOMP_RET_ALLOW);
	add(program, BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 1, 0);
	end(program, SECCOMP_RET_ALLOW);
	load(program, argument(1));
	deny_each(program, denied_requests, COUNT(denied_requests));
	end(program, SECCOMP_RET_ALLOW);
}

int confine_filter_calls(const struct confine *confine)
{
	struct program program = { .length = 0 };
	struct sock_fprog filter = { .filter = program.code };

	if (!ARCHITECTURE)
		return -ENOSYS;
	deny_other_numbers(&program);
	deny_each(&program, denied, COUNT(denied));
	if (!confine->devices)
		deny_each(&program, attributes_by_name, COUNT(attributes_by_name));
	deny_arguments(&program);
	filter.len = program.length;
	/* Without SPEC_ALLOW, old kernels would make the whole program slower. */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		       &filter) < 0
		       ? -errno
		       : 0;
}
