/* SPDX-License-Identifier: Apache-2.0 */
#include "core/oci/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const arch_names[][2] = {
	{ "x86_64", "amd64" },        { "aarch64", "arm64" }, { "i686", "386" },
	{ "armv7l", "arm" },          { "ppc64", "ppc64" },   { "ppc64le", "ppc64le" },
	{ "loongarch64", "loong64" },
};

#define ARCH_NAMES (sizeof(arch_names) / sizeof(arch_names[0]))

const char *oci_arch_name(const char *arch, struct utsname *machine)
{
	if (!arch || !*arch)
		arch = uname(machine) == 0 ? machine->machine : "";
	for (size_t i = 0; i < ARCH_NAMES; i++)
		if (strcmp(arch_names[i][0], arch) == 0)
			return arch_names[i][1];
	return arch;
}

static json_object *get(json_object *object, const char *key, enum json_type type)
{
	json_object *member;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, key, &member) || !json_object_is_type(member, type))
		return NULL;
	return member;
}

const char *oci_json_text(json_object *object, const char *key)
{
	json_object *member = get(object, key, json_type_string);

	return member ? json_object_get_string(member) : NULL;
}

json_object *oci_json_array(json_object *object, const char *key)
{
	return get(object, key, json_type_array);
}

json_object *oci_json_object(json_object *object, const char *key)
{
	return get(object, key, json_type_object);
}

int oci_blob_take(struct oci_blob *blob, json_object *descriptor, const char *what,
		  struct error *error)
{
	json_object *size = NULL;

	*blob = (struct oci_blob){ oci_json_text(descriptor, "digest"), OCI_SIZE_UNSAID };
	if (!blob->digest)
		return error_set(error, EBADMSG, "%s without a digest", what);
	if (!json_object_object_get_ex(descriptor, "size", &size))
		return 0;
	blob->size = json_object_get_int64(size);
	if (!json_object_is_type(size, json_type_int) || blob->size < 0)
		return error_set(error, EBADMSG, "%s has no size in bytes", blob->digest);
	return 0;
}

int oci_check_version(json_object *version, const char *label, struct error *error)
{
	const char *text = oci_json_text(version, "imageLayoutVersion");

	if (text && strncmp(text, "1.", 2) == 0)
		return 0;
	return error_set(error, EBADMSG, "%s: of an unknown version: %s", label,
			 text ? text : "none");
}

void oci_add_name(struct oci_names *names, const char *name)
{
	size_t len = strlen(names->text);

	if (name)
		snprintf(names->text + len, sizeof(names->text) - len, "%s%s", len ? ", " : "",
			 name);
}

int oci_fail_choice(const char *tag, size_t count, const struct oci_names *names,
		    struct error *error)
{
	if (tag)
		return error_set(error, ENOENT, "no image has the tag %s; there are: %s", tag,
				 *names->text ? names->text : "none");
	return error_set(error, EINVAL, "it has %zu images, say which by its tag: %s", count,
			 *names->text ? names->text : "none has one");
}

void oci_image_free(struct oci_image *image)
{
	for (size_t i = 0; i < image->layer_count; i++) {
		free(image->layers[i].path);
		free(image->layers[i].digest);
		free(image->layers[i].diff_id);
		free(image->layers[i].elsewhere);
	}
	free(image->layers);
	*image = (struct oci_image){ 0 };
}

static int check_arch(json_object *config, const struct oci_choice *choice, struct error *error)
{
	const char *arch = oci_json_text(config, "architecture");
	struct utsname machine;

	if (!choice->arch || !*choice->arch || !arch ||
	    strcmp(arch, oci_arch_name(choice->arch, &machine)) == 0)
		return 0;
	return error_set(error, EINVAL, "the image is for %s, not for %s as [image] arch says",
			 arch, choice->arch);
}

int oci_image_begin(struct oci_image *image, json_object *config, size_t count,
		    const struct oci_choice *choice, struct error *error)
{
	json_object *diff_ids = oci_json_array(oci_json_object(config, "rootfs"), "diff_ids");
	int ret = check_arch(config, choice, error);

	if (ret < 0)
		return ret;
	if (!diff_ids || json_object_array_length(diff_ids) != count)
		return error_set(error, EBADMSG,
				 "its configuration does not have one diff_id for each of the %zu "
				 "layers",
				 count);
	image->layers = calloc(count + 1, sizeof(*image->layers));
	if (!image->layers)
		return error_nomem(error);
	image->layer_count = count;
	for (size_t i = 0; i < count; i++) {
		const char *id = json_object_get_string(json_object_array_get_idx(diff_ids, i));

		image->layers[i].size = OCI_SIZE_UNSAID;
		image->layers[i].diff_id = strdup(id ? id : "");
		if (!image->layers[i].diff_id)
			return error_nomem(error);
	}
	return 0;
}
