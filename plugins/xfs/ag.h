/* SPDX-License-Identifier: Apache-2.0 */
/* An AG's header sectors, its four B+trees, and the log in the AG that has it. */
#ifndef XFS_AG_H
#define XFS_AG_H

#include "plugins/common/writer.h"
#include "plugins/xfs/agspace.h"
#include "plugins/xfs/layout.h"
#include "plugins/xfs/super.h"

struct xfs_ag_job {
	const struct xfs_layout *layout;
	const struct xfs_identity *identity;
	struct writer *writer;
	struct xfs_agspace agspace; /* of the AG at hand; to be cleared */
	uint64_t chunks_before;     /* in earlier AGs */
};

/* Writes AG agno; AGs come in order, from 0. */
int xfs_ag_write(struct xfs_ag_job *job, uint32_t agno);

#endif
