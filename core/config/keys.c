/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/keys.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/artifact/place.h"
#include "core/config/checks.h"
#include "core/config/config.h"
#include "core/config/value.h"

static const char *const table_choices[] = { "dos", "gpt", "none", NULL };
static const char *const auto_choices[] = { "yes", "no", "auto", NULL };
static const char *const place_choices[] = { "partition", "append", "file", NULL };
static const char *const compress_choices[] = { "none", "gzip", "zstd", NULL };
static const char *const unsupported_choices[] = { "error", "drop", NULL };
static const char *const oci_form_choices[] = { "artifact", "containerdisk", NULL };
static const char *const verify_choices[] = { "none", "metadata", "content", "readback", NULL };
static const char *const holes_choices[] = { "source", "detect", "blocks", "fill", NULL };

#define MEMBER(name) offsetof(struct config, name)

const struct config_key config_keys[] = {
	{ "image", "output", CONFIG_OUTPUT, MEMBER(image.output), "kata-containers.img",
	  "the image to make, a file or oci:DIR:TAG of an OCI image layout; it replaces an older "
	  "one only when it is complete",
	  .is_output = true, .check = artifact_check_name, .effect = CONFIG_SETTLED },
	{ "image", "oci-form", CONFIG_ENUM, MEMBER(image.oci_form), "artifact",
	  "in oci:DIR:TAG: an artifact that has the image as a file, or a container image for "
	  "KubeVirt with the image in /disk",
	  oci_form_choices },
	{ "image", "oci-name", CONFIG_STRING, MEMBER(image.oci_name), NULL,
	  "the image's file in it; not given: kata-containers.img, or with [verity] variant "
	  "kata-containers-VARIANT.img",
	  .check = check_file_name, .effect = CONFIG_SETTLED },
	{ "image", "oci-type", CONFIG_STRING, MEMBER(image.oci_type),
	  "application/vnd.confidential-containers.coco-extension.disk", "the artifact's type",
	  .check = check_media_type },
	{ "image", "source", CONFIG_SOURCE, MEMBER(image.source), NULL,
	  "the root filesystem: a directory, a tar or cpio (.gz, .xz, .zst, .bz2 too), - for "
	  "stdin, an mtree(5) file, oci:DIR[:TAG], oci-archive:FILE[:TAG], "
	  "docker-archive:FILE[:TAG] or image:FILE[:PARTITION]",
	  .effect = CONFIG_OF_TREE },
	{ "image", "arch", CONFIG_STRING, MEMBER(image.arch), NULL,
	  "of a container image, of a GPT's partitions and of oci:DIR:TAG as output, as uname -m "
	  "or "
	  "Go has it; not given: this machine's when there is a choice",
	  .effect = CONFIG_SETTLED },
	{ "image", "filesystem", CONFIG_BACKEND, MEMBER(image.filesystem), "ext4",
	  "the backend: a name, or the path of its file", .effect = CONFIG_SETTLED },
	{ "image", "table", CONFIG_ENUM, MEMBER(image.table), "dos",
	  "the partition table; gpt: with discoverable partitions for arch; none: the filesystem "
	  "fills the image from its first byte",
	  table_choices },
	{ "image", "free-space", CONFIG_SIZE, MEMBER(image.free_space_bytes), "0",
	  "at least this much is left for an unprivileged writer" },
	{ "image", "align", CONFIG_SIZE, MEMBER(image.align_bytes), "128M",
	  "the image's size is a multiple of it; 2M by default with table = none", .min = 4096,
	  .max = UINT64_C(1) << 40 },
	{ "image", "size", CONFIG_SIZE, MEMBER(image.size_bytes), "0",
	  "the image's size; 0: as small as the tree, free-space and align allow; inodes are "
	  "counted for the tree and free-space, whatever room it leaves" },
	{ "image", "dax", CONFIG_ENUM, MEMBER(image.dax_wanted), "auto",
	  "put the NVDIMM header in front, for guests that map the image; auto: with table = dos "
	  "and a backend that can be mapped; no: files need not be laid out to be mapped, either",
	  auto_choices, .effect = CONFIG_SETTLED },
	{ "image", "hugepages", CONFIG_BOOL, MEMBER(image.hugepages), "yes",
	  "start the data of files of 2 MiB and more at multiples of 2 MiB" },
	{ "image", "compress", CONFIG_ENUM, MEMBER(image.compress), "none",
	  "what is no disk, such as an initrd, and any image in oci:DIR:TAG, is compressed when it "
	  "is complete",
	  compress_choices },
	{ "image", "level", CONFIG_U64, MEMBER(image.level), "0",
	  "of compress: gzip 1 to 9, zstd 1 to 22; 0: 6 of gzip, 3 of zstd", .max = 22,
	  .effect = CONFIG_SETTLED },
	{ "image", "extension", CONFIG_STRING, MEMBER(image.extension), NULL,
	  "a guest extension image of Kata's: its name in the runtime's configuration; not given: "
	  "coco of a variant coco-extension",
	  .check = check_extension, .effect = CONFIG_OF_NO_BYTE },
	{ "image", "unsupported", CONFIG_ENUM, MEMBER(image.unsupported), "error",
	  "what the filesystem cannot store is an error, or is dropped and listed",
	  unsupported_choices },
	{ "image", "verify", CONFIG_ENUM, MEMBER(image.verify), "metadata",
	  "what is read back and compared before the image gets its name: nothing, every byte "
	  "that is not a file's, these too with the source, or also all that the backend reads "
	  "out of the image",
	  verify_choices, .effect = CONFIG_OF_NO_BYTE },
	{ "image", "identity", CONFIG_STRING, MEMBER(image.identity), NULL,
	  "UUIDs, hash seeds, disk signature and salt are derived from this text, filesystem and "
	  "variant; not given: from the tree and all options" },
	{ "image", "disk-signature", CONFIG_U64, MEMBER(image.disk_signature), "0",
	  "of the partition tables; 0: derived from the tree", .max = UINT32_MAX },
	{ "image", "build-time", CONFIG_U64, MEMBER(image.build_time), "0",
	  "the image's only clock, in seconds since 1970; 0: the newest mtime of the tree",
	  .max = INT64_MAX, .environment = "SOURCE_DATE_EPOCH", .effect = CONFIG_SETTLED },

	{ "gpt", "disk-guid", CONFIG_STRING, MEMBER(gpt.disk_guid), NULL,
	  "of the table; not given: derived from the tree", .check = check_guid },
	{ "gpt", "root-guid", CONFIG_STRING, MEMBER(gpt.root_guid), NULL,
	  "of the root partition; not given: derived from the tree, or of a measured image from "
	  "the root hash",
	  .check = check_guid },
	{ "gpt", "name", CONFIG_STRING, MEMBER(gpt.name), NULL,
	  "of the root partition, to which the others add -verity and -verity-sig; not given: "
	  "root-ARCH",
	  .check = check_partition_name },
	{ "gpt", "read-only", CONFIG_ENUM, MEMBER(gpt.read_only), "auto",
	  "mark the root partition so; auto: of a measured image, and where the filesystem is",
	  auto_choices },
	{ "gpt", "grow", CONFIG_ENUM, MEMBER(gpt.grow), "auto",
	  "mark the filesystem to be grown when it is mounted; auto: unless it is read-only",
	  auto_choices },

	{ "rootfs", "check", CONFIG_BOOL, MEMBER(rootfs.check), "yes",
	  "refuse a tree that has no init for a Kata guest, or no /init for an initrd",
	  .effect = CONFIG_OF_NO_BYTE },
	{ "rootfs", "init-link", CONFIG_STRING, MEMBER(rootfs.init_link), NULL,
	  "a link /init to this path is added if there is no /init, as an initrd needs one",
	  .effect = CONFIG_OF_TREE },
	{ "rootfs", "agent-init", CONFIG_BOOL, MEMBER(rootfs.agent_init), "no",
	  "the agent is the init process; no: systemd is", .effect = CONFIG_OF_NO_BYTE },
	{ "rootfs", "agent", CONFIG_STRING, MEMBER(rootfs.agent), "kata-agent",
	  "the agent's name in /usr/bin; it is noted when there is none, unless it is the init "
	  "process",
	  .effect = CONFIG_OF_NO_BYTE },

	{ "tree", "holes", CONFIG_ENUM, MEMBER(tree.holes), "source",
	  "holes of files: as in the source, wherever 64 KiB and more are zeros, wherever a "
	  "block of 4 KiB is (the smallest image, but such a file is no longer in one piece), "
	  "or none",
	  holes_choices, .effect = CONFIG_OF_TREE },
	{ "tree", "one-filesystem", CONFIG_BOOL, MEMBER(tree.one_filesystem), "yes",
	  "what is mounted below the source is left out", .effect = CONFIG_OF_TREE },
	{ "tree", "exclude", CONFIG_LIST, MEMBER(tree.exclude), NULL,
	  "leave out: a pattern for names, or with a / for paths from the root; ** is any depth",
	  .check = check_pattern, .effect = CONFIG_OF_TREE },
	{ "tree", "all-root", CONFIG_BOOL, MEMBER(tree.all_root), "no", "everything belongs to 0:0",
	  .effect = CONFIG_OF_TREE },
	{ "tree", "uid-map", CONFIG_ID_MAP, MEMBER(tree.uid_map), NULL,
	  "uids of the source become others; those in no range are an error",
	  .effect = CONFIG_OF_TREE },
	{ "tree", "gid-map", CONFIG_ID_MAP, MEMBER(tree.gid_map), NULL, "the same for gids",
	  .effect = CONFIG_OF_TREE },
	{ "tree", "apply", CONFIG_PATHS, MEMBER(tree.apply), NULL,
	  "an mtree(5) file whose entries are added or changed, after owners",
	  .effect = CONFIG_OF_TREE },
	{ "tree", "clamp-mtime", CONFIG_BOOL, MEMBER(tree.clamp_mtime), "no",
	  "times after [image] build-time become that time; yes by default when SOURCE_DATE_EPOCH "
	  "gives it",
	  .effect = CONFIG_OF_TREE },
	{ "tree", "whole-seconds", CONFIG_BOOL, MEMBER(tree.whole_seconds), "no",
	  "times lose their nanoseconds, for filesystems that have none",
	  .effect = CONFIG_OF_TREE },
	{ "tree", "unpack-limit", CONFIG_SIZE, MEMBER(tree.unpack_limit), "0",
	  "how much a compressed source may unpack to, zeros not counted; 0: 1 GiB and 256 times "
	  "its size",
	  .effect = CONFIG_OF_TREE },

	{ "selinux", "file-contexts", CONFIG_PATH, MEMBER(selinux.file_contexts), NULL,
	  "label every file by this policy file, as setfiles does", .effect = CONFIG_OF_TREE },

	{ "verity", "enabled", CONFIG_BOOL, MEMBER(verity.enabled), "no",
	  "measure the root filesystem: a dm-verity hash tree of it" },
	{ "verity", "place", CONFIG_ENUM, MEMBER(verity.place), "partition",
	  "where the hash tree is: partition 2, right behind the filesystem (the default with "
	  "table = none), or a file beside the image",
	  place_choices },
	{ "verity", "superblock", CONFIG_BOOL, MEMBER(verity.superblock), "no",
	  "veritysetup's superblock in front of the hash tree, which Kata's runtime does not "
	  "expect; yes by default with place = append, and with table = gpt, for systemd" },
	{ "verity", "hash", CONFIG_ENUM, MEMBER(verity.hash), "sha256",
	  "what the hash tree is made of; Kata's runtime knows sha256 alone", verity_hash_names },
	{ "verity", "data-block", CONFIG_SIZE, MEMBER(verity.data_block_bytes), "4096",
	  "the bytes that a digest is of: a power of two", .min = VERITY_BLOCK_MIN_BYTES,
	  .max = VERITY_BLOCK_MAX_BYTES },
	{ "verity", "hash-block", CONFIG_SIZE, MEMBER(verity.hash_block_bytes), "4096",
	  "the bytes of a block of digests: a power of two", .min = VERITY_BLOCK_MIN_BYTES,
	  .max = VERITY_BLOCK_MAX_BYTES },
	{ "verity", "salt", CONFIG_HEX, MEMBER(verity.salt), NULL,
	  "up to 256 bytes in hexadecimal; not given: derived from the tree" },
	{ "verity", "variant", CONFIG_STRING, MEMBER(verity.variant), NULL,
	  "names the root hash's file: root_hash_VARIANT.txt beside the image",
	  .check = check_name_part, .effect = CONFIG_SETTLED },
	{ "verity", "hash-file", CONFIG_PATH, MEMBER(verity.hash_file), NULL,
	  "another place for the root hash's file", .is_output = true,
	  .effect = CONFIG_OF_NO_BYTE },
	{ "verity", "tree-file", CONFIG_PATH, MEMBER(verity.tree_file), NULL,
	  "with place = file, where the hash tree goes; not given: IMAGE.verity beside the image, "
	  "where IMAGE loses a .raw at its end",
	  .is_output = true, .effect = CONFIG_OF_NO_BYTE },
	{ "verity", "sign-key", CONFIG_PATH, MEMBER(verity.sign_key), NULL,
	  "sign the root hash with this RSA key: PEM, without a passphrase",
	  .effect = CONFIG_SETTLED },
	{ "verity", "sign-certificate", CONFIG_PATH, MEMBER(verity.sign_certificate), NULL,
	  "the key's certificate: PEM", .effect = CONFIG_SETTLED },
	{ "verity", "signature-file", CONFIG_PATH, MEMBER(verity.signature_file), NULL,
	  "where the signature goes; not given: IMAGE.roothash.p7s beside the image, named "
	  "likewise",
	  .is_output = true, .effect = CONFIG_OF_NO_BYTE },
};

