/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend would do that a tree or an image has taken over: it says what it came to. */
#include "toy.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* A file that is none of the program's business, and one that is not there. */
static const char *other(void)
{
	return getenv("TOY_OTHER");
}

static const char *made(void)
{
	return getenv("TOY_MADE");
}

static bool is_open(int fd)
{
	return fd >= 0 && close(fd) == 0;
}

/* ---- Files ---- */

static bool read_other(void)
{
	return is_open(open(other(), O_RDONLY | O_CLOEXEC));
}

static bool write_other(void)
{
	return is_open(open(other(), O_WRONLY | O_CLOEXEC));
}

static bool truncate_other(void)
{
	return truncate(other(), 0) == 0;
}

static bool make(void)
{
	return is_open(open(made(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

/* Beside the image, where there may be new files, but nothing else. */
static bool make_directory(void)
{
	return mkdir(getenv("TOY_BESIDE"), 0700) == 0 && rmdir(getenv("TOY_BESIDE")) == 0;
}

static bool link_other(void)
{
	unlink(made());
	return link(other(), made()) == 0;
}

static bool rename_other(void)
{
	return rename(other(), made()) == 0 && rename(made(), other()) == 0;
}

static bool change_mode(void)
{
	return chmod(other(), 0644) == 0;
}

static bool change_owner(void)
{
	return lchown(other(), getuid(), getgid()) == 0;
}

/* By the name of a descriptor that is open for reading alone: the image, say. */
static bool write_what_is_read(void)
{
	char name[32];
	struct stat st;

	for (int fd = 0; fd < 64; fd++) {
		int flags = fcntl(fd, F_GETFL);

		if (flags < 0 || (flags & (O_ACCMODE | O_PATH)) != O_RDONLY || fstat(fd, &st) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		if (is_open(open(name, O_WRONLY | O_CLOEXEC)))
			return true;
	}
	return false;
}

/* A descriptor of the filesystem that the file is on. */
static int find_neighbour(const char *path)
{
	struct stat st, near;

	for (int fd = 0; stat(path, &st) == 0 && fd < 64; fd++)
		if (fstat(fd, &near) == 0 && near.st_dev == st.st_dev &&
		    !(fcntl(fd, F_GETFL) & O_PATH))
			return fd;
	return -1;
}

/* By a handle, which needs no path: with CAP_DAC_READ_SEARCH. */
static bool read_by_handle(void)
{
	union {
		struct file_handle head;
		char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} handle = { .head.handle_bytes = MAX_HANDLE_SZ };
	int mount;

	return name_to_handle_at(AT_FDCWD, other(), &handle.head, &mount, 0) == 0 &&
	       is_open(open_by_handle_at(find_neighbour(other()), &handle.head,
					 O_RDONLY | O_CLOEXEC));
}

/* ---- The kernel's threads do it ---- */

struct ring {
	int fd;
	unsigned char *submission, *completion;
	struct io_uring_sqe *entries;
};

static void *map_ring(int fd, size_t size, off_t what)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, what);
}

static bool read_by_ring(void)
{
	struct io_uring_params params = { 0 };
	struct ring ring = { .fd = (int)syscall(SYS_io_uring_setup, 1, &params) };
	const struct io_uring_cqe *result;

	if (ring.fd < 0)
		return false;
	ring.submission = map_ring(ring.fd, 4096, IORING_OFF_SQ_RING);
	ring.completion = map_ring(ring.fd, 4096, IORING_OFF_CQ_RING);
	ring.entries = map_ring(ring.fd, 4096, IORING_OFF_SQES);
	ring.entries[0] = (struct io_uring_sqe){ .opcode = IORING_OP_OPENAT,
						 .fd = AT_FDCWD,
						 .addr = (uintptr_t)other(),
						 .open_flags = O_RDONLY };
	*(uint32_t *)(ring.submission + params.sq_off.array) = 0;
	*(uint32_t *)(ring.submission + params.sq_off.tail) = 1;
	if (syscall(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return false;
	result = (const struct io_uring_cqe *)(ring.completion + params.cq_off.cqes);
	return result->res >= 0;
}

/* ---- Programs and processes ---- */

static bool run(const char *path)
{
	char *const argv[] = { "true", NULL };
	pid_t pid;

	return posix_spawn(&pid, path, NULL, NULL, argv, NULL) == 0;
}

static bool run_by_itself(void)
{
	return run("/bin/true");
}

/* A program that needs no file: exit(0), for a machine that has this. */
static bool run_from_memory(void)
{
	static const unsigned char program[] = {
		0x7f, 0x45, 0x4c, 0x46, 2, 1,    1,    0,    0,    0,    0, 0,    0, 0, 0,
		0,    2,    0,    0x3e, 0, 1,    0,    0,    0,    0x78, 0, 0x40, 0, 0, 0,
		0,    0,    0x40, 0,    0, 0,    0,    0,    0,    0,    0, 0,    0, 0, 0,
		0,    0,    0,    0,    0, 0,    0,    0x40, 0,    0x38, 0, 1,    0, 0, 0,
		0,    0,    0,    0,    1, 0,    0,    0,    5,    0,    0, 0,    0, 0, 0,
		0,    0,    0,    0,    0, 0,    0,    0x40, 0,    0,    0, 0,    0, 0, 0,
		0x40, 0,    0,    0,    0, 0,    0x81, 0,    0,    0,    0, 0,    0, 0, 0x81,
		0,    0,    0,    0,    0, 0,    0,    0,    0x10, 0,    0, 0,    0, 0, 0,
		0xb8, 0x3c, 0,    0,    0, 0x31, 0xff, 0xf,  5,
	};
	int fd = memfd_create("program", 0);
	char name[32];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return write(fd, program, sizeof(program)) == sizeof(program) && run(name);
}

static bool signal_parent(void)
{
	return kill(getppid(), 0) == 0;
}

static bool trace_parent(void)
{
	return ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) == 0;
}

/* ---- Sockets: what listens does so since before ---- */

static struct sockaddr_un named, unnamed;
static socklen_t unnamed_length;

static void listen_at(const struct sockaddr_un *address, socklen_t length)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (const struct sockaddr *)address, length) < 0 || listen(fd, 8) < 0)
		perror("toy: cannot listen");
}

static bool connect_to(const struct sockaddr_un *address, socklen_t length)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_connected = fd >= 0 && connect(fd, (const struct sockaddr *)address, length) == 0;

	if (fd >= 0)
		close(fd);
	return is_connected;
}

