/* SPDX-License-Identifier: Apache-2.0 */
#ifndef READER_SINK_H
#define READER_SINK_H

#include "core/base/error.h"
#include "core/reader/found.h"

/* What a backend is given to report to; what it says goes into found. */
struct kataimg_sink_ctx {
	struct found *found;
	struct error error; /* the first one; with found->lock */
	struct kataimg_sink services;
};

void sink_init(struct kataimg_sink_ctx *sink, struct found *found);

/* Has anything been refused? Then that is the error, whatever the backend made of it. */
int sink_take_error(struct kataimg_sink_ctx *sink, struct error *error);

#endif
