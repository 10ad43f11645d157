/* SPDX-License-Identifier: Apache-2.0 */
/* What a GUID partition table says of the root hash: by its partitions' GUIDs, and by a signature's
 * partition (Discoverable Partitions Specification). */
#ifndef INSPECT_HASHLABELS_H
#define INSPECT_HASHLABELS_H

#include "core/inspect/inspect.h"

/* Of a tree that was found, whose salt is known: sets labelled and signature of hash_tree, and adds
 * what is not right. */
int hash_labels_judge(int fd, struct inspection *inspection, struct error *error);

#endif
