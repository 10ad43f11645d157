/* SPDX-License-Identifier: Apache-2.0 */
/* The lines that Kata's runtime is told of the images that are extensions, in its configuration. */
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/textstream.h"
#include "core/builder/private.h"

/* A basic string of TOML, of UTF-8. */
static void print_string(FILE *out, const char *key, const char *text)
{
	fprintf(out, "%s = \"", key);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(out, "\\%c", *c);
		else if (*c < 0x20 || *c == 0x7f)
			fprintf(out, "\\u%04x", *c);
		else
			fputc(*c, out);
	}
	fputs("\"\n", out);
}

/* An extension that is not measured has empty parameters: the runtime names it to the guest all the
 * same. */
static void print_extension(FILE *out, const struct build *build, const char *name, int len)
{
	struct parameters parameters = { .line = "" };

	if (build->measured)
		build_make_parameters(build, &parameters);
	fprintf(out, "[[hypervisor.qemu.guest_extension_images]]\nname = \"%.*s\"\n", len, name);
	print_string(out, "path", build->output_name);
	print_string(out, "verity_params", parameters.line);
}

int build_check_extension(struct build *build, struct error *error)
{
	const char *name;
	const char *obstacle = build->config->verity.enabled ? build_kata_obstacle(build) : NULL;

	if (build_extension_name(build, &name) == 0)
		return 0;
	if (artifact_prefix(build->config->image.output))
		return error_usage(error,
				   "--toml: Kata's runtime reads a file, not what is in %s: leave "
				   "out --toml, or give the image a file as [image] output",
				   build->config->image.output);
	if (!obstacle)
		return 0;
	return error_usage(error, "--toml: Kata's runtime cannot read the hash tree: %s", obstacle);
}

/* By the path that was found, which has more in it than the one that was given. */
int build_check_extension_path(struct build *build, struct error *error)
{
	const char *name;

	if (build_extension_name(build, &name) == 0 || text_is_utf8(build->output_name))
		return 0;
	return error_usage(error, "--toml: TOML is UTF-8, which %s is not: choose another output",
			   build->output_name);
}

int toml_text(const struct build_set *set, char **text, struct error *error)
{
	struct text_stream stream;
	size_t count = 0;

	if (text_stream_open(&stream) < 0)
		return error_nomem(error);
	for (size_t i = 0; i < set->count; i++) {
		const char *name;
		int len = build_extension_name(&set->builds[i], &name);

		if (len == 0)
			continue;
		if (count++)
			fputc('\n', stream.out);
		print_extension(stream.out, &set->builds[i], name, len);
	}
	if (text_stream_close(&stream, text) < 0)
		return error_nomem(error);
	/* Whoever writes it ends the last line. */
	if (count > 0)
		(*text)[strlen(*text) - 1] = '\0';
	return 0;
}
