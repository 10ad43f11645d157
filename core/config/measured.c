/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/measured.h"

static bool is_set(const char *path)
{
	return path && *path;
}

static void settle(struct config *config)
{
	if (config->image.table == IMAGE_TABLE_NONE && !config_is_given(config, "verity", "place"))
		config->verity.place = HASH_APPEND;
	if ((config->verity.place == HASH_APPEND || config->image.table == IMAGE_TABLE_GPT) &&
	    !config_is_given(config, "verity", "superblock"))
		config->verity.superblock = true;
}

static int check_place(struct config *config, struct error *error)
{
	if (!config->verity.enabled || config->image.table != IMAGE_TABLE_NONE ||
	    config->verity.place != HASH_PARTITION)
		return 0;
	return config_refuse_key(config, "verity", "place", error,
				 "there are no partitions with [image] table = none: say append or "
				 "file");
}

static int check_block(struct config *config, const char *name, uint64_t bytes, struct error *error)
{
	return verity_block_is_valid(bytes) ? 0
					    : config_refuse_key(config, "verity", name, error,
								"not a power of two: 512, 1024, "
								"2048 or 4096");
}

static int check_data_block(struct config *config, struct error *error)
{
	return check_block(config, "data-block", config->verity.data_block_bytes, error);
}

static int check_hash_block(struct config *config, struct error *error)
{
	return check_block(config, "hash-block", config->verity.hash_block_bytes, error);
}

static int check_tree_file(struct config *config, struct error *error)
{
	if (!is_set(config->verity.tree_file) || config->verity.place == HASH_FILE)
		return 0;
	return config_refuse_key(config, "verity", "tree-file", error,
				 "the hash tree is in the image: place = file has it beside");
}

static int check_key(struct config *config, struct error *error)
{
	if (!is_set(config->verity.sign_key))
		return 0;
	if (!config->verity.enabled)
		return config_refuse_key(config, "verity", "sign-key", error,
					 "there is no root hash to sign: enabled = yes makes one");
	if (is_set(config->verity.sign_certificate))
		return 0;
	return config_refuse_key(config, "verity", "sign-key", error,
				 "a signature names the certificate that it is checked with: give "
				 "sign-certificate");
}

static int check_certificate(struct config *config, struct error *error)
{
	if (!is_set(config->verity.sign_certificate) || is_set(config->verity.sign_key))
		return 0;
	return config_refuse_key(config, "verity", "sign-certificate", error,
				 "nothing is signed without its key: give sign-key");
}

static int check_signature_file(struct config *config, struct error *error)
{
	if (!is_set(config->verity.signature_file) || is_set(config->verity.sign_key))
		return 0;
	return config_refuse_key(config, "verity", "signature-file", error,
				 "nothing is signed: sign-key and sign-certificate have it signed");
}

int measured_finish(struct config *config, struct error *error)
{
	static int (*const checks[])(struct config *, struct error *) = {
		check_place, check_data_block,  check_hash_block,     check_tree_file,
		check_key,   check_certificate, check_signature_file,
	};
	int ret = 0;

	settle(config);
	for (size_t i = 0; ret == 0 && i < sizeof(checks) / sizeof(checks[0]); i++)
		ret = checks[i](config, error);
	return ret;
}
