/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/table.h"

#include <assert.h>

#include "core/cli/cli.h"

const struct cli_command cli_commands[] = {
	{ NULL, CLI_BUILD, "[SOURCE]", "make an image out of a root filesystem", cmd_build },
	{ "inspect", CLI_INSPECT, "IMAGE", "show what an image holds and whether it is sound",
	  cmd_inspect },
	{ "attest", CLI_ATTEST, "IMAGE", "tell whether an image is what a configuration builds",
	  cmd_attest },
	{ "tree", CLI_TREE, "[SOURCE]", "print what an image would hold, as mtree(5) has it",
	  cmd_tree },
	{ "extract", CLI_EXTRACT, "SOURCE [PATH]...",
	  "put what is in an image or another source into a directory or a tar", cmd_extract },
	{ "diff", CLI_DIFF, "SOURCE SOURCE", "tell in what two images or other sources differ",
	  cmd_diff },
	{ "ls", CLI_LS, "SOURCE [PATH]", "list what is in an image or another source", cmd_ls },
	{ "cat", CLI_CAT, "SOURCE PATH", "print a file out of an image or another source",
	  cmd_cat },
	{ "backends", CLI_BACKENDS, "[NAME]", "list the backends, or all that one says of itself",
	  cmd_backends },
	{ "help", CLI_HELP, "[COMMAND]", "print how kataimg, or one of its commands, is used",
	  cmd_help },
};
const size_t cli_command_count = sizeof(cli_commands) / sizeof(cli_commands[0]);

static const char *const progress_choices[] = { "auto", "off", "plain", "bar", "json", NULL };

static const char *const hash_choices[] = { "none", "sha256", NULL };

#define MEMBER(name) offsetof(struct cli, name)

