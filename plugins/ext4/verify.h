/* SPDX-License-Identifier: Apache-2.0 */
/* Is the part that libext2fs wrote what the layout says? */
#ifndef EXT4_VERIFY_H
#define EXT4_VERIFY_H

#include "plugins/ext4/layout.h"

/*
 * Re-reads what no line of ours made, and what writing it again would therefore only repeat: group
 * descriptors and bitmaps. 0, or -errno with its message.
 */
int ext4_verify_groups(const struct ext4_layout *layout);

#endif
