/* SPDX-License-Identifier: Apache-2.0 */
#include "core/builder/seed.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/base/textstream.h"
#include "core/config/options.h"
#include "core/format/discoverable.h"
#include "lib/byteorder.h"

#define SEED_VERSION "kataimg-seed-1"
#define SEED_IDENTITY_VERSION "kataimg-seed-identity-1"

/* A length in front of each text keeps two different lists from reading the same. */
static void print_text(FILE *out, const char *name, const char *text)
{
	fprintf(out, "%s %zu:%s\n", name, strlen(text), text);
}

static void print_verity_options(FILE *out, const struct config *config)
{
	if (!config->verity.enabled ||
	    (config->verity.place == HASH_PARTITION && !config->verity.superblock &&
	     config->verity.hash == VERITY_SHA256 &&
	     config->verity.data_block_bytes == VERITY_BLOCK_BYTES &&
	     config->verity.hash_block_bytes == VERITY_BLOCK_BYTES))
		return;
	fprintf(out, "verity place %d superblock %d hash %d\n", config->verity.place,
		config->verity.superblock, config->verity.hash);
	fprintf(out, "verity blocks %" PRIu64 " %" PRIu64 "\n", config->verity.data_block_bytes,
		config->verity.hash_block_bytes);
}

static void print_gpt_options(FILE *out, const struct config *config)
{
	print_text(out, "arch", discoverable_arch(config->image.arch));
	print_text(out, "disk-guid", config->gpt.disk_guid ? config->gpt.disk_guid : "");
	print_text(out, "root-guid", config->gpt.root_guid ? config->gpt.root_guid : "");
	print_text(out, "name", config->gpt.name ? config->gpt.name : "");
	fprintf(out, "read-only %d\ngrow %d\n", config->gpt.read_only, config->gpt.grow);
}

static void print_image_options(FILE *out, const struct config *config, int64_t build_time)
{
	fprintf(out, "dax %d\nhugepages %d\n", config->image.dax, config->image.hugepages);
	fprintf(out, "free-space %" PRIu64 "\nalign %" PRIu64 "\nsize %" PRIu64 "\n",
		config->image.free_space_bytes, config->image.align_bytes,
		config->image.size_bytes);
	fprintf(out, "build-time %" PRId64 "\n", build_time);
	/* What is not the default came later: images of the default keep their bytes. */
	if (config->image.table != IMAGE_TABLE_DOS)
		fprintf(out, "table %s\nmapped %d\n", geometry_table_name(config->image.table),
			config->image.mapped);
	if (config->image.table == IMAGE_TABLE_GPT)
		print_gpt_options(out, config);
	print_verity_options(out, config);
}

/* Images made without an option that came later keep their bytes. */
static bool came_later(const struct kataimg_backend *table, const struct kataimg_option *option)
{
	return option->since && table->options[0].since &&
	       strverscmp(option->since, table->options[0].since) > 0;
}

static void print_backend_options(FILE *out, const struct kataimg_backend *table,
				  const struct kataimg_value *values)
{
	print_text(out, "backend", table->name);
	for (uint64_t i = 0; i < table->option_count; i++) {
		if (came_later(table, &table->options[i]) &&
		    options_is_default(table, i, &values[i]))
			continue;
		print_text(out, "option", table->options[i].name);
		fprintf(out, "%" PRIu32 " %" PRIu64 "\n", values[i].is_set, values[i].number);
		print_text(out, "text", values[i].string ? values[i].string : "");
	}
}

static int options_text(const struct config *config, const struct backend *backend,
			const struct kataimg_value *values, int64_t build_time, char **text)
{
	struct text_stream stream;
	int ret = text_stream_open(&stream);

	if (ret < 0)
		return ret;
	fprintf(stream.out, SEED_VERSION "\n");
	print_image_options(stream.out, config, build_time);
	print_backend_options(stream.out, &backend->table, values);
	return text_stream_close(&stream, text);
}

/*
 * Sizes, layout and everything else that a later version of an image may choose anew are left out.
 * Filesystem and variant, which is by default an image's name in its configuration, keep apart what
 * one text is given for: a kernel that sees two filesystems of one UUID refuses the second (XFS) or
 * takes one for the other.
 */
static int identity_text(const struct config *config, const struct backend *backend, char **text)
{
	struct text_stream stream;
	int ret = text_stream_open(&stream);

	if (ret < 0)
		return ret;
	fprintf(stream.out, SEED_IDENTITY_VERSION "\n");
	print_text(stream.out, "identity", config->image.identity);
	print_text(stream.out, "variant", config->verity.variant ? config->verity.variant : "");
	print_text(stream.out, "backend", backend->table.name);
	return text_stream_close(&stream, text);
}

int seed_compute(const struct tree *tree, const struct config *config,
		 const struct backend *backend, const struct kataimg_value *values,
		 int64_t build_time, uint8_t seed[DIGEST_BYTES], struct error *error)
{
	struct digest *digest autocall(cleanup_digest_free) = digest_new();
	bool identified = config->image.identity && *config->image.identity;
	autofree char *text = NULL;
	int ret;

	if (!digest)
		return error_nomem(error);
	ret = identified ? identity_text(config, backend, &text)
			 : options_text(config, backend, values, build_time, &text);
	if (ret < 0)
		return error_nomem(error);
	ret = digest_update(digest, text, strlen(text));
	if (ret == 0 && !identified)
		ret = tree_digest(tree, digest, error);
	if (ret == 0)
		ret = digest_final(digest, seed);
	return ret < 0 ? error_set(error, -ret, "SHA-256 failed") : 0;
}

int seed_disk_signature(const uint8_t seed[DIGEST_BYTES], uint32_t *signature)
{
	uint8_t derived[DIGEST_BYTES];
	le32 disk;
	int ret = digest_derive(seed, "disk-signature", derived);

	if (ret < 0)
		return ret;
	memcpy(&disk, derived, sizeof(disk));
	*signature = from_le32(disk) ? from_le32(disk) : 1;
	return 0;
}