const size_t config_key_count = sizeof(config_keys) / sizeof(config_keys[0]);
static_assert(sizeof(config_keys) / sizeof(config_keys[0]) <= CONFIG_KEYS_MAX,
	      "raise CONFIG_KEYS_MAX");

const struct config_key *config_find_key(const char *section, const char *name)
{
	for (size_t i = 0; i < config_key_count; i++)
		if (strcmp(config_keys[i].section, section) == 0 &&
		    strcmp(config_keys[i].name, name) == 0)
			return &config_keys[i];
	return NULL;
}

bool config_is_section(const char *section)
{
	for (size_t i = 0; i < config_key_count; i++)
		if (strcmp(config_keys[i].section, section) == 0)
			return true;
	return false;
}

const char *config_describe_type(const struct config_key *key, char *buf, size_t size)
{
	static const char *const words[] = { [CONFIG_BOOL] = "yes|no",
					     [CONFIG_U64] = "NUMBER",
					     [CONFIG_SIZE] = "SIZE",
					     [CONFIG_STRING] = "STRING",
					     [CONFIG_PATH] = "PATH",
					     [CONFIG_OUTPUT] = "PATH",
					     [CONFIG_SOURCE] = "PATH",
					     [CONFIG_LIST] = "STRING",
					     [CONFIG_PATHS] = "PATH",
					     [CONFIG_BACKEND] = "BACKEND",
					     [CONFIG_ID_MAP] = "FROM:TO:COUNT",
					     [CONFIG_HEX] = "HEX" };

	if (key->type == CONFIG_ENUM)
		return value_join_choices(key->choices, buf, size);
	snprintf(buf, size, "%s", words[key->type]);
	return buf;
}
