/* SPDX-License-Identifier: Apache-2.0 */
#include "core/oci/mediatype.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define ENCRYPTED "+encrypted"

static const struct {
	const char *type;
	bool foreign;
} layer_types[] = {
	{ OCI_TYPE_LAYER, false },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar", true },
	{ "application/vnd.docker.image.rootfs.diff.tar", false },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar", true },
};
/* OCI's and Docker's spelling. */
static const char *const compressions[] = { "", "+gzip", "+zstd", ".gzip", ".zstd" };

static const char *const config_types[] = {
	OCI_TYPE_CONFIG,
	"application/vnd.docker.container.image.v1+json",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_compression(const char *suffix)
{
	for (size_t i = 0; i < COUNT(compressions); i++)
		if (strcmp(suffix, compressions[i]) == 0)
			return true;
	return false;
}

/* The number of the layer type, whatever its compression; -1: it is none. */
static int find_layer_type(const char *type)
{
	for (size_t i = 0; i < COUNT(layer_types); i++) {
		size_t len = strlen(layer_types[i].type);

		if (strncmp(type, layer_types[i].type, len) == 0 && is_compression(type + len))
			return (int)i;
	}
	return -1;
}

static bool is_encrypted(const char *type)
{
	size_t len = strlen(type);

	return len > strlen(ENCRYPTED) && strcmp(type + len - strlen(ENCRYPTED), ENCRYPTED) == 0;
}

int oci_check_layer_type(const char *type, const char *digest, struct error *error)
{
	if (!type || find_layer_type(type) >= 0)
		return 0;
	if (is_encrypted(type))
		return error_set(error, ENOTSUP,
				 "the layer %s is encrypted (%s): copy the image with skopeo copy "
				 "--decryption-key first",
				 digest, type);
	return error_set(error, ENOTSUP,
			 "the layer %s is of the unknown type %s: a layer is a tar, plain or "
			 "compressed by gzip or zstd",
			 digest, type);
}

bool oci_is_foreign_layer(const char *type)
{
	int found = type ? find_layer_type(type) : -1;

	return found >= 0 && layer_types[found].foreign;
}

int oci_check_config_type(const char *type, struct error *error)
{
	for (size_t i = 0; type && i < COUNT(config_types); i++)
		if (strcmp(type, config_types[i]) == 0)
			return 0;
	return type ? error_set(error, EINVAL,
				"it is no container image, but something else that is kept like "
				"one: its configuration is of the type %s",
				type)
		    : 0;
}
