/* SPDX-License-Identifier: Apache-2.0 */
#include "core/oci/layers.h"

#include <errno.h>

#include "core/archive/plain.h"
#include "core/archive/unpack.h"

static int put_layer(struct archive_plain *plain, struct tree *tree, struct tree_edit *edit,
		     struct error *error)
{
	struct unpack unpack = { .tree = tree, .edit = edit, .input = &plain->input };
	int source = archive_plain_give(plain, tree, error);

	if (source < 0)
		return source;
	unpack.source = (uint16_t)source;
	return unpack_layer(&unpack, error);
}

static int open_layer(const struct tree *store, const struct oci_layer *layer,
		      struct archive_plain *plain, struct error *error)
{
	int ret = oci_store_open(store, layer->path, &plain->input, &plain->scratch, error);

	if (ret == -ENOENT && layer->elsewhere)
		return error_append(error,
				    ": a layer that stays behind when its image is copied: "
				    "put it there from %s",
				    layer->elsewhere);
	return ret == 0 && layer->digest ? oci_check_digest(&plain->input, layer->digest, error)
					 : ret;
}

/* The plain bytes are those that the image's configuration speaks of. */
static int make_plain(struct archive_plain *plain, const struct oci_layer *layer,
		      const struct tree_options *options, struct error *error)
{
	struct digest *digest autocall(cleanup_digest_free) = digest_new();
	const struct archive_plain_options how = { .tree = options,
						   .layer = true,
						   .digest = digest };
	int ret = digest ? archive_plain_make(plain, &how, error) : error_nomem(error);

	if (ret < 0)
		return ret;
	return plain->unpacked
		       ? oci_compare_digest(plain->input.label, digest, layer->diff_id, error)
		       : oci_check_digest(&plain->input, layer->diff_id, error);
}

static int apply_layer(const struct tree *store, const struct oci_layer *layer,
		       const struct tree_options *options, struct tree *tree,
		       struct tree_edit *edit, struct error *error)
{
	struct archive_plain plain autocall(archive_plain_release) = { .input.fd = -1 };
	int ret = open_layer(store, layer, &plain, error);

	if (ret == 0)
		ret = make_plain(&plain, layer, options, error);
	/* A layer of no byte at all has no entries; others want an end mark of a tar. */
	return ret < 0 || plain.input.bytes == 0 ? ret : put_layer(&plain, tree, edit, error);
}

int oci_apply_layers(const struct tree *store, const struct oci_image *image,
		     const struct tree_options *options, struct tree *tree, struct error *error)
{
	struct tree_edit *edit autocall(cleanup_tree_edit_free) = tree_edit_new(tree);
	int ret = edit ? 0 : error_nomem(error);

	for (size_t i = 0; ret == 0 && i < image->layer_count; i++)
		ret = apply_layer(store, &image->layers[i], options, tree, edit, error);
	return ret < 0 ? ret : tree_edit_finish(edit, error);
}
