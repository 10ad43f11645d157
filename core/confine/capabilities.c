/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/capability.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/confine/confine.h"

/* Of whoever builds as root: files that others own are read, without a change of their access
 * times, and replaced, and room is left that only root may use. */
static const unsigned int always[] = { CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER,
				       CAP_SYS_RESOURCE };
/* trusted.* is seen with the first alone; labels that this machine's policy does not know, with the
 * second. */
static const unsigned int for_attributes[] = { CAP_SYS_ADMIN, CAP_MAC_ADMIN };
static const unsigned int for_devices[] = { CAP_FSETID, CAP_MKNOD, CAP_SETFCAP };

struct set {
	struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3];
};

static void keep(const struct set *old, struct set *kept, const unsigned int *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct __user_cap_data_struct *from = &old->words[CAP_TO_INDEX(list[i])];
		struct __user_cap_data_struct *to = &kept->words[CAP_TO_INDEX(list[i])];

		to->effective |= from->effective & CAP_TO_MASK(list[i]);
		to->permitted |= from->permitted & CAP_TO_MASK(list[i]);
	}
}

int confine_drop_capabilities(const struct confine *confine)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct set old, kept = { 0 };

	if (syscall(SYS_capget, &header, old.words) < 0)
		return -errno;
	keep(&old, &kept, always, sizeof(always) / sizeof(always[0]));
	if (confine->attributes)
		keep(&old, &kept, for_attributes,
		     sizeof(for_attributes) / sizeof(for_attributes[0]));
	if (confine->devices)
		keep(&old, &kept, for_devices, sizeof(for_devices) / sizeof(for_devices[0]));
	return syscall(SYS_capset, &header, kept.words) < 0 ? -errno : 0;
}
