# SPDX-License-Identifier: Apache-2.0
# What shell tests say, and whether they may: failed is 1 once something does not hold.
# shellcheck shell=bash disable=SC2034 # who includes this file reads failed

failed=0
fail() {
	echo "FAIL: $*"
	failed=1
}

# Files can be given away, and devices made: not by the root of a user namespace.
has_root() {
	"$(dirname "${BASH_SOURCE[0]}")/../need-root" "" >/dev/null
}
