/* fleet: many agents in one process (tests/sim/sim_agent.h).
 *
 *	fleet enrol --agents FOLDER --state DIR --from N --count N [--life-s N]
 *	fleet run --agents FOLDER --url URL --ca FILE --log FILE --from N --count N
 *	    [--accounts N] [--every-ms N] [--seal-ms N] [--pull-ms N] [--ramp-ms N]
 *
 * `run` writes a line of JSON each second: sums over its agents, and how long each acknowledgement
 * took that came in that second.  At SIGTERM it makes nothing more, and ends when every spool is
 * empty.  Killed and started again it goes on where its log ends.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/wbuf.h"
#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_enrol.h"

#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct fleet {
	const char        *agents, *url, *ca, *log, *state;
	unsigned long      from, count, accounts;
	long long          every_ms, seal_ms, pull_ms, ramp_ms, life_s;
	int                log_fd;
	uint64_t          *next; /* owned; numbers to go on with */
	struct loop       *loop;
	struct sim_agent **all; /* owned */
	struct loop_watch  report;
	struct wbuf        answers; /* "1234,5678," of this second, us */
	bool               stopping;
	int64_t            began_us;
	size_t             answered;
};

static void
on_acknowledged(void *arg, int64_t answer_us)
{
	struct fleet *fleet = arg;

	wbuf_printf(
	    &fleet->answers, "%s%" PRId64, fleet->answers.count > 0 ? "," : "", answer_us);
	fleet->answered++;
}

