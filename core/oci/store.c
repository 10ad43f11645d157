/* SPDX-License-Identifier: Apache-2.0 */
#include "core/oci/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/digest.h"
#include "core/base/io.h"
#include "core/tree/content.h"
#include "core/tree/find.h"
#include "core/tree/reader.h"
#include "lib/hex.h"

/* What a JSON file may have: nobody's has more. */
#define JSON_BYTES_MAX ((uint64_t)4 << 20)

#define ALGORITHM "sha256:"
#define HEX_DIGITS ((size_t)2 * DIGEST_BYTES)

int oci_blob_path(const char *digest, char **path, struct error *error)
{
	const char *hex = digest + strlen(ALGORITHM);

	if (strncmp(digest, ALGORITHM, strlen(ALGORITHM)) != 0 ||
	    strspn(hex, "0123456789abcdef") != HEX_DIGITS || strlen(hex) != HEX_DIGITS)
		return error_set(error, EBADMSG, "the digest %s is no SHA-256", digest);
	if (asprintf(path, "blobs/sha256/%s", hex) < 0)
		return error_nomem(error);
	return 0;
}

static int find_file(const struct tree *store, const char *path, const struct kataimg_node **node,
		     struct error *error)
{
	int code;

	*node = tree_resolve(store, path, &code);
	if (!*node)
		return error_errno(error, code, "%s", path);
	if ((*node)->type != KATAIMG_REG)
		return error_set(error, EBADMSG, "%s: not a file", path);
	return 0;
}

int oci_store_open(const struct tree *store, const char *path, struct archive_input *input,
		   bool *scratch, struct error *error)
{
	struct tree_reader *reader autocall(cleanup_tree_reader_free) = tree_reader_new(store);
	const struct kataimg_node *node = NULL;
	int ret = reader ? find_file(store, path, &node, error) : error_nomem(error);

	*input = (struct archive_input){ .label = path, .fd = -1 };
	if (ret == 0 && !tree_find_stretch(store, node, &input->off, scratch))
		ret = error_set(error, EBADMSG, "%s: a file with holes", path);
	if (ret == 0)
		ret = tree_reader_open(reader, node, error);
	if (ret < 0)
		return ret;
	input->bytes = node->size;
	input->fd = fcntl(ret, F_DUPFD_CLOEXEC, 0);
	return input->fd < 0 ? error_errno(error, errno, "%s", path) : 0;
}

int oci_check_size(const struct archive_input *input, int64_t size, struct error *error)
{
	if (size == OCI_SIZE_UNSAID || input->bytes == (uint64_t)size)
		return 0;
	return error_set(error, EBADMSG,
			 "%s: its content is damaged: it has %" PRIu64 " bytes, not %" PRId64,
			 input->label, input->bytes, size);
}

int oci_compare_digest(const char *label, struct digest *digest, const char *expected,
		       struct error *error)
{
	char text[sizeof(ALGORITHM) + HEX_DIGITS] = ALGORITHM;
	uint8_t hash[DIGEST_BYTES];
	int ret = digest_final(digest, hash);

	if (ret < 0)
		return error_errno(error, -ret, "%s: cannot be hashed", label);
	hex_format(hash, DIGEST_BYTES, text + strlen(ALGORITHM));
	if (strcmp(text, expected) != 0)
		return error_set(error, EBADMSG,
				 "%s: its content is damaged: the digest is %s, not %s", label,
				 text, expected);
	return 0;
}

int oci_check_digest(const struct archive_input *input, const char *digest, struct error *error)
{
	struct digest *of_input autocall(cleanup_digest_free) = digest_new();
	int ret = of_input ? digest_range(of_input, input->fd, input->off, input->bytes) : -ENOMEM;

	if (ret == -ECANCELED)
		return error_set(error, ECANCELED, "interrupted");
	if (ret < 0)
		return error_errno(error, -ret, "%s: cannot read", input->label);
	return oci_compare_digest(input->label, of_input, digest, error);
}

/* The text ends with a NUL behind len, by which json-c sees where a number at the end of it ends.
 */
static int parse(const char *path, const char *text, size_t len, json_object **json,
		 struct error *error)
{
	struct json_tokener *tokener = json_tokener_new();
	int ret = 0;

	if (!tokener)
		return error_nomem(error);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	*json = json_tokener_parse_ex(tokener, text, (int)len + 1);
	if (!*json)
		ret = error_set(error, EBADMSG, "%s: not JSON: %s", path,
				json_tokener_error_desc(json_tokener_get_error(tokener)));
	else if (json_tokener_get_parse_end(tokener) < len)
		ret = error_set(error, EBADMSG, "%s: not JSON: it goes on behind its end", path);
	if (ret < 0) {
		json_object_put(*json);
		*json = NULL;
	}
	json_tokener_free(tokener);
	return ret;
}

/* What is parsed is what was looked at, even if somebody changes the file meanwhile. */
static int check_text(const char *label, const char *text, size_t len, const char *expected,
		      struct error *error)
{
	struct digest *digest autocall(cleanup_digest_free) = digest_new();
	int ret = digest ? digest_update(digest, text, len) : -ENOMEM;

	return ret < 0 ? error_errno(error, -ret, "%s: cannot be hashed", label)
		       : oci_compare_digest(label, digest, expected, error);
}

int oci_read_json(const struct archive_input *input, const struct oci_blob *blob,
		  json_object **json, struct error *error)
{
	size_t len = (size_t)input->bytes;
	autofree char *text = NULL;
	int ret;

	if (input->bytes > JSON_BYTES_MAX)
		return error_set(error, EFBIG, "%s: larger than 4 MiB", input->label);
	ret = blob ? oci_check_size(input, blob->size, error) : 0;
	if (ret < 0)
		return ret;
	text = malloc(len + 1);
	ret = text ? io_pread(input->fd, text, len, input->off) : -ENOMEM;
	if (ret < 0)
		return error_errno(error, -ret, "%s: cannot read", input->label);
	ret = blob ? check_text(input->label, text, len, blob->digest, error) : 0;
	if (ret < 0)
		return ret;
	text[len] = '\0';
	return parse(input->label, text, len, json, error);
}

int oci_store_json(const struct tree *store, const char *path, const struct oci_blob *blob,
		   json_object **json, struct error *error)
{
	struct archive_input input;
	bool scratch;
	int ret = oci_store_open(store, path, &input, &scratch, error);

	if (ret == 0)
		ret = oci_read_json(&input, blob, json, error);
	if (input.fd >= 0)
		close(input.fd);
	return ret;
}
