/* SPDX-License-Identifier: Apache-2.0 */
/* Files that speak of an image and are named after it, as systemd looks for them beside: the suffix
 * in the place of a .raw, or behind another name (systemd-dissect(1), --root-hash=). */
#ifndef MEASURE_BESIDE_H
#define MEASURE_BESIDE_H

#define BESIDE_TREE ".verity"            /* the hash tree, when it is not in the image */
#define BESIDE_SIGNATURE ".roothash.p7s" /* of the root hash */

/* To be freed; NULL: no memory. */
char *beside_path(const char *image, const char *suffix);

#endif
