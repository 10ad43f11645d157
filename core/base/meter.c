/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/meter.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
	meter_fn listener;
	void *arg;
	uint64_t done, total; /* bytes */
	uint64_t entries;
	bool unknown; /* one of the totals is */
} meter;

void meter_listen(meter_fn listener, void *arg)
{
	pthread_mutex_lock(&lock);
	meter.listener = listener;
	meter.arg = arg;
	meter.done = 0;
	meter.total = 0;
	meter.entries = 0;
	meter.unknown = false;
	pthread_mutex_unlock(&lock);
}

void meter_expect(uint64_t bytes)
{
	pthread_mutex_lock(&lock);
	if (bytes == METER_UNKNOWN)
		meter.unknown = true;
	else
		meter.total += bytes;
	pthread_mutex_unlock(&lock);
}

void meter_advance(uint64_t bytes)
{
	pthread_mutex_lock(&lock);
	meter.done += bytes;
	if (meter.listener)
		meter.listener(meter.arg, METER_BYTES, meter.done, meter.unknown ? 0 : meter.total);
	pthread_mutex_unlock(&lock);
}

void meter_count(uint64_t entries)
{
	pthread_mutex_lock(&lock);
	meter.entries += entries;
	if (meter.listener)
		meter.listener(meter.arg, METER_ENTRIES, meter.entries, 0);
	pthread_mutex_unlock(&lock);
}