const struct cli_option cli_options[] = {
	{ 'c', "--config", "FILE",
	  "read the configuration from an INI file; - means standard input; given again, for more "
	  "images",
	  CLI_BUILD | CLI_TREE | CLI_ATTEST, CLI_LIST, MEMBER(config_paths) },
	{ 0, "--only", "NAME", "this image of several, and others that are named so",
	  CLI_BUILD | CLI_TREE | CLI_ATTEST, CLI_LIST, MEMBER(only) },
	{ 'o', "--output", "IMAGE", "the image to make", CLI_BUILD, CLI_KEY, .section = "image",
	  .key = "output" },
	{ 'f', "--filesystem", "BACKEND", "the backend, by name or path", CLI_BUILD, CLI_KEY,
	  .section = "image", .key = "filesystem" },
	{ 'r', "--free-mib", "MB", "free space in the image, in MiB", CLI_BUILD, CLI_KEY_MIB,
	  .section = "image", .key = "free-space" },
	{ 0, "--set", "SECTION.KEY=VALUE",
	  "override any key of the configuration; SECTION:NAME.KEY=VALUE of one image",
	  CLI_BUILD | CLI_TREE | CLI_ATTEST, CLI_SETTING },
	{ 0, "--backend-dir", "DIR", "look for backends here first", CLI_ALL, CLI_LIST,
	  MEMBER(backend_dirs) },
	{ 0, "--threads", "N",
	  "use so many threads; as many as processors, but 4 at least, when not given",
	  CLI_BUILD | CLI_INSPECT | CLI_TREE | CLI_ATTEST | CLI_VIEW, CLI_TEXT, MEMBER(threads) },
	{ 0, "--dry-run", NULL, "print the image's geometry and write nothing", CLI_BUILD, CLI_FLAG,
	  MEMBER(dry_run) },
	{ 0, "--explain", NULL, "print the configuration and where each value came from, no more",
	  CLI_BUILD, CLI_FLAG, MEMBER(explain) },
	{ 0, "--report", "FILE", "write a JSON report; - means standard output", CLI_BUILD,
	  CLI_TEXT, MEMBER(report), .once = true },
	{ 0, "--manifest", "FILE",
	  "write a JSON list of all images, with their digests; - means standard output", CLI_BUILD,
	  CLI_TEXT, MEMBER(manifest), .once = true },
	{ 0, "--toml", "FILE",
	  "write the lines for Kata's guest_extension_images; - means standard output", CLI_BUILD,
	  CLI_TEXT, MEMBER(toml), .once = true },
	{ 0, "--no-sync", NULL, "do not wait until the image is on the disk", CLI_BUILD, CLI_FLAG,
	  MEMBER(no_sync) },
	{ 0, "--no-reflink", NULL, "do not share extents with the source", CLI_BUILD, CLI_FLAG,
	  MEMBER(no_reflink) },
	{ 0, "--no-sandbox", NULL,
	  "keep the right to open other files than those that the command line and the "
	  "configuration name",
	  CLI_BUILD | CLI_INSPECT | CLI_TREE | CLI_ATTEST | CLI_VIEW, CLI_FLAG,
	  MEMBER(no_sandbox) },
	{ 0, "--strict-backend", NULL, "fail when the backend breaks its contract", CLI_BUILD,
	  CLI_FLAG, MEMBER(strict_backend) },
	{ 0, "--progress", "MODE", "auto, off, plain, bar or json",
	  CLI_BUILD | CLI_INSPECT | CLI_ATTEST | CLI_EXTRACT | CLI_DIFF, CLI_CHOICE,
	  MEMBER(progress), .choices = progress_choices },
	{ 'q', "--quiet", NULL, "only warnings and errors",
	  CLI_BUILD | CLI_TREE | CLI_ATTEST | CLI_VIEW, CLI_FLAG, MEMBER(quiet) },
	{ 'v', "--verbose", NULL, "say more", CLI_BUILD | CLI_TREE | CLI_ATTEST | CLI_VIEW,
	  CLI_FLAG, MEMBER(verbose) },
	{ 'p', "--partition", "N",
	  "the partition of an image; else the first one with a filesystem that is known",
	  CLI_TREE | CLI_VIEW, CLI_TEXT, MEMBER(partition) },
	{ 0, "--hash", "HASH", "none, or sha256: digests of files, as sha256digest", CLI_TREE,
	  CLI_CHOICE, MEMBER(hash), .choices = hash_choices },
	{ 'C', "--directory", "DIR", "the directory to extract to: made, or empty", CLI_EXTRACT,
	  CLI_TEXT, MEMBER(directory), .once = true },
	{ 'o', "--output", "FILE",
	  "the archive to extract to: .tar, .tar.gz, .tar.zst or .tar.xz; - means standard output",
	  CLI_EXTRACT, CLI_TEXT, MEMBER(archive), .once = true },
	{ 0, "--force", NULL, "replace what is there", CLI_EXTRACT, CLI_FLAG, MEMBER(force) },
	{ 0, "--blocks", NULL, "compare two files block by block, whatever is in them", CLI_DIFF,
	  CLI_FLAG, MEMBER(blocks) },
	{ 'l', "--long", NULL, "mode, links, owner, group, size and time, in UTC, of each entry",
	  CLI_LS, CLI_FLAG, MEMBER(details) },
	{ 'R', "--recursive", NULL, "all that is below, one path a line", CLI_LS, CLI_FLAG,
	  MEMBER(recursive) },
	{ 0, "--root-hash", "HEX|FILE",
	  "check every block against a dm-verity root hash, or the one in a root_hash*.txt",
	  CLI_INSPECT, CLI_TEXT, MEMBER(root_hash) },
	{ 0, "--salt", "HEX", "the root hash's salt; else root_hash*.txt beside the image has it",
	  CLI_INSPECT, CLI_TEXT, MEMBER(salt) },
	{ 0, "--json", NULL, "print JSON", CLI_INSPECT | CLI_DIFF, CLI_FLAG, MEMBER(json) },
	{ 0, "--version", NULL, "print the version", CLI_ALL, CLI_FLAG, MEMBER(version) },
	{ 'h', "--help", NULL, "print how it is used", CLI_ALL | CLI_HELP, CLI_FLAG, MEMBER(help) },
	{ 0, "--help-keys", NULL, "print all keys of the configuration", CLI_BUILD, CLI_FLAG,
	  MEMBER(help_keys) },
};
const size_t cli_option_count = sizeof(cli_options) / sizeof(cli_options[0]);
static_assert(sizeof(cli_options) / sizeof(cli_options[0]) <= CLI_OPTIONS_MAX,
	      "raise CLI_OPTIONS_MAX");
