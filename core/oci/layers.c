/* SPDX-License-Identifier: Apache-2.0 */
#include "core/oci/layers.h"

#include <errno.h>

#include "core/archive/unpack.h"

/* A compressed layer is unpacked, and input is then the scratch file. */
static int make_plain(struct archive_input *input, const struct tree_scratch *scratch,
		      bool *is_scratch, struct error *error)
{
	bool compressed;
	autoclose int fd = -1;
	uint64_t bytes;
	int ret = archive_input_is_compressed(input, &compressed, error);

	if (ret < 0 || !compressed)
		return ret;
	fd = scratch->open(scratch->arg);
	if (fd < 0)
		return error_errno(error, -fd, "cannot unpack %s into the output's directory",
				   input->label);
	ret = archive_input_unpack(input, fd, scratch->limit, &bytes, error);
	if (ret < 0)
		return ret;
	close(input->fd);
	input->fd = steal_fd(&fd);
	input->off = 0;
	input->bytes = bytes;
	*is_scratch = true;
	return 0;
}

static int put_layer(struct archive_input *input, bool is_scratch, struct tree *tree,
		     struct tree_edit *edit, struct error *error)
{
	struct unpack unpack = { .tree = tree, .edit = edit, .input = input };
	int fd = input->fd;
	int source =
		tree_add_shared(tree, fd, is_scratch ? TREE_SOURCE_SCRATCH : TREE_SOURCE_ARCHIVE);
	int ret;

	if (source < 0) {
		input->fd = -1; /* tree_add_shared took it, and closed it */
		return error_errno(error, -source, "%s", input->label);
	}
	unpack.source = (uint16_t)source;
	ret = unpack_layer(&unpack, error);
	input->fd = -1;
	return ret;
}

static int apply_layer(const struct tree *store, const struct oci_layer *layer,
		       const struct tree_scratch *scratch, struct tree *tree,
		       struct tree_edit *edit, struct error *error)
{
	struct archive_input input;
	bool is_scratch;
	int ret = oci_store_open(store, layer->path, &input, &is_scratch, error);

	if (ret == -ENOENT && layer->elsewhere)
		return error_append(error,
				    ": a layer that stays behind when its image is copied: "
				    "put it there from %s",
				    layer->elsewhere);
	if (ret == 0 && layer->digest)
		ret = oci_check_digest(&input, layer->digest, error);
	if (ret == 0)
		ret = make_plain(&input, scratch, &is_scratch, error);
	if (ret == 0)
		ret = oci_check_digest(&input, layer->diff_id, error);
	/* A layer of no byte at all has no entries; others want an end mark of a tar. */
	if (ret == 0 && input.bytes > 0)
		ret = put_layer(&input, is_scratch, tree, edit, error);
	archive_input_release(&input);
	if (input.fd >= 0)
		close(input.fd);
	return ret;
}

int oci_apply_layers(const struct tree *store, const struct oci_image *image,
		     const struct tree_scratch *scratch, struct tree *tree, struct error *error)
{
	struct tree_edit *edit autocall(cleanup_tree_edit_free) = tree_edit_new(tree);
	int ret = edit ? 0 : error_nomem(error);

	for (size_t i = 0; ret == 0 && i < image->layer_count; i++)
		ret = apply_layer(store, &image->layers[i], scratch, tree, edit, error);
	return ret < 0 ? ret : tree_edit_finish(edit, error);
}
