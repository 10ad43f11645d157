/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/cpio/probe.h"

#include "lib/cleanup.h"
#include "plugins/cpio/info.h"
#include "plugins/cpio/scan.h"

int cpio_probe(const struct kataimg_host *host, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	struct cpio_scan scan autocall(cpio_scan_end) = { 0 };
	struct cpio_found found;
	int ret = cpio_scan_begin(&scan, host, window_bytes);

	if (ret < 0)
		return ret;
	do
		ret = cpio_scan_next(&scan, &found);
	while (ret > 0);
	if (ret < 0)
		return ret;
	cpio_info_describe(scan.end, info);
	return 0;
}
