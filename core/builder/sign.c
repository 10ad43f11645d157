/* SPDX-License-Identifier: Apache-2.0 */
/* The signature of a measured image's root hash: beside the image, and in its own partition where
 * the table has one. */
#include <errno.h>
#include <string.h>

#include "core/base/io.h"
#include "core/builder/private.h"
#include "lib/round.h"

int build_load_signer(struct build *build, struct error *error)
{
	const struct config *config = build->config;
	const char *key = config->verity.sign_key;
	autoerror struct error why = ERROR_INIT;
	enum signer_part bad;

	if (!key || !*key)
		return 0;
	if (signer_new(key, config->verity.sign_certificate, &build->signer, &bad, &why) == 0)
		return 0;
	if (!why.message)
		return error_nomem(error);
	return config_fail_key(config, "verity",
			       bad == SIGNER_KEY ? "sign-key" : "sign-certificate", error, "%s",
			       why.message);
}

/* What the partition holds; its length is the same for every root hash. */
static char *partition_text(const struct build *build, const struct signature *signature)
{
	char root[2 * VERITY_DIGEST_MAX_BYTES + 1];

	build_root_hash_text(build, root);
	return signer_partition_text(build->signer, root, signature);
}

/* Any root hash will do: the signature over it is as long as that over the real one. */
int build_signature_bytes(const struct build *build, uint64_t *bytes, struct error *error)
{
	struct signature signature = { 0 };
	char root[2 * VERITY_DIGEST_MAX_BYTES + 1];
	autofree char *text = NULL;
	int ret;

	*bytes = 0;
	if (!build->signer || build->config->image.table != IMAGE_TABLE_GPT)
		return 0;
	build_root_hash_text(build, root);
	ret = signer_sign(build->signer, root, &signature, error);
	if (ret == 0)
		text = partition_text(build, &signature);
	signature_free(&signature);
	if (ret < 0)
		return ret;
	if (!text)
		return error_nomem(error);
	*bytes = round_up(strlen(text), VERITY_BLOCK_BYTES);
	return 0;
}

int build_make_signature(struct build *build, struct error *error)
{
	char root[2 * VERITY_DIGEST_MAX_BYTES + 1];
	int ret;

	if (!build->signer)
		return 0;
	build_root_hash_text(build, root);
	signature_free(&build->signature);
	ret = signer_sign(build->signer, root, &build->signature, error);
	if (ret < 0 || build->geometry.signature.len_bytes == 0)
		return ret;
	free(build->signature_text);
	build->signature_text = partition_text(build, &build->signature);
	return build->signature_text ? 0 : error_nomem(error);
}

int build_sign(struct build *build, struct error *error)
{
	int ret = build_make_signature(build, error);

	if (ret < 0 || !build->signature_text)
		return ret;
	ret = io_pwrite(build->image_fd, build->signature_text, strlen(build->signature_text),
			build->geometry.signature.start_bytes);
	return ret < 0 ? error_errno(error, -ret, "cannot write the signature's partition") : 0;
}
