/* SPDX-License-Identifier: Apache-2.0 */
/* Inspections of what a cmocka test has made. What fails ends the test. */
#ifndef SUPPORT_INSPECTED_H
#define SUPPORT_INSPECTED_H

#include "core/inspect/inspect.h"

/* It can be read. Clear the inspection. */
void inspected(int fd, const struct inspect_probe *probe, struct inspection *inspection);
/* There is one finding, in these words. */
void inspected_only(const struct inspect_findings *findings, const char *words);

#endif
