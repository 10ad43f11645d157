/* SPDX-License-Identifier: Apache-2.0 */
/* Usage: generate TEMPLATE OUTPUT; BACKEND, when it is compiled: the table of the page's, or NULL
 */
#include "docs/generate/generate.h"

#include <string.h>

#include "lib/cleanup.h"

static const struct {
	const char *name;
	expansion_fn *expand;
} expansions[] = {
	{ "VERSION", man_version },
	{ "SYNOPSIS", man_synopsis },
	{ "OPTIONS", man_options },
	{ "ENVIRONMENT", man_environment },
	{ "SECTIONS", man_sections },
	{ "BACKEND-TITLE", man_backend_title },
	{ "BACKEND-OPTIONS", man_backend_options },
	{ "BASH-COMMANDS", bash_commands },
	{ "BASH-ARGUMENTS", bash_arguments },
	{ "ZSH-COMMANDS", zsh_commands },
	{ "BASH-VALUES", bash_values },
	{ "ZSH-VALUES", zsh_values },
	{ "SETTING-WORDS", setting_words },
	{ "COMMAND-WORDS", command_words },
};

/* Splits "@NAME ARGUMENT@\n" in place. NULL when the line is none. */
static const char *split_expansion(char *line, const char **argument)
{
	size_t len = strcspn(line, "\n");
	char *space;

	if (len < 3 || line[0] != '@' || line[len - 1] != '@')
		return NULL;
	line[len - 1] = '\0';
	space = strchr(line, ' ');
	*argument = space ? space + 1 : "";
	if (space)
		*space = '\0';
	return line + 1;
}

/* -1 when the template asks for what does not exist. */
static int copy_line(char *line, FILE *out, const struct kataimg_backend *backend)
{
	const char *argument, *name = split_expansion(line, &argument);

	if (!name) {
		fputs(line, out);
		return 0;
	}
	for (size_t i = 0; i < sizeof(expansions) / sizeof(expansions[0]); i++) {
		if (strcmp(expansions[i].name, name) == 0) {
			expansions[i].expand(out, argument, backend);
			return 0;
		}
	}
	fprintf(stderr, "generate: no expansion %s\n", name);
	return -1;
}

static int copy_template(FILE *template, FILE *out, const struct kataimg_backend *backend)
{
	autofree char *line = NULL;
	size_t size = 0;
	int ret = 0;

	while (ret == 0 && getline(&line, &size, template) > 0)
		ret = copy_line(line, out, backend);
	return ret;
}

static int generate(const char *template_path, const char *out_path)
{
	FILE *template = fopen(template_path, "re");
	FILE *out = fopen(out_path, "we");
	int ret = template && out ? copy_template(template, out, BACKEND) : -1;

	if (template)
		fclose(template);
	if (out && fclose(out) != 0)
		ret = -1;
	if (ret < 0)
		fprintf(stderr, "generate: cannot make %s out of %s\n", out_path, template_path);
	return ret;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("Usage: generate TEMPLATE OUTPUT\n", stderr);
		return 2;
	}
	return generate(argv[1], argv[2]) < 0;
}
