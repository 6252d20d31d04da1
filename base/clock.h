/* clock: the one place that asks what time it is.
 *
 * Durations come from the monotonic clock, dates from the wall clock.  A test winds a clock by
 * hand; code that must be testable takes a `const struct clock *` and asks nothing else.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define US_PER_MS   INT64_C(1000)
#define US_PER_S    INT64_C(1000000)
#define MS_PER_S    INT64_C(1000)
#define MS_PER_MIN  INT64_C(60000)
#define MS_PER_HOUR INT64_C(3600000)
#define MS_PER_DAY  INT64_C(86400000)

struct clock {
	int64_t (*mono_us)(void *self); /* CLOCK_MONOTONIC */
	int64_t (*boot_ns)(void *self); /* CLOCK_BOOTTIME: goes on while the VM is suspended */
	int64_t (*wall_ms)(void *self); /* Unix time */
	void *self;
};

/* The kernel's clocks. */
const struct clock *clock_system(void);

/* A clock that stands still until it is wound. */
struct clock_hand {
	struct clock clock;
	int64_t      now_us;   /* monotonic and boot time */
	int64_t      epoch_ms; /* wall time at now_us 0 */
};
void clock_hand_init(struct clock_hand *hand, int64_t wall_ms);
void clock_hand_wind(struct clock_hand *hand, int64_t by_us);

int64_t clock_mono_us(const struct clock *clock);
int64_t clock_boot_ns(const struct clock *clock);
int64_t clock_wall_ms(const struct clock *clock);

/* RFC 3339 in UTC with milliseconds, "2026-11-23T21:04:05.678Z" [rfc3339 5.6]; text holds at
 * least CLOCK_TEXT bytes.  Returns text. */
enum { CLOCK_TEXT = 32 };
char *clock_render(int64_t wall_ms, char *text, size_t room);

#endif
