/* feeder: an agent that measures nothing: real spool, real upload, and numbered results at a rate.
 *
 * What it makes stands in a log of its own, which it writes by itself and which the judge
 * (tests/e2e/faults.py) reads: "+N" before N is appended, then "=N", which is a promise, or "~N"
 * when the disk took nothing and N is in memory alone.
 *
 *	feeder --agent NAME --spool DIR --url URL --ca FILE --token FILE --log FILE
 *	    [--from N] [--every-us N] [--clock FILE]
 *
 * Without --every-us it makes nothing and ends when the spool is empty.  The file of --clock holds
 * how many milliseconds the wall clock is off; it is read again and again.
 */
#include "agent/courier.h"
#include "agent/spool.h"
#include "agent/upload.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "proto/encode.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FLUSH_MS = 0, SEAL_MS = 150, SEAL_BYTES = 2048, LIMIT_MS = 3000 };

struct feeder {
	const char       *agent, *spool_dir, *url, *ca, *token, *log, *clock_file;
	unsigned long     from;
	int64_t           every_us; /* 0: only what is there already */
	int               log_fd;
	struct clock      clock;
	struct loop      *loop;
	struct spool     *spool;
	struct upload    *upload;
	struct loop_watch feed, tend;
};

static int64_t
mono_us(void *self)
{
	return clock_mono_us(clock_system());
}

static int64_t
boot_ns(void *self)
{
	return clock_boot_ns(clock_system());
}

/* As somebody has set it. */
static int64_t
wall_ms(void *self)
{
	const struct feeder *feeder = self;
	FILE     *file = feeder->clock_file != NULL ? fopen(feeder->clock_file, "r") : NULL;
	long long off_ms = 0;

	if (file != NULL) {
		if (fscanf(file, "%lld", &off_ms) != 1)
			off_ms = 0;
		fclose(file);
	}
	return clock_wall_ms(clock_system()) + off_ms;
}

static void
say(struct feeder *feeder, char sign)
{
	char line[32];
	int  count = snprintf(line, sizeof(line), "%c%lu\n", sign, feeder->from);

	if (write(feeder->log_fd, line, (size_t)count) != count)
		_exit(3);
}

static void
tend(struct feeder *feeder)
{
	int64_t wait_ms;

	spool_tick(feeder->spool);
	upload_kick(feeder->upload);
	wait_ms = spool_wait_ms(feeder->spool);
	if (wait_ms >= 0)
		loop_watch_set(&feeder->tend, -1, 0, wait_ms * US_PER_MS);
	else
		loop_watch_stop(&feeder->tend);
	if (feeder->every_us == 0 && wait_ms < 0 && spool_count(feeder->spool) == 0)
		loop_stop(feeder->loop);
}

static void
on_tend(void *arg, unsigned what)
{
	tend(arg);
}

static void
on_answered(void *arg)
{
	tend(arg);
}

static void
on_feed(void *arg, unsigned what)
{
	struct feeder *feeder = arg;
	char           number[24];
	struct target target = { .account = "contoso", .host = "contoso.invalid", .port = 443 };
	struct measurement seen = { .target = &target, .detail = number };
	struct wbuf        out;

	snprintf(number, sizeof(number), "%lu", feeder->from);
	seen.started_ms = clock_wall_ms(&feeder->clock);
	wbuf_init(&out);
	encode_message(&record_desc, &(struct record){ .measurement = &seen }, &out);
	say(feeder, '+');
	spool_append(feeder->spool, out.bytes, out.count);
	say(feeder, spool_stats(feeder->spool).degraded ? '~' : '=');
	wbuf_fini(&out);
	feeder->from++;
	tend(feeder);
	loop_watch_set(&feeder->feed, -1, 0, feeder->every_us);
}

static void
read_options(struct feeder *feeder, int argc, char **argv)
{
	static const struct option options[] = { { "agent", 1, NULL, 'a' },
		{ "spool", 1, NULL, 's' }, { "url", 1, NULL, 'u' }, { "ca", 1, NULL, 'c' },
		{ "token", 1, NULL, 't' }, { "log", 1, NULL, 'l' }, { "from", 1, NULL, 'f' },
		{ "every-us", 1, NULL, 'e' }, { "clock", 1, NULL, 'k' }, { 0 } };
	int                        option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'a': feeder->agent = optarg; break;
		case 's': feeder->spool_dir = optarg; break;
		case 'u': feeder->url = optarg; break;
		case 'c': feeder->ca = optarg; break;
		case 't': feeder->token = optarg; break;
		case 'l': feeder->log = optarg; break;
		case 'f': feeder->from = strtoul(optarg, NULL, 10); break;
		case 'e': feeder->every_us = strtoll(optarg, NULL, 10); break;
		case 'k': feeder->clock_file = optarg; break;
		default: exit(2);
		}
	}
	if (feeder->agent == NULL || feeder->spool_dir == NULL || feeder->url == NULL ||
	    feeder->ca == NULL || feeder->token == NULL || feeder->log == NULL) {
		fputs("feeder: see the head of tests/fake/feeder.c\n", stderr);
		exit(2);
	}
}

static bool
open_feeder(struct feeder *feeder, struct err *err)
{
	struct arena   *arena = arena_new();
	size_t          count;
	char           *token = file_read(arena, feeder->token, 4096, &count, err);
	struct courier *courier;

	if (token == NULL)
		return false;
	token[strcspn(token, "\n")] = '\0';
	feeder->clock = (struct clock){ mono_us, boot_ns, wall_ms, feeder };
	feeder->log_fd = open(feeder->log, O_WRONLY | O_APPEND | O_CREAT, 0600);
	feeder->loop = loop_new(err);
	courier = feeder->loop == NULL
	    ? NULL
	    : courier_new(&(struct courier_options){ .loop = feeder->loop,
	                      .url = feeder->url,
	                      .ca_file = feeder->ca,
	                      .token = token,
	                      .limit_ms = LIMIT_MS },
	          err);
	feeder->spool = courier == NULL
	    ? NULL
	    : spool_open(&(struct spool_options){ .dir = feeder->spool_dir,
	                     .agent = feeder->agent,
	                     .clock = &feeder->clock,
	                     .limit_bytes = 16 << 20,
	                     .age_ms = 7 * MS_PER_DAY,
	                     .flush_ms = FLUSH_MS,
	                     .seal_age_ms = SEAL_MS,
	                     .seal_bytes = SEAL_BYTES },
	          err);
	if (feeder->spool == NULL)
		return false;
	feeder->upload = upload_new(&(struct upload_options){ .loop = feeder->loop,
	    .courier = courier,
	    .spool = feeder->spool,
	    .agent = feeder->agent,
	    .network = "vnet-a",
	    .on_answered = on_answered,
	    .arg = feeder });
	arena_free(arena);
	return true;
}

/* It ends by SIGKILL, or when there is nothing left to do; the system takes what it holds. */
int
main(int argc, char **argv)
{
	struct feeder feeder = { 0 };
	struct err    err;

	read_options(&feeder, argc, argv);
	log_open(feeder.agent, LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	signal(SIGPIPE, SIG_IGN);
	if (!open_feeder(&feeder, &err)) {
		log_error("feeder", "%s", err.text);
		return 1;
	}
	loop_watch_init(&feeder.feed, feeder.loop, on_feed, &feeder);
	loop_watch_init(&feeder.tend, feeder.loop, on_tend, &feeder);
	if (feeder.every_us > 0)
		loop_watch_set(&feeder.feed, -1, 0, feeder.every_us);
	loop_watch_set(&feeder.tend, -1, 0, 0);
	loop_run(feeder.loop);
	_exit(0);
}
