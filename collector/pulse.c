#include "collector/pulse.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "collector/writer.h"

#include <stdlib.h>

struct pulse {
	struct loop_watch watch;
	struct writer    *writer; /* borrowed */
	int64_t           every_us, stuck_us;
	bool              stuck;
};

static void
beat(void *arg, unsigned what)
{
	struct pulse *pulse = arg;
	int64_t       busy_us = writer_busy_us(pulse->writer);
	bool          stuck = busy_us > pulse->stuck_us;

	if (stuck && !pulse->stuck)
		log_error("store",
		    "the disk has not answered for %d s; the service manager is told no more "
		    "that all is well",
		    (int)(busy_us / US_PER_S));
	pulse->stuck = stuck;
	if (!stuck)
		notify_alive();
	loop_watch_set(&pulse->watch, -1, 0, pulse->every_us);
}

struct pulse *
pulse_new(struct loop *loop, struct writer *writer, int64_t every_us, int64_t stuck_us)
{
	struct pulse *pulse = mem_alloc(sizeof(*pulse));

	pulse->writer = writer;
	pulse->every_us = every_us;
	pulse->stuck_us = stuck_us;
	loop_watch_init(&pulse->watch, loop, beat, pulse);
	beat(pulse, 0);
	return pulse;
}

void
pulse_free(struct pulse *pulse)
{
	if (pulse == NULL)
		return;
	loop_watch_fini(&pulse->watch);
	free(pulse);
}
