# SPDX-License-Identifier: Apache-2.0
# For the tests of the program's face: a scratch directory with a root filesystem, and checks.
# shellcheck shell=bash disable=SC2034 # what is set here is for who includes this file
set -u

# shellcheck disable=SC1091
. "$(dirname "${BASH_SOURCE[0]}")/../support/checks.sh"

# Runs a command; its exit status, stdout and stderr are in $status, $out and $err.
run() {
	out=$("$@" 2>"$scratch/stderr")
	status=$?
	err=$(cat "$scratch/stderr")
}

expect_status() {
	[ "$status" = "$1" ] || fail "exit status $status, not $1; $err"
}

# Is the text $2 somewhere in $1?
expect_text() {
	case $1 in
	*"$2"*) ;;
	*) fail "'$2' is not in: $1" ;;
	esac
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

mkdir -p rootfs/sbin rootfs/usr/bin rootfs/usr/lib/systemd rootfs/etc
printf '#!/bin/sh\n' >rootfs/usr/bin/kata-agent
printf '#!/bin/sh\n:\n' >rootfs/usr/lib/systemd/systemd
chmod +x rootfs/usr/bin/kata-agent rootfs/usr/lib/systemd/systemd
ln -s ../usr/lib/systemd/systemd rootfs/sbin/init
