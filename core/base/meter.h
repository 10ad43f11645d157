/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far the reading of a source is, from deep below to whoever shows it: what takes long says how
 * many bytes it has before it and how many are done, or counts entries. The listener is the
 * process's, as the wish to stop is (base/cancel.h); without one nothing happens. Threads may
 * report at once.
 */
#ifndef BASE_METER_H
#define BASE_METER_H

#include <stdint.h>

#define METER_UNKNOWN UINT64_MAX

/* A directory is counted by its entries, a filesystem by its inodes, all else by bytes. */
enum meter_unit { METER_BYTES, METER_ENTRIES };

/* total 0: nobody knows. Called by one thread at a time. */
typedef void (*meter_fn)(void *arg, enum meter_unit unit, uint64_t done, uint64_t total);

/* From now on, from 0 on; NULL: nobody listens. */
void meter_listen(meter_fn listener, void *arg);

/* So many bytes more will be reported; METER_UNKNOWN: some. */
void meter_expect(uint64_t bytes);

void meter_advance(uint64_t bytes);

/* Entries that were met, of nobody knows how many. */
void meter_count(uint64_t entries);

#endif
