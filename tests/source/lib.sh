# SPDX-License-Identifier: Apache-2.0
# For tests of sources: a scratch directory, builds of it, comparisons.
# shellcheck shell=bash disable=SC2034,SC2154 # who includes this file reads failed, and sets kataimg
set -u

# shellcheck disable=SC1091
. "$(dirname "${BASH_SOURCE[0]}")/../support/checks.sh"

# build IMAGE SOURCE [OPTION]...
build() {
	local image=$1 source=$2

	shift 2
	"$kataimg" -q --no-sync -f erofs --set rootfs.check=no --set image.align=2M -o "$image" \
		"$@" "$source" ||
		fail "no image of $source"
}

# same A B: are two images the same, byte by byte?
same() {
	cmp "$1" "$2" || fail "$1 and $2 differ"
}

# refuse TEXT COMMAND...: it fails, and says the text.
refuse() {
	local text=$1 said

	shift
	said=$("$@" 2>&1 >/dev/null) && fail "no error: $*"
	case $said in
	*"$text"*) ;;
	*) fail "'$text' is not in: $said" ;;
	esac
}

scratch=$(mktemp -d "$PWD/source-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
umask 022
export LC_ALL=C
