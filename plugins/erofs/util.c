/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/erofs/erofs.h"

void *erofs_alloc(const struct erofs *fs, size_t count, size_t item_bytes)
{
	void *array = calloc(count, item_bytes);

	if (!array)
		erofs_error(fs, "out of memory");
	return array;
}

int erofs_grow(const struct erofs *fs, void *array, size_t *capacity, size_t count,
	       size_t item_bytes)
{
	size_t wanted = *capacity ? *capacity + *capacity / 2 : 16;
	void *items;

	if (count < *capacity)
		return 0;
	memcpy(&items, array, sizeof(items));
	items = reallocarray(items, wanted, item_bytes);
	if (!items) {
		erofs_error(fs, "out of memory");
		return -ENOMEM;
	}
	memcpy(array, &items, sizeof(items));
	*capacity = wanted;
	return 0;
}
