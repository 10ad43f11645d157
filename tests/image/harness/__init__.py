# SPDX-License-Identifier: Apache-2.0
"""What the whole-image test programs share: running kataimg, judging images, reporting cases."""
