/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a filesystem that was unmounted cleanly: one record, the rest zeros. A log of zeros
 * alone is no substitute: xfs_repair complains, and kernels from 6.12 on mount it and then hang.
 */
#ifndef XFS_LOG_H
#define XFS_LOG_H

#include <stdint.h>

/* The first block of the log, into zeros. */
void xfs_log_pack(uint32_t sector_bytes, const uint8_t *uuid, uint8_t *bytes);

#endif
