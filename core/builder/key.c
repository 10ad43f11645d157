/* SPDX-License-Identifier: Apache-2.0 */
#include "core/builder/key.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/artifact/place.h"
#include "core/base/textstream.h"
#include "core/builder/private.h"
#include "core/config/print.h"
#include "core/config/shape.h"
#include "core/format/discoverable.h"
#include "lib/hex.h"

#define KEY_VERSION "kataimg-key-1"

void key_print_text(FILE *out, const char *name, const char *text)
{
	fprintf(out, "%s %zu:%s\n", name, strlen(text), text);
}

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

/* ---- What makes the image ---- */

static int print_signer(FILE *out, const struct signer *signer, struct error *error)
{
	char fingerprint[2 * DIGEST_BYTES + 1];

	if (!signer)
		return 0;
	/* The certificate is that of the key: signatures of both are the same bytes. */
	if (signer_fingerprint(signer, fingerprint) < 0)
		return error_nomem(error);
	key_print_text(out, "signer", fingerprint);
	key_print_text(out, "signer-version", signer_version());
	return 0;
}

static void print_compression(FILE *out, const struct config *config)
{
	const enum compress_form form = config->image.compress;
	const uint64_t level = config->image.level;

	if (form == COMPRESS_NONE)
		return;
	fprintf(out, "level %" PRIu64 "\n", level ? level : (uint64_t)compress_level_default(form));
	key_print_text(out, "compress-version", text_or_empty(compress_version(form)));
}

static void print_versions(FILE *out, const struct kataimg_backend *table)
{
	key_print_text(out, "kataimg", KATAIMG_VERSION);
	key_print_text(out, "backend", table->name);
	key_print_text(out, "backend-version", table->version);
	key_print_text(out, "backend-libraries",
		       text_or_empty(table->libraries ? table->libraries() : NULL));
}

/* ---- What is asked for ---- */

struct named {
	FILE *out;
	char name[64];
};

static void print_value(void *arg, const char *text)
{
	const struct named *named = arg;

	key_print_text(named->out, named->name, text);
}

static void print_keys(FILE *out, const struct config *config)
{
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		struct named named = { .out = out };

		if (key->effect != CONFIG_DECIDES || !config_key_applies(config, key))
			continue;
		snprintf(named.name, sizeof(named.name), "%s.%s", key->section, key->name);
		config_each_value(config, key, print_value, &named);
	}
}

/* Where the value of a key does not say what follows from it. */
static int print_settled(FILE *out, const struct build *build, struct error *error)
{
	const struct config *config = build->config;
	const bool in_layout = artifact_prefix(config->image.output) > 0;

	fprintf(out, "dax %d\nmapped %d\nin-layout %d\n", config->image.dax, config->image.mapped,
		in_layout);
	fprintf(out, "build-time %" PRId64 "\n", build->build_time);
	if (config->image.identity && *config->image.identity)
		key_print_text(out, "variant", text_or_empty(config->verity.variant));
	if (config->image.table == IMAGE_TABLE_GPT)
		key_print_text(out, "gpt-arch", discoverable_arch(config->image.arch));
	print_compression(out, config);
	return in_layout ? build_print_artifact(build, out, error) : 0;
}

static void print_options(FILE *out, const struct kataimg_backend *table,
			  const struct kataimg_value *values)
{
	for (uint64_t i = 0; i < table->option_count; i++) {
		struct named named = { .out = out };

		snprintf(named.name, sizeof(named.name), "%s.%s", table->name,
			 table->options[i].name);
		fprintf(out, "%s %" PRIu32 " %" PRIu64 "\n", named.name, values[i].is_set,
			values[i].number);
		print_value(&named, text_or_empty(values[i].string));
	}
}

/* ---- The tree ---- */

static void print_digest(FILE *out, const char *name, const uint8_t bytes[DIGEST_BYTES])
{
	char hex[2 * DIGEST_BYTES + 1];

	hex_format(bytes, DIGEST_BYTES, hex);
	fprintf(out, "%s %s\n", name, hex);
}

static int print_tree(FILE *out, const struct build *build, struct error *error)
{
	struct digest *digest autocall(cleanup_digest_free) = digest_new();
	uint8_t bytes[DIGEST_BYTES];
	int ret = digest ? tree_digest(build->tree, digest, error) : error_nomem(error);

	if (ret == 0 && digest_final(digest, bytes) < 0)
		ret = error_set(error, EIO, "SHA-256 failed");
	if (ret < 0)
		return ret;
	print_digest(out, "tree", bytes);
	print_digest(out, "content", build->content);
	return 0;
}

static int read_content(struct build *build, struct error *error)
{
	const struct tree_digest_options options = { .threads = build->options->threads,
						     .progress = progress_bytes,
						     .progress_arg = build->progress };

	if (build->has_content)
		return 0;
	progress_stage(build->progress, "content");
	build->has_content = true;
	return tree_digest_content(build->tree, &options, build->content, error);
}

static int print_all(FILE *out, struct build *build, struct error *error)
{
	int ret = read_content(build, error);

	if (ret < 0)
		return ret;
	fprintf(out, KEY_VERSION "\n");
	print_versions(out, &build->backend->table);
	ret = print_signer(out, build->signer, error);
	if (ret < 0)
		return ret;
	print_keys(out, build->config);
	ret = print_settled(out, build, error);
	if (ret < 0)
		return ret;
	print_options(out, &build->backend->table, build->values);
	return print_tree(out, build, error);
}

int build_make_key(struct build *build, struct error *error)
{
	struct text_stream stream;
	int ret = text_stream_open(&stream), closed;

	if (ret < 0)
		return error_nomem(error);
	ret = print_all(stream.out, build, error);
	closed = text_stream_close(&stream, &build->key_text);
	progress_finish(build->progress);
	return ret < 0 || closed == 0 ? ret : error_nomem(error);
}

int key_print(const struct build *build, bool text, struct error *error)
{
	struct digest *digest autocall(cleanup_digest_free) = digest_new();
	const char *name = build->config->name;
	char hex[2 * DIGEST_BYTES + 1];
	uint8_t key[DIGEST_BYTES];

	if (!digest)
		return error_nomem(error);
	if (text) {
		fputs(build->key_text, stdout);
		return 0;
	}
	if (digest_update(digest, build->key_text, strlen(build->key_text)) < 0 ||
	    digest_final(digest, key) < 0)
		return error_set(error, EIO, "SHA-256 failed");
	hex_format(key, sizeof(key), hex);
	printf("%s%s%s\n", hex, name ? "  " : "", name ? name : "");
	return 0;
}
