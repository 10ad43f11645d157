/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image as what registries keep (OCI image specification 1.1, manifest.md).
 *
 * An artifact is as guest-components publishes its extension disk: `oras push --artifact-type TYPE
 * IMAGE HASHFILE` (.github/workflows/coco-extension-image.yml) makes a manifest with that
 * artifactType, the empty configuration, the files as layers of the type of a tar, their names in
 * the annotation title (oras-go: pack.go, content/file/file.go), and Kata takes the files by these
 * names (kata-deploy-binaries.sh).
 *
 * A containerdisk is a container image of one layer with the image in /disk, owned by 107:107,
 * which KubeVirt runs as (docs/container-register-disks.md).
 */
#ifndef ARTIFACT_ARTIFACT_H
#define ARTIFACT_ARTIFACT_H

#include "core/artifact/layout.h"
#include "core/compress/compress.h"

enum artifact_form { ARTIFACT_FILES, ARTIFACT_CONTAINERDISK };

/* The file's name, without what compression puts behind it: the room of a tar's header. */
#define ARTIFACT_NAME_BYTES_MAX 80

struct artifact_request {
	struct output *image; /* complete; borrowed for as long as the artifact */
	uint64_t image_bytes;
	enum artifact_form form;
	const char *type, *name; /* artifactType; of the image's file */
	const char *arch;        /* as Go has it */
	int64_t created;         /* seconds since 1970 */

	enum compress_form compress;
	int level;
	unsigned int threads;
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *progress_arg;

	/* Of a measured image, else NULL: the root hash's file's name, its line without a newline,
	 * the root hash in hexadecimal. */
	const char *hash_name, *hash_line, *root_hash;
};

struct artifact {
	struct artifact_blob layer, hash, config, manifest; /* hash.file NULL: none */
	char content[ARTIFACT_DIGEST_TEXT_BYTES];           /* of layer, without compression */
	char arch[32];
	char index[ARTIFACT_DIGEST_TEXT_BYTES]; /* of the tag's, once it was put */
};

/* Makes all blobs, without names. *artifact is to be freed in any case. */
int artifact_make(const struct artifact_request *request, struct artifact *artifact,
		  struct error *error);

/* All blobs into the layout, and the image into the tag's index. */
int artifact_put(struct artifact *artifact, struct artifact_layout *layout, const char *tag,
		 struct error *error);

void artifact_free(struct artifact *artifact);

/* What a file is called that is compressed so: "" or ".gz", ".zst". */
const char *artifact_suffix(enum compress_form compress);

#endif
