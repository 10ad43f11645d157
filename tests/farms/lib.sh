# SPDX-License-Identifier: Apache-2.0
# For the tests of examples that need a farm's own program: a scratch directory, checks, a plain user.
# shellcheck shell=bash disable=SC2034 # what is set here is for who includes this file
set -u

failed=0
fail() {
	echo "FAIL: $*"
	failed=1
}

# need PROGRAM...: the test is skipped, and says why, where one of them is missing.
need() {
	local program

	for program; do
		command -v "$program" >/dev/null && continue
		echo "skipped: there is no $program: apt-get install bazel-bootstrap slurm-wlm munge"
		exit 77
	done
}

kataimg=$(readlink -f "$1")
examples=$(readlink -f "$2")
PATH=$(dirname "$kataimg"):/usr/sbin:/sbin:$PATH
export PATH
scratch=$(mktemp -d /tmp/kataimg-farm-XXXXXX)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

# A farm's actions have no privilege: root runs them as nobody, and in no network.
plain() {
	if [ "$(id -u)" = 0 ]; then
		unshare --net setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$scratch" "$@"
	else
		unshare --user --map-current-user --net "$@"
	fi
}

# make_rootfs FILE: a root filesystem as a tar, the same at each call.
make_rootfs() {
	"$examples/make-rootfs" "$scratch/rootfs"
	tar -C "$scratch/rootfs" --sort=name --owner=0 --group=0 --numeric-owner -cf "$1" .
}
