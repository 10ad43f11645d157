/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/meter.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
	meter_fn listener;
	void *arg;
	uint64_t done, total;
	bool unknown; /* one of the totals is */
} meter;

void meter_listen(meter_fn listener, void *arg)
{
	pthread_mutex_lock(&lock);
	meter.listener = listener;
	meter.arg = arg;
	meter.done = 0;
	meter.total = 0;
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
		meter.listener(meter.arg, meter.done, meter.unknown ? 0 : meter.total);
	pthread_mutex_unlock(&lock);
}
