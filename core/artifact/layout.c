/* SPDX-License-Identifier: Apache-2.0 */
#include "core/artifact/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/artifact/private.h"
#include "core/image/lock.h"
#include "core/image/publish.h"
#include "core/oci/image.h"
#include "core/oci/mediatype.h"
#include "lib/samefile.h"

#define VERSION "{\"imageLayoutVersion\":\"1.0.0\"}"

/* A failed build removes the folders that it made: whoever waits for them makes them anew. */
#define TRIES 100

/* ---- Reading ---- */

static int read_json(const struct artifact_layout *layout, int dir, const char *name,
		     const struct oci_blob *blob, json_object **json, struct error *error)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	autofree char *label = NULL;
	struct stat st;

	if (asprintf(&label, "%s/%s", layout->path, blob ? blob->digest : name) < 0)
		return error_nomem(error);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(error, errno, "%s", label);
	return oci_read_json(
		&(struct archive_input){ .label = label, .fd = fd, .bytes = (uint64_t)st.st_size },
		blob, json, error);
}

int artifact_layout_read(const struct artifact_layout *layout, const struct oci_blob *blob,
			 json_object **json, struct error *error)
{
	autofree char *path = NULL;
	int ret = oci_blob_path(blob->digest, &path, error);

	return ret < 0 ? ret : read_json(layout, layout->dir, path, blob, json, error);
}

static int check_version(const struct artifact_layout *layout, struct error *error)
{
	json_object *json autocall(cleanup_json_object_put) = NULL;
	autofree char *label = NULL;
	int ret = read_json(layout, layout->dir, "oci-layout", NULL, &json, error);

	if (ret == -ENOENT) {
		error_clear(error);
		return error_set(error, ENOENT,
				 "%s is no OCI image layout, and not empty: name another directory",
				 layout->path);
	}
	if (ret < 0)
		return ret;
	if (asprintf(&label, "%s/oci-layout", layout->path) < 0)
		return error_nomem(error);
	return oci_check_version(json, label, error);
}

static json_object *new_index(void)
{
	json_object *index = json_object_new_object();

	if (artifact_json_add(index, "schemaVersion", json_object_new_int(2)) == 0 &&
	    artifact_json_add(index, "mediaType", json_object_new_string(OCI_TYPE_INDEX)) == 0 &&
	    artifact_json_add(index, "manifests", json_object_new_array()) == 0)
		return index;
	json_object_put(index);
	return NULL;
}

static int read_index(struct artifact_layout *layout, struct error *error)
{
	int ret = read_json(layout, layout->dir, "index.json", NULL, &layout->index, error);

	if (ret == -ENOENT) {
		error_clear(error);
		layout->index = new_index();
		return layout->index ? 0 : error_nomem(error);
	}
	if (ret == 0 && !oci_json_array(layout->index, "manifests"))
		ret = error_set(error, EBADMSG, "%s/index.json: it has no list of manifests",
				layout->path);
	return ret;
}

