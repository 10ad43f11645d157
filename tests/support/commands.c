/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/commands.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/cli/cli.h"

#define WORDS_MAX 32

static void redirect(int to, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || dup2(fd, to) < 0)
		_exit(99);
}

int command_run(const char *const *words, const char *out)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		char *arguments[WORDS_MAX] = { (char *)"kataimg" };
		int count = 1;

		for (; words[count - 1] && count < WORDS_MAX - 1; count++)
			arguments[count] = (char *)words[count - 1];
		redirect(STDOUT_FILENO, out);
		redirect(STDERR_FILENO, "complained");
		exit(cli_main(count, arguments));
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

const char *command_text(const char *path, char text[COMMAND_TEXT_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, text, COMMAND_TEXT_BYTES - 1);

	assert_true(len >= 0);
	text[len] = '\0';
	close(fd);
	return text;
}

void command_says(const char *const *words, const char *said)
{
	char text[COMMAND_TEXT_BYTES];

	if (command_run(words, "said") != 0)
		fail_msg("%s: %s", words[0], command_text("complained", text));
	assert_string_equal(command_text("said", text), said);
}

void command_refused(const char *const *words, int code, const char *message)
{
	char text[COMMAND_TEXT_BYTES], expected[COMMAND_TEXT_BYTES];

	assert_int_equal(command_run(words, "said"), code);
	snprintf(expected, sizeof(expected), "kataimg: error: %s\n", message);
	assert_string_equal(command_text("complained", text), expected);
	assert_string_equal(command_text("said", text), "");
}

void command_tells(const char *const *words, int code, const char *line)
{
	char text[COMMAND_TEXT_BYTES], whole[COMMAND_TEXT_BYTES];
	int ret = command_run(words, "said");

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (ret != code || !strstr(command_text("said", text), whole))
		fail_msg("%s: exit %d: no line '%s' in\n%s", words[0], ret, line, text);
}
