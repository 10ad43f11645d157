/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INSPECT_PROBE_H
#define INSPECT_PROBE_H

#include "core/backend/search.h"
#include "core/inspect/inspect.h"

/*
 * Asks every backend of the search path, which must outlive it. The first that knows the filesystem
 * answers; that another calls it broken only counts when none does.
 */
struct inspect_probe inspect_probe_backends(const struct backend_search *search);

#endif
