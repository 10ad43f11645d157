# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# Shell functions for both sides of a boot test: the host's busybox and the guest's.

# One line an entry of the directory: what it is, and the checksum of what is in it.
manifest()
{
	(
		cd "$1" || exit 1
		find . -print0 | xargs -0 stat -c '%n mode %f owner %u:%g links %h device %t:%T mtime %Y'
		find . -type f -print0 | xargs -0 -r stat -c '%n size %s'
		find . -type f -print0 | xargs -0 -r sha256sum
		find . -type l -print0 | xargs -0 -r -n 1 sh -c 'echo "$0 -> $(readlink "$0")"'
	) | sort
}
