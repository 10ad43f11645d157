/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/devices.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/checked.h"

/* So many have their names in the message. */
#define NAMED_MAX 4u

struct list {
	char text[400];
	size_t len;
};

static void add(struct list *list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct list *list, const char *fmt, ...)
{
	size_t room = sizeof(list->text) - list->len;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(list->text + list->len, room, fmt, args);
	va_end(args);
	if (len > 0)
		list->len += (size_t)len < room ? (size_t)len : room - 1;
}

static void add_device(struct list *list, const struct erofs_device_slot *slot, uint32_t number,
		       unsigned int block_bits)
{
	uint64_t bytes = (uint64_t)from_le32(slot->blocks) << block_bits;

	add(list, "%sdevice %u", number > 1 ? ", " : "", number);
	if (slot->tag[0])
		add(list, " (%.*s)", (int)sizeof(slot->tag), (const char *)slot->tag);
	if (bytes)
		add(list, " of %" PRIu64 " bytes", bytes);
}

int erofs_devices_check(const struct kataimg_host *host, uint64_t window_bytes,
			const struct erofs_super *super)
{
	uint64_t off = from_le16(super->device_slot) * sizeof(struct erofs_device_slot);
	uint32_t count = from_le16(super->extra_devices);
	struct erofs_device_slot slot;
	struct list list = { .len = 0 };

	if (!(from_le32(super->feature_incompat) & EROFS_INCOMPAT_DEVICE_TABLE) || count == 0)
		return 0;
	if (!range_within(off, count * sizeof(slot), window_bytes)) {
		host->error(host->ctx, "its table of devices is outside the filesystem");
		return -EUCLEAN;
	}
	for (uint32_t i = 0; i < count && i < NAMED_MAX; i++) {
		int ret = host->window_read(host->ctx, off + i * sizeof(slot), &slot, sizeof(slot));

		if (ret < 0)
			return ret;
		add_device(&list, &slot, i + 1, super->block_bits);
	}
	if (count > NAMED_MAX)
		add(&list, " and %u more", count - NAMED_MAX);
	host->error(host->ctx,
		    "data of its files is on %u other device%s, which cannot be read here: %s; "
		    "mount it, with -o device=FILE for each of them in this order",
		    count, count > 1 ? "s" : "", list.text);
	return -EOPNOTSUPP;
}
