/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/measured.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/inspect/findings.h"
#include "core/measure/measure.h"
#include "lib/hex.h"

/* The salt of a line as verity_format_line makes it, if its root hash is the one. To be freed. */
static char *salt_of_line(const char *line, const char *root_hash)
{
	autofree char *start = NULL;
	const char *salt;
	size_t len;

	if (asprintf(&start, "root_hash=%s,salt=", root_hash) < 0) {
		start = NULL;
		return NULL;
	}
	len = strlen(start);
	if (strncasecmp(line, start, len) != 0)
		return NULL;
	salt = line + len;
	return strndup(salt, strcspn(salt, ",\n"));
}

static char *salt_of_file(const char *path, const char *root_hash)
{
	char line[VERITY_LINE_BYTES] = "";
	FILE *file = fopen(path, "re");

	if (!file)
		return NULL;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	return salt_of_line(line, root_hash);
}

/* From the root hash's file beside the image. NULL: none has it. To be freed. */
static char *find_salt(const char *image, const char *root_hash)
{
	const char *slash = strrchr(image, '/');
	int dir_len = slash ? (int)(slash - image) + 1 : 0;
	autofree char *pattern = NULL;
	glob_t files = { 0 };
	char *salt = NULL;

	if (asprintf(&pattern, "%.*sroot_hash_*.txt", dir_len, image) < 0) {
		pattern = NULL;
		return NULL;
	}
	if (glob(pattern, 0, NULL, &files) == 0)
		for (size_t i = 0; !salt && i < files.gl_pathc; i++)
			salt = salt_of_file(files.gl_pathv[i], root_hash);
	globfree(&files);
	return salt;
}

static int parse_values(const char *path, const char *root_hash, const char *salt,
			struct verity_params *params, uint8_t root[DIGEST_BYTES],
			struct error *error)
{
	autofree char *found = salt ? strdup(salt) : find_salt(path, root_hash);
	size_t len;

	if (hex_parse(root_hash, root, DIGEST_BYTES, &len) < 0 || len != DIGEST_BYTES)
		return error_usage(error, "--root-hash %s: not %d hexadecimal digits", root_hash,
				   2 * DIGEST_BYTES);
	if (!found)
		return error_usage(error,
				   "no root_hash_*.txt beside %s has this root hash: give --salt",
				   path);
	if (hex_parse(found, params->salt, sizeof(params->salt), &params->salt_len) < 0)
		return error_usage(error, "the salt %s is not hexadecimal of at most %d bytes",
				   found, VERITY_SALT_MAX_BYTES);
	return 0;
}

static int check_tree(const char *path, const struct inspection *inspection, unsigned int threads,
		      const struct verity_params *params, const uint8_t root[DIGEST_BYTES],
		      struct error *error)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	const struct measure_area area = {
		.fd = fd,
		.data_off = inspection->partitions[0].start_bytes,
		.tree_off = inspection->partitions[1].start_bytes,
		.threads = threads,
	};

	if (fd < 0)
		return error_errno(error, errno, "cannot read %s", path);
	return measure_check(&area, params, root, error);
}

int inspect_measured(const char *path, const char *root_hash, const char *salt,
		     unsigned int threads, struct inspection *inspection, struct error *error)
{
	const struct partition *data = &inspection->partitions[0], *tree = &data[1];
	struct verity_params params = { .data_blocks = data->len_bytes / VERITY_BLOCK_BYTES };
	autoerror struct error wrong = ERROR_INIT;
	uint8_t root[DIGEST_BYTES];
	int ret = parse_values(path, root_hash, salt, &params, root, error);

	if (ret < 0)
		return ret;
	if (params.data_blocks < 2 || verity_tree_bytes(data->len_bytes) > tree->len_bytes)
		ret = findings_add(&inspection->problems,
				   "there is no partition 2 with room for the hash tree of "
				   "partition 1");
	else if (check_tree(path, inspection, threads, &params, root, &wrong) == 0)
		ret = findings_add(&inspection->notes,
				   "all %" PRIu64 " blocks of partition 1 belong to the root hash",
				   params.data_blocks);
	else if (wrong.code == EBADMSG)
		ret = findings_add(&inspection->problems, "%s", wrong.message);
	else
		return error_set(error, wrong.code, "%s", wrong.message);
	return ret < 0 ? error_nomem(error) : 0;
}