__attribute__((constructor)) static void listen_first(void)
{
	if (!other())
		return;
	named.sun_family = AF_UNIX;
	snprintf(named.sun_path, sizeof(named.sun_path), "%s.socket", other());
	unlink(named.sun_path);
	listen_at(&named, sizeof(named));
	unnamed.sun_family = AF_UNIX;
	unnamed_length =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			    (size_t)snprintf(unnamed.sun_path + 1, sizeof(unnamed.sun_path) - 1,
					     "toy-%d", (int)getpid()));
	listen_at(&unnamed, unnamed_length);
}

static bool connect_by_path(void)
{
	return connect_to(&named, sizeof(named));
}

static bool connect_by_name(void)
{
	return connect_to(&unnamed, unnamed_length);
}

static bool bind_a_port(void)
{
	const struct sockaddr_in any = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0 && is_open(fd);
}

static bool send_a_datagram(void)
{
	const struct sockaddr_in here = { .sin_family = AF_INET,
					  .sin_port = htons(9),
					  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return sendto(fd, "", 1, 0, (const struct sockaddr *)&here, sizeof(here)) == 1 &&
	       is_open(fd);
}

static bool have_new_privileges(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
}

static bool have_all_capabilities(void)
{
	return setgroups(0, NULL) == 0;
}

static const struct {
	const char *what;
	bool (*come_to)(void);
} attempts[] = {
	{ "read", read_other },
	{ "write", write_other },
	{ "make", make },
	{ "make-directory", make_directory },
	{ "link", link_other },
	{ "rename", rename_other },
	{ "truncate", truncate_other },
	{ "change-mode", change_mode },
	{ "change-owner", change_owner },
	{ "write-what-is-read", write_what_is_read },
	{ "read-by-handle", read_by_handle },
	{ "read-by-ring", read_by_ring },
	{ "run", run_by_itself },
	{ "run-from-memory", run_from_memory },
	{ "signal", signal_parent },
	{ "trace", trace_parent },
	{ "connect-by-path", connect_by_path },
	{ "connect-by-name", connect_by_name },
	{ "bind", bind_a_port },
	{ "send", send_a_datagram },
	{ "new-privileges", have_new_privileges },
	{ "all-capabilities", have_all_capabilities },
};

void toy_escape(const struct kataimg_host *host)
{
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		if (attempts[i].come_to())
			host->log(host->ctx, KATAIMG_LOG_WARNING, "came to %s", attempts[i].what);
}

int toy_needs_other(const struct kataimg_host *host)
{
	if (!getenv("TOY_NEEDS") || read_other())
		return 0;
	host->error(host->ctx, "%s: %s", other(), strerror(errno));
	return -EACCES;
}
