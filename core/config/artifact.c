/* SPDX-License-Identifier: Apache-2.0 */
#include "core/artifact/artifact.h"
#include "core/base/text.h"
#include "core/config/shape.h"

/* A layout has no place beside the image: its files go where they are asked for. */
static int check_beside(struct config *config, struct error *error)
{
	const char *tree = config->verity.tree_file, *signature = config->verity.signature_file;
	const char *key = config->verity.sign_key;
	int ret = 0;

	if (!config->verity.enabled)
		return 0;
	if (config->verity.place == HASH_FILE && !(tree && *tree))
		ret = config_refuse_key(config, "verity", "place", error,
					"nothing lies beside an image in oci:DIR:TAG: give "
					"[verity] tree-file, too");
	if (ret == 0 && key && *key && !(signature && *signature))
		ret = config_refuse_key(config, "verity", "sign-key", error,
					"nothing lies beside an image in oci:DIR:TAG: give "
					"[verity] signature-file, too");
	return ret;
}

/* These become texts of the layout's JSON. */
static int check_texts(struct config *config, struct error *error)
{
	const struct {
		const char *section, *key, *value;
	} texts[] = {
		{ "image", "oci-name", config->image.oci_name },
		{ "image", "arch", config->image.arch },
		{ "verity", "variant", config->verity.variant },
	};
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].value && !text_is_utf8(texts[i].value))
			ret = config_refuse_key(config, texts[i].section, texts[i].key, error,
						"no UTF-8, as all texts in oci:DIR:TAG are");
	return ret;
}

int config_check_artifact(struct config *config, struct error *error)
{
	static const char *const keys[] = { "oci-form", "oci-name", "oci-type" };
	const bool is_artifact = config_wants_layout(config);
	int ret = 0;

	for (size_t i = 0; ret == 0 && !is_artifact && i < sizeof(keys) / sizeof(keys[0]); i++)
		if (config_is_changed(config, "image", keys[i]))
			ret = config_refuse_own_key(config, "image", keys[i], error,
						    "says how an OCI image layout has the image: "
						    "it needs [image] output = oci:DIR:TAG, not %s",
						    config->image.output);
	if (ret < 0 || !is_artifact)
		return ret;
	if (config->image.oci_form == ARTIFACT_CONTAINERDISK &&
	    config_is_changed(config, "image", "oci-type"))
		ret = config_refuse_own_key(config, "image", "oci-type", error,
					    "a containerdisk is a container image and has no type "
					    "of its own: leave it out");
	if (ret == 0)
		ret = check_texts(config, error);
	return ret < 0 ? ret : check_beside(config, error);
}
