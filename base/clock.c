#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t
read_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

static int64_t
system_mono_us(void *self)
{
	return read_us(CLOCK_MONOTONIC);
}

static int64_t
system_boot_ns(void *self)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int64_t
system_wall_ms(void *self)
{
	return read_us(CLOCK_REALTIME) / US_PER_MS;
}

const struct clock *
clock_system(void)
{
	static const struct clock system = { system_mono_us, system_boot_ns, system_wall_ms,
		NULL };

	return &system;
}

static int64_t
hand_mono_us(void *self)
{
	return ((struct clock_hand *)self)->now_us;
}

static int64_t
hand_boot_ns(void *self)
{
	return ((struct clock_hand *)self)->now_us * 1000;
}

static int64_t
hand_wall_ms(void *self)
{
	struct clock_hand *hand = self;

	return hand->epoch_ms + hand->now_us / US_PER_MS;
}

void
clock_hand_init(struct clock_hand *hand, int64_t wall_ms)
{
	hand->clock = (struct clock){ hand_mono_us, hand_boot_ns, hand_wall_ms, hand };
	hand->now_us = 0;
	hand->epoch_ms = wall_ms;
}

void
clock_hand_wind(struct clock_hand *hand, int64_t by_us)
{
	hand->now_us += by_us;
}

int64_t
clock_mono_us(const struct clock *clock)
{
	return clock->mono_us(clock->self);
}

int64_t
clock_boot_ns(const struct clock *clock)
{
	return clock->boot_ns(clock->self);
}

int64_t
clock_wall_ms(const struct clock *clock)
{
	return clock->wall_ms(clock->self);
}

char *
clock_render(int64_t wall_ms, char *text, size_t room)
{
	int       rest = (int)(wall_ms % MS_PER_S);
	time_t    whole = (time_t)(wall_ms / MS_PER_S - (rest < 0));
	int       ms = rest < 0 ? rest + (int)MS_PER_S : rest;
	char      day[24] = "";
	struct tm parts;

	if (gmtime_r(&whole, &parts) != NULL)
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text, room, "%s.%03dZ", day, ms);
	return text;
}