static double
cpu_s(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
	    (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static long
rss_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long  all = 0, resident = 0;

	if (file != NULL && fscanf(file, "%ld %ld", &all, &resident) != 2)
		resident = 0;
	if (file != NULL)
		fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* What all have together. */
struct sums {
	struct sim_agent_state all;
	size_t                 failing, late, degraded; /* late: failing or behind */
};

static struct sums
add_up(const struct fleet *fleet)
{
	struct sums sums = { 0 };

	for (size_t i = 0; i < fleet->count; i++) {
		struct sim_agent_state one = sim_agent_state(fleet->all[i]);

		sums.all.made += one.made;
		sums.all.sent += one.sent;
		sums.all.stored += one.stored;
		sums.all.refused += one.refused;
		sums.all.renewed += one.renewed;
		sums.all.waiting += one.waiting;
		sums.failing += one.failing;
		sums.late += one.failing || one.behind;
		sums.degraded += one.degraded;
	}
	return sums;
}

static void
on_report(void *arg, unsigned what)
{
	struct fleet *fleet = arg;
	struct sums   sums = add_up(fleet);

	printf("{\"made\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"stored\":%" PRIu64
	       ",\"refused\":%" PRIu64 ",\"renewed\":%" PRIu64
	       ",\"waiting\":%zu,\"failing\":%zu,\"late\":%zu,\"degraded\":%zu,\"lag_us\":"
	       "%" PRId64 ",\"cpu_s\":%.3f,\"rss_kib\":%ld,\"answers\":[%s]}\n",
	    sums.all.made, sums.all.sent, sums.all.stored, sums.all.refused, sums.all.renewed,
	    sums.all.waiting, sums.failing, sums.late, sums.degraded, loop_lag_us(fleet->loop),
	    cpu_s(), rss_kib(), wbuf_text(&fleet->answers));
	fflush(stdout);
	wbuf_clear(&fleet->answers);
	if (fleet->stopping && sums.all.waiting == 0)
		loop_stop(fleet->loop);
	else
		loop_watch_set(&fleet->report, -1, 0, US_PER_S);
}

static void
on_stop(void *arg)
{
	struct fleet *fleet = arg;

	fleet->stopping = true;
	for (size_t i = 0; i < fleet->count; i++)
		sim_agent_stop(fleet->all[i]);
}

/* Lines of an earlier life. */
static void
read_log(struct fleet *fleet)
{
	FILE         *file = fopen(fleet->log, "r");
	char          sign;
	unsigned long agent;
	uint64_t      number;

	while (
	    file != NULL && fscanf(file, "%c%lu %" SCNu64 "\n", &sign, &agent, &number) == 3) {
		if (agent >= fleet->from && agent < fleet->from + fleet->count &&
		    number >= fleet->next[agent - fleet->from])
			fleet->next[agent - fleet->from] = number + 1;
	}
	if (file != NULL)
		fclose(file);
}

static bool
open_fleet(struct fleet *fleet, struct err *err)
{
	fleet->next = mem_array(fleet->count, sizeof(*fleet->next));
	fleet->all = mem_array(fleet->count, sizeof(struct sim_agent *));
	read_log(fleet);
	fleet->log_fd = open(fleet->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fleet->log_fd < 0)
		return err_errno(err, "%s", fleet->log);
	fleet->loop = loop_new(err);
	if (fleet->loop == NULL)
		return false;
	for (size_t i = 0; i < fleet->count; i++) {
		fleet->all[i] = sim_agent_new(
		    &(struct sim_agent_options){ .loop = fleet->loop,
		        .folder = fleet->agents,
		        .url = fleet->url,
		        .ca_file = fleet->ca,
		        .log_fd = fleet->log_fd,
		        .number = (unsigned)(fleet->from + i),
		        .accounts = (unsigned)fleet->accounts,
		        .next = fleet->next[i],
		        .every_ms = fleet->every_ms,
		        .seal_ms = fleet->seal_ms,
		        .start_ms = fleet->ramp_ms * (int64_t)i / (int64_t)fleet->count,
		        .pull_ms = fleet->pull_ms,
		        .on_acknowledged = on_acknowledged,
		        .arg = fleet },
		    err);
		if (fleet->all[i] == NULL)
			return false;
	}
	return loop_signal(fleet->loop, SIGTERM, on_stop, fleet, err);
}

static bool
run(struct fleet *fleet, struct err *err)
{
	if (!open_fleet(fleet, err))
		return false;
	wbuf_init(&fleet->answers);
	loop_watch_init(&fleet->report, fleet->loop, on_report, fleet);
	loop_watch_set(&fleet->report, -1, 0, 0);
	loop_run(fleet->loop);
	for (size_t i = 0; i < fleet->count; i++)
		sim_agent_free(fleet->all[i]);
	loop_watch_fini(&fleet->report);
	loop_free(fleet->loop);
	wbuf_fini(&fleet->answers);
	free(fleet->all);
	free(fleet->next);
	close(fleet->log_fd);
	return true;
}

static _Noreturn void
die_of_usage(void)
{
	fputs("fleet: see the head of tests/sim/fleet.c\n", stderr);
	exit(2);
}

static void
read_options(struct fleet *fleet, int argc, char **argv)
{
	static const struct option options[] = { { "agents", 1, NULL, 'a' },
		{ "state", 1, NULL, 's' }, { "url", 1, NULL, 'u' }, { "ca", 1, NULL, 'c' },
		{ "log", 1, NULL, 'l' }, { "from", 1, NULL, 'f' }, { "count", 1, NULL, 'n' },
		{ "accounts", 1, NULL, 'A' }, { "every-ms", 1, NULL, 'e' },
		{ "seal-ms", 1, NULL, 'S' }, { "pull-ms", 1, NULL, 'p' },
		{ "ramp-ms", 1, NULL, 'r' }, { "life-s", 1, NULL, 'L' }, { 0 } };
	int                        option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'a': fleet->agents = optarg; break;
		case 's': fleet->state = optarg; break;
		case 'u': fleet->url = optarg; break;
		case 'c': fleet->ca = optarg; break;
		case 'l': fleet->log = optarg; break;
		case 'f': fleet->from = strtoul(optarg, NULL, 10); break;
		case 'n': fleet->count = strtoul(optarg, NULL, 10); break;
		case 'A': fleet->accounts = strtoul(optarg, NULL, 10); break;
		case 'e': fleet->every_ms = strtoll(optarg, NULL, 10); break;
		case 'S': fleet->seal_ms = strtoll(optarg, NULL, 10); break;
		case 'p': fleet->pull_ms = strtoll(optarg, NULL, 10); break;
		case 'r': fleet->ramp_ms = strtoll(optarg, NULL, 10); break;
		case 'L': fleet->life_s = strtoll(optarg, NULL, 10); break;
		default: die_of_usage();
		}
	}
	if (fleet->agents == NULL || fleet->count == 0 || fleet->accounts == 0)
		die_of_usage();
}

int
main(int argc, char **argv)
{
	struct fleet fleet = { .accounts = 1,
		.every_ms = MS_PER_MIN,
		.seal_ms = MS_PER_MIN,
		.pull_ms = MS_PER_MIN,
		.life_s = 7 * 86400 };
	struct err   err;
	bool         done;

	read_options(&fleet, argc, argv);
	log_open("fleet", LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
	signal(SIGPIPE, SIG_IGN);
	if (optind + 1 != argc)
		die_of_usage();
	if (strcmp(argv[optind], "enrol") == 0 && fleet.state != NULL)
		done = sim_enrol(fleet.agents, fleet.state, (unsigned)fleet.from,
		    (unsigned)fleet.count, fleet.life_s * MS_PER_S, &err);
	else if (strcmp(argv[optind], "run") == 0 && fleet.url != NULL && fleet.ca != NULL &&
	    fleet.log != NULL)
		done = run(&fleet, &err);
	else
		die_of_usage();
	if (!done)
		fprintf(stderr, "fleet: %s\n", err.text);
	return done ? 0 : 1;
}
