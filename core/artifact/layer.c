/* SPDX-License-Identifier: Apache-2.0 */
#include "core/artifact/layer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The user and group that KubeVirt's virt-launcher opens the disk as. */
#define DISK_OWNER 107

/* POSIX ustar, with GNU's binary sizes from 8 GiB on. */
#define TAR_BLOCK_BYTES 512
#define TAR_OCTAL_SIZE_MAX ((UINT64_C(1) << 33) - 1)
#define TAR_END_BYTES ((size_t)2 * TAR_BLOCK_BYTES)

struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char link[100], magic[6], version[2], user[32], group[32], major[8], minor[8];
	char prefix[155], padding[12];
};

_Static_assert(sizeof(struct tar_header) == TAR_BLOCK_BYTES, "a header is a block");

static int hash_bytes(void *arg, const void *bytes, size_t len, struct error *error)
{
	int ret = digest_update(arg, bytes, len);

	return ret < 0 ? error_set(error, -ret, "SHA-256 failed") : 0;
}

/* Len bytes of in, into out from off on; out NULL: nowhere. */
static int pour(const struct artifact_request *request, enum compress_form form,
		const struct output *in, uint64_t len, const struct output *out, uint64_t off,
		struct digest *digest, uint64_t *out_bytes, struct error *error)
{
	const struct compress_request compress = {
		.form = form,
		.level = form == COMPRESS_NONE ? 0 : request->level,
		.threads = request->threads,
		.in_fd = output_fd(in),
		.len = len,
		.in_name = "the image",
		.out_fd = out ? output_fd(out) : -1,
		.out_off = off,
		.out_name = out ? output_path(out) : "",
		.sink = hash_bytes,
		.sink_arg = digest,
		.progress = request->progress,
		.progress_arg = request->progress_arg,
	};

	return compress_run(&compress, out_bytes, error);
}

static int hash_image(const struct artifact_request *request, struct artifact_blob *blob,
		      struct error *error)
{
	struct digest *digest autocall(cleanup_digest_free) = digest_new();
	uint64_t bytes = 0;
	int ret = digest ? pour(request, COMPRESS_NONE, request->image, request->image_bytes, NULL,
				0, digest, &bytes, error)
			 : error_nomem(error);

	blob->file = request->image;
	blob->is_borrowed = true;
	return ret < 0 ? ret : artifact_blob_end(blob, digest, bytes, error);
}

static int compress(const struct artifact_request *request, const struct artifact_blob *plain,
		    struct artifact_blob *packed, struct error *error)
{
	struct digest *digest autocall(cleanup_digest_free) = digest_new();
	uint64_t bytes = 0;
	int ret = digest ? artifact_blob_create(packed, request->image, error) : error_nomem(error);

	if (ret == 0)
		ret = pour(request, request->compress, plain->file, plain->bytes, packed->file, 0,
			   digest, &bytes, error);
	return ret < 0 ? ret : artifact_blob_end(packed, digest, bytes, error);
}

/* ---- The tar of a containerdisk ---- */

static void set_octal(char *field, size_t size, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%0*" PRIo64, (int)size - 1, value);
	memcpy(field, text, size);
}

static void set_size(struct tar_header *header, uint64_t bytes)
{
	if (bytes <= TAR_OCTAL_SIZE_MAX) {
		set_octal(header->size, sizeof(header->size), bytes);
		return;
	}
	header->size[0] = (char)0x80;
	for (size_t i = sizeof(header->size) - 1; i > 0; i--, bytes >>= 8)
		header->size[i] = (char)(bytes & 0xff);
}

static void seal(struct tar_header *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	unsigned int sum = 0;

	memset(header->checksum, ' ', sizeof(header->checksum));
	for (size_t i = 0; i < sizeof(*header); i++)
		sum += bytes[i];
	set_octal(header->checksum, sizeof(header->checksum) - 1, sum);
}

static void set_entry(struct tar_header *header, char type, unsigned int mode, uint64_t bytes,
		      int64_t mtime)
{
	header->type = type;
	set_octal(header->mode, sizeof(header->mode), mode);
	set_octal(header->uid, sizeof(header->uid), DISK_OWNER);
	set_octal(header->gid, sizeof(header->gid), DISK_OWNER);
	set_size(header, bytes);
	set_octal(header->mtime, sizeof(header->mtime),
		  mtime < 0 ? 0 : (uint64_t)mtime & TAR_OCTAL_SIZE_MAX);
	memcpy(header->magic, "ustar", sizeof(header->magic));
	memcpy(header->version, "00", sizeof(header->version));
	seal(header);
}

static int put_bytes(struct artifact_blob *tar, struct digest *digest, const void *bytes,
		     size_t len, uint64_t *off, struct error *error)
{
	int ret = output_write(tar->file, bytes, len, *off, error);

	*off += len;
	return ret < 0 ? ret : hash_bytes(digest, bytes, len, error);
}

static int fill_tar(const struct artifact_request *request, struct artifact_blob *tar,
		    struct digest *digest, struct error *error)
{
	static const char zeros[TAR_BLOCK_BYTES + TAR_END_BYTES];
	const uint64_t bytes = request->image_bytes;
	const size_t pad = (size_t)((TAR_BLOCK_BYTES - bytes % TAR_BLOCK_BYTES) % TAR_BLOCK_BYTES);
	struct tar_header headers[2] = { { .name = "disk/" }, { .name = "" } };
	uint64_t off = 0, poured;
	int ret;

	snprintf(headers[1].name, sizeof(headers[1].name), "disk/%.*s", ARTIFACT_NAME_BYTES_MAX,
		 request->name);
	set_entry(&headers[0], '5', 0755, 0, request->created);
	set_entry(&headers[1], '0', 0440, bytes, request->created);
	ret = put_bytes(tar, digest, headers, sizeof(headers), &off, error);
	if (ret == 0)
		ret = pour(request, COMPRESS_NONE, request->image, bytes, tar->file, off, digest,
			   &poured, error);
	off += bytes;
	if (ret == 0)
		ret = put_bytes(tar, digest, zeros, pad + TAR_END_BYTES, &off, error);
	return ret < 0 ? ret : artifact_blob_end(tar, digest, off, error);
}

static int make_tar(const struct artifact_request *request, struct artifact_blob *tar,
		    struct error *error)
{
	struct digest *digest autocall(cleanup_digest_free) = digest_new();
	int ret = digest ? artifact_blob_create(tar, request->image, error) : error_nomem(error);

	return ret < 0 ? ret : fill_tar(request, tar, digest, error);
}

int artifact_layer_make(const struct artifact_request *request, struct artifact_blob *layer,
			char content[ARTIFACT_DIGEST_TEXT_BYTES], struct error *error)
{
	struct artifact_blob plain = { 0 };
	int ret;

	if (request->form == ARTIFACT_CONTAINERDISK) {
		ret = make_tar(request, &plain, error);
	} else if (request->compress == COMPRESS_NONE) {
		ret = hash_image(request, &plain, error);
	} else {
		plain = (struct artifact_blob){ .file = request->image,
						.is_borrowed = true,
						.bytes = request->image_bytes };
		ret = 0;
	}
	memcpy(content, plain.digest, sizeof(plain.digest));
	if (ret == 0 && request->compress == COMPRESS_NONE) {
		*layer = plain;
		return 0;
	}
	if (ret == 0)
		ret = compress(request, &plain, layer, error);
	artifact_blob_free(&plain);
	return ret;
}
