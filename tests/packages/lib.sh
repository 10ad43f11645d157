# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# For what looks at packages: fresh Debians, and tests of what is installed in them.

fail() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# A list of Depends or Build-Depends on standard input as debootstrap takes it: names alone, the first of
# alternatives; our own packages and those that only name something else are left out.
names_of() {
	tr ',\n' '\n\n' | sed -e 's/[([<|].*//' -e 's/ //g' -e 's/:any$//' -e 's/^debhelper-compat$/debhelper/' |
		grep -v -e '^kataimg' -e '^$' -e '^@' -e '^\$' | sort -u | paste -sd,
}

# field NAME FILE: what a field has, in all paragraphs of a file of debian/control's kind.
field() {
	awk -v "name=$1" '/^[^ ]/ { inside = index($0, name ": ") == 1; sub(/^[^:]*: */, "") } inside' "$2"
}

# with_devices ROOT COMMAND...: runs it where ROOT has /proc and /dev, and nobody else sees them.
with_devices() {
	_root=$1
	shift
	unshare --mount --propagation unchanged sh -c 'mount --make-rprivate / 2>/dev/null
		mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec "$@"' "$_root" "$@"
}

# autopkgtests DEBS ROOT OPTION...: debian/tests with the packages of a directory, in a root filesystem.
autopkgtests() {
	_debs=$1 _testbed=$2
	shift 2
	_tree=$(find "$_debs/" -maxdepth 1 -type d -name 'kataimg-*')
	# shellcheck disable=SC2046 # a list of files without blanks
	with_devices "$_testbed" autopkgtest --timeout-factor=10 --no-built-binaries "$@" \
		$(find "$_debs/" -name 'kataimg*.deb' ! -name '*-dbgsym_*') "$_tree/" -- chroot "$_testbed"
}
