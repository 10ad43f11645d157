/* SPDX-License-Identifier: Apache-2.0 */
/* Runs an external tool for a backend that wraps one; its output goes to the log. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/backend/host_private.h"
#include "core/base/log.h"
#include "lib/libc.h"

#define OUTPUT_FD 3
#define POLL_MS 50

extern char **environ;

static int spawn_tool(const char *const *argv, const struct kataimg_scratch *input,
		      const struct kataimg_scratch *output, int log_fd, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int ret = posix_spawn_file_actions_init(&actions);

	if (ret)
		return -ret;
	if (input)
		ret = posix_spawn_file_actions_adddup2(&actions, input->fd, 0);
	else
		ret = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (!ret)
		ret = posix_spawn_file_actions_adddup2(&actions, log_fd, 1);
	if (!ret)
		ret = posix_spawn_file_actions_adddup2(&actions, log_fd, 2);
	if (!ret && output)
		ret = posix_spawn_file_actions_adddup2(&actions, output->fd, OUTPUT_FD);
	if (!ret)
		ret = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -ret;
}

/* What the tool has said of a line that has not ended yet. */
struct line {
	char text[1024];
	size_t len;
};

static void log_line(const struct kataimg_host_ctx *ctx, const char *tool, struct line *line)
{
	line->text[line->len] = '\0';
	log_info("%s: %s: %s", ctx->setup.backend, tool, line->text);
	line->len = 0;
}

static void take_output(const struct kataimg_host_ctx *ctx, const char *tool, struct line *line,
			const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != '\n')
			line->text[line->len++] = bytes[i];
		if (bytes[i] == '\n' || line->len == sizeof(line->text) - 1)
			log_line(ctx, tool, line);
	}
}

/* Lines of the tool to the log, until it closes its output or the build is to stop: a line need not
 * end for that. */
static int forward_output(struct kataimg_host_ctx *ctx, const char *tool, int fd)
{
	struct line line = { .len = 0 };
	char bytes[1024];

	for (;;) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		ssize_t len = poll(&wait, 1, POLL_MS) > 0 ? read(fd, bytes, sizeof(bytes)) : -1;

		if (host_check_cancelled(ctx) < 0)
			return -ECANCELED;
		if (len < 0 && wait.revents && errno != EINTR)
			return host_fail(ctx, errno, "cannot read what %s says", tool);
		if (len > 0)
			take_output(ctx, tool, &line, bytes, (size_t)len);
		if (len != 0)
			continue;
		if (line.len > 0)
			log_line(ctx, tool, &line);
		return 0;
	}
}

static void end_tool(pid_t pid)
{
	kill(pid, SIGTERM);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/* One that has closed its output may still have work to do: a build that is to stop ends it. */
static int wait_tool(struct kataimg_host_ctx *ctx, const char *tool, pid_t pid)
{
	int status, ms = 1;
	pid_t ended;

	while ((ended = waitpid(pid, &status, WNOHANG)) == 0 && host_check_cancelled(ctx) == 0) {
		poll(NULL, 0, ms);
		ms = ms < POLL_MS ? 2 * ms : ms;
	}
	if (ended == 0) {
		end_tool(pid);
		return -ECANCELED;
	}
	if (ended < 0)
		return host_fail(ctx, errno, "lost the program %s", tool);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return host_fail(ctx, EIO, "the program %s was ended by signal %d", tool,
				 WTERMSIG(status));
	return host_fail(ctx, EIO, "the program %s failed with exit code %d", tool,
			 WEXITSTATUS(status));
}

static bool is_declared(const char *const *programs, const char *name)
{
	for (; programs && *programs; programs++)
		if (strcmp(*programs, "*") == 0 || strcmp(*programs, name) == 0)
			return true;
	return false;
}

int host_service_run(struct kataimg_host_ctx *ctx, const char *const *argv,
		     struct kataimg_scratch *input, struct kataimg_scratch *output)
{
	int pipe_fds[2], ret = host_check_cancelled(ctx);
	autoclose int said = -1;
	pid_t pid;

	if (ret < 0)
		return ret;
	if (!is_declared(ctx->setup.programs, argv[0]))
		return host_fail(ctx, EPERM,
				 "%s is none of the programs that the backend's table has",
				 argv[0]);
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return host_fail(ctx, errno, "cannot run %s: %s", argv[0], strerror(errno));
	ret = spawn_tool(argv, input, output, pipe_fds[1], &pid);
	said = pipe_fds[0];
	close(pipe_fds[1]);
	if (ret < 0)
		return host_fail(ctx, -ret, "cannot run %s: %s", argv[0], errno_text(-ret));
	ret = forward_output(ctx, argv[0], said);
	if (ret < 0) {
		end_tool(pid);
		return ret;
	}
	return wait_tool(ctx, argv[0], pid);
}