static int open_directory(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int artifact_layout_check(const char *dir, struct error *error)
{
	autofree char *path = strdup(dir);
	autoclose int fd = open_directory(AT_FDCWD, dir);
	struct artifact_layout layout = { .path = path, .dir = fd };
	int ret;

	if (!path)
		return error_nomem(error);
	if (fd < 0)
		return error_errno(error, errno, "%s", dir);
	ret = check_version(&layout, error);
	if (ret == 0)
		ret = read_index(&layout, error);
	json_object_put(layout.index);
	return ret;
}

/* ---- Making ---- */

static int give_owner(const struct artifact_layout *layout, int fd)
{
	return fchown(fd, layout->manner.owner, layout->manner.group) < 0 ? -errno : 0;
}

/* Sets *made, which is the caller's to clear, if it was not there. A descriptor or -errno. */
static int make_directory(const struct artifact_layout *layout, int dir, const char *name,
			  bool *made)
{
	bool is_new = mkdirat(dir, name, 0777) == 0;
	autoclose int fd = -1;
	int ret;

	if (!is_new && errno != EEXIST)
		return -errno;
	fd = open_directory(dir, name);
	ret = fd < 0 ? -errno : 0;
	if (ret == 0 && is_new)
		ret = give_owner(layout, fd);
	if (ret < 0 && is_new)
		unlinkat(dir, name, AT_REMOVEDIR);
	if (ret < 0)
		return ret;
	*made = *made || is_new;
	return steal_fd(&fd);
}

static int publish_file(const struct artifact_layout *layout, const char *name, const char *text,
			struct output **file, struct error *error)
{
	autofree char *path = NULL;
	int ret;

	if (asprintf(&path, "%s/%s", layout->path, name) < 0)
		return error_nomem(error);
	ret = output_open("the layout's file", path, NULL, file, error);
	if (ret == 0)
		ret = output_create(*file, 0, error);
	if (ret == 0)
		ret = output_set_owner(*file, layout->manner.owner, layout->manner.group, error);
	return ret < 0 ? ret : output_write(*file, text, strlen(text), 0, error);
}

/* The first file of a layout, so that a directory that is not empty and has none is no layout. */
static int make_version(const struct artifact_layout *layout, struct error *error)
{
	struct output *file autocall(cleanup_output_close) = NULL;
	int ret;

	if (faccessat(layout->dir, "oci-layout", F_OK, 0) == 0)
		return check_version(layout, error);
	ret = publish_file(layout, "oci-layout", VERSION, &file, error);
	if (ret < 0)
		return ret;
	return publish(&(struct publish_item){ .output = file }, 1, layout->manner.sync, error);
}

static int make_folders(struct artifact_layout *layout, struct error *error)
{
	bool ignored = false;
	int ret;

	layout->dir = make_directory(layout, AT_FDCWD, layout->path, &layout->made);
	if (layout->dir < 0)
		return error_errno(error, -layout->dir, "cannot make the image layout %s",
				   layout->path);
	ret = make_version(layout, error);
	if (ret < 0)
		return ret;
	layout->blobs = make_directory(layout, layout->dir, "blobs", &ignored);
	if (layout->blobs >= 0)
		layout->sha256 = make_directory(layout, layout->blobs, "sha256", &ignored);
	if (layout->blobs >= 0 && layout->sha256 >= 0)
		return 0;
	ret = layout->blobs < 0 ? layout->blobs : layout->sha256;
	return error_errno(error, -ret, "cannot make the folder blobs of %s", layout->path);
}

/* ---- The lock ---- */

/* 1, 0 or -errno, as those below. */
static int is_named(int dir, const char *name, int fd)
{
	struct stat named, mine;

	if (fstat(fd, &mine) < 0)
		return -errno;
	if (fstatat(dir, name, &named, 0) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	return same_file(&named, &mine);
}

static int is_there(int dir, const char *name)
{
	if (faccessat(dir, name, F_OK, 0) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

/* Is what was locked still the layout's? -ENOENT: no. */
static int check_whole(const struct artifact_layout *layout, struct error *error)
{
	int ret = is_named(AT_FDCWD, layout->path, layout->dir);

	if (ret > 0)
		ret = is_named(layout->dir, "blobs", layout->blobs);
	if (ret > 0)
		ret = is_named(layout->blobs, "sha256", layout->sha256);
	if (ret > 0)
		ret = is_there(layout->dir, "oci-layout");
	if (ret < 0)
		return error_errno(error, -ret, "cannot look at the image layout %s", layout->path);
	return ret > 0 ? 0
		       : error_set(error, ENOENT,
				   "cannot make the image layout %s: others remove it",
				   layout->path);
}

static void close_folders(struct artifact_layout *layout)
{
	cleanup_close(&layout->sha256);
	cleanup_close(&layout->blobs);
	cleanup_close(&layout->dir);
	layout->sha256 = layout->blobs = layout->dir = -1;
}

static int make_and_lock(struct artifact_layout *layout, struct error *error)
{
	for (unsigned int i = 1;; i++) {
		autoerror struct error vanished = ERROR_INIT;
		int ret = make_folders(layout, &vanished);

		if (ret == 0)
			ret = lock_directory(layout->blobs, &vanished,
					     "cannot change the folder blobs of %s", layout->path);
		if (ret == 0)
			ret = check_whole(layout, &vanished);
		if (ret == 0)
			return 0;
		if (ret != -ENOENT || i == TRIES)
			return error_take(error, &vanished);
		close_folders(layout);
	}
}

int artifact_layout_open(const char *dir, const struct artifact_manner *manner,
			 struct artifact_layout **result, struct error *error)
{
	struct artifact_layout *layout autocall(cleanup_artifact_layout_close) =
		calloc(1, sizeof(*layout));
	int ret;

	if (!layout)
		return error_nomem(error);
	layout->dir = layout->blobs = layout->sha256 = -1;
	layout->manner = *manner;
	layout->path = strdup(dir);
	if (!layout->path)
		return error_nomem(error);
	ret = make_and_lock(layout, error);
	if (ret == 0)
		ret = read_index(layout, error);
	if (ret == 0)
		*result = steal_ptr(&layout);
	return ret;
}

/* ---- Changing ---- */

int artifact_layout_put(struct artifact_layout *layout, struct artifact_blob *blob,
			struct error *error)
{
	const char *name = strchr(blob->digest, ':') + 1;
	struct stat st;
	bool is_new = fstatat(layout->sha256, name, &st, AT_SYMLINK_NOFOLLOW) < 0;
	int ret = output_set_owner(blob->file, layout->manner.owner, layout->manner.group, error);

	if (ret == 0 && layout->manner.sync)
		ret = output_sync(blob->file, error);
	if (ret == 0 && is_new && artifact_texts_add(&layout->put, name) < 0)
		ret = error_nomem(error);
	return ret < 0 ? ret : output_move(blob->file, layout->sha256, name, error);
}

int artifact_layout_write_index(struct artifact_layout *layout, struct error *error)
{
	const char *text = artifact_json_text(layout->index);
	int ret = text ? 0 : error_nomem(error);

	if (ret == 0 && layout->manner.sync && fsync(layout->sha256) < 0)
		ret = error_errno(error, errno, "cannot write the blobs of %s to the disk",
				  layout->path);
	if (ret == 0)
		ret = publish_file(layout, "index.json", text, &layout->file, error);
	return ret;
}

struct output *artifact_layout_index(const struct artifact_layout *layout)
{
	return layout->file;
}

const char *artifact_layout_path(const struct artifact_layout *layout)
{
	return layout->path;
}

void artifact_layout_settle(struct artifact_layout *layout)
{
	layout->settled = true;
	artifact_sweep(layout);
}

/* What nobody has used goes; a folder that has something in it stays by itself, as does a layout of
 * others that is not even half made. */
static void take_back(const struct artifact_layout *layout)
{
	const int there = is_there(layout->dir, "index.json");

	for (size_t i = 0; i < layout->put.count; i++)
		unlinkat(layout->sha256, layout->put.items[i], 0);
	/* When in doubt it is somebody's, unless it was made here. */
	if (there > 0 || (there < 0 && !layout->made))
		return;
	if (layout->sha256 < 0 && !layout->made)
		return;
	if (layout->blobs >= 0)
		unlinkat(layout->blobs, "sha256", AT_REMOVEDIR);
	if (unlinkat(layout->dir, "blobs", AT_REMOVEDIR) < 0 && errno != ENOENT)
		return;
	unlinkat(layout->dir, "oci-layout", 0);
	if (layout->made)
		rmdir(layout->path);
}

void artifact_layout_close(struct artifact_layout *layout)
{
	if (!layout)
		return;
	output_close(layout->file);
	if (!layout->settled && layout->dir >= 0)
		take_back(layout);
	close_folders(layout);
	json_object_put(layout->index);
	artifact_texts_free(&layout->put);
	artifact_texts_free(&layout->replaced);
	free(layout->path);
	free(layout);
}
