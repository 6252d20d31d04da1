#include "agent/status_cmd.h"

#include "agent/agent_conf.h"
#include "base/clock.h"
#include "base/table.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { EXIT_DOWN = 1, EXIT_USAGE = 2, CLOCK_DOUBTFUL_MS = 5000, LATE_US = 100000 };

static const int64_t limit_ms = 5000;

enum { OPTION_OUTPUT, OPTION_SOCKET, OPTION_NO_COLOR };

static const struct cli_option options_table[] = {
	[OPTION_OUTPUT] = { "output", 'o', "FORMAT", "table or json" },
	[OPTION_SOCKET] = { "socket", 's', "PATH", "where to ask; " AGENT_CONF_SOCKET },
	[OPTION_NO_COLOR] = { "no-color", 0, NULL, "as a set NO_COLOR" },
	{ 0 },
};

static int status_main(int argc, char **argv);

const struct cli_command status_command = {
	"status",
	"[OPTION...]",
	"Says what the agent on this machine is doing",
	"It asks the running agent over a socket that root and the agent's group may use.\n"
	"Exit code: 0 the agent runs, 1 it does not answer, 2 wrong arguments.\n",
	options_table,
	EXIT_USAGE,
	status_main,
};

struct options {
	const char *socket;
	bool        json, no_color;
};

/* "3 min 20 s": two units, enough for a person. */
static const char *
say_span(struct arena *arena, int64_t ms)
{
	int64_t s = (ms < 0 ? -ms : ms) / MS_PER_S;

	if (s < 1)
		return arena_printf(arena, "%lld ms", (long long)(ms < 0 ? -ms : ms));
	if (s < 60)
		return arena_printf(arena, "%lld s", (long long)s);
	if (s < 3600)
		return arena_printf(
		    arena, "%lld min %lld s", (long long)s / 60, (long long)s % 60);
	if (s < 86400)
		return arena_printf(
		    arena, "%lld h %lld min", (long long)s / 3600, (long long)s / 60 % 60);
	return arena_printf(
	    arena, "%lld d %lld h", (long long)s / 86400, (long long)s / 3600 % 24);
}

static const char *
say_ago(struct arena *arena, const struct status_facts *facts, int64_t then_ms)
{
	if (then_ms == 0)
		return "never";
	return arena_printf(arena, "%s ago", say_span(arena, facts->at_ms - then_ms));
}

struct page {
	struct arena *arena;
	struct wbuf  *out;
	bool          colour;
};

static void put_line(const struct page *page, const char *name, enum table_ink ink,
    const char *format, ...) PRINTF_LIKE(4, 5);

static void
put_line(const struct page *page, const char *name, enum table_ink ink, const char *format, ...)
{
	char    text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	wbuf_printf(page->out, "%-12s%s%s%s\n", name, table_ink_on(ink, page->colour), text,
	    table_ink_off(ink, page->colour));
}

static void
put_agent(const struct page *page, const struct status_facts *facts)
{
	put_line(page, "agent", TABLE_BOLD, "%s%s%s", facts->agent,
	    facts->network[0] != '\0' ? ", network " : "", facts->network);
	if (text_is_said(facts->vitals.vnet))
		put_line(page, "vnet", TABLE_PLAIN, "%s", facts->vitals.vnet);
	put_line(page, "running", TABLE_PLAIN, "%s, process %lld, version %s",
	    say_span(page->arena, facts->at_ms - facts->started_ms), (long long)facts->pid,
	    facts->version);
}

/* Ports are left to the policy where Direct mode is measured. */
static const char *
find_confined(const char *words)
{
	static const struct {
		const char *words, *told;
	} rows[] = {
		{ "files ports",
		    "by the kernel: to the files it reads and the ports it connects to" },
		{ "files", "by the kernel: to the files it reads" },
		{ "ports", "by the kernel: to the ports it connects to" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].words, words) == 0)
			return rows[i].told;
	}
	return "by the unit alone: this kernel has no landlock";
}

static void
put_prober(const struct page *page, const struct status_facts *facts)
{
	const struct vitals *vitals = &facts->vitals;

	if (!facts->prober_alive)
		put_line(page, "prober", TABLE_RED, "has ended");
	else
		put_line(page, "prober", TABLE_PLAIN, "%llu measurements, last record %s",
		    (unsigned long long)vitals->measured,
		    say_ago(page->arena, facts, facts->record_ms));
	if (vitals->at_ms != 0)
		put_line(page, "lag",
		    vitals->loop_lag_us > LATE_US ? TABLE_YELLOW : TABLE_PLAIN,
		    "%.1f ms at worst%s", vitals->loop_lag_us / 1e3,
		    vitals->loop_lag_us > LATE_US ? ": measurements were marked as late" : "");
	if (vitals->at_ms != 0)
		put_line(page, "confined",
		    vitals->confined[0] != '\0' ? TABLE_PLAIN : TABLE_YELLOW, "%s",
		    find_confined(vitals->confined));
	if (vitals->resolvers != NULL && vitals->resolvers[0] != '\0')
		put_line(page, "resolvers", TABLE_PLAIN, "%s", vitals->resolvers);
	if (vitals->refused_connects > 0)
		put_line(page, "refused", TABLE_YELLOW, "%llu connections, by the local policy",
		    (unsigned long long)vitals->refused_connects);
}

static void
put_assignment(const struct page *page, const struct vitals *vitals)
{
	if (vitals->assignment == NULL || vitals->assignment[0] == '\0') {
		put_line(page, "assignment", TABLE_YELLOW, "none yet");
		return;
	}
	put_line(page, "assignment", TABLE_PLAIN, "%s, %u names", vitals->assignment,
	    vitals->targets);
	if (vitals->older_offered > 0)
		put_line(page, "", TABLE_YELLOW,
		    "an older one was offered %u times; was the collector restored from a "
		    "backup?",
		    vitals->older_offered);
	if (vitals->refused_items > 0)
		put_line(page, "", TABLE_YELLOW,
		    "%u refused by the local policy:", vitals->refused_items);
	for (size_t i = 0; i < vitals->refusals_count; i++)
		put_line(page, "", TABLE_PLAIN, "  %s", vitals->refusals[i].reason);
	if (vitals->refused_items > vitals->refusals_count)
		put_line(page, "", TABLE_PLAIN, "  and %u more",
		    vitals->refused_items - (unsigned)vitals->refusals_count);
}

/* "spool-bytes 3, damaged 2" */
static const char *
say_lost(struct arena *arena, const struct spool_stats *spool)
{
	const char *text = "";

	for (int i = 0; i < SPOOL_LOSSES; i++) {
		if (spool->lost[i] > 0)
			text = arena_printf(arena, "%s%s%s %llu", text,
			    text[0] != '\0' ? ", " : "", spool_loss_name((enum spool_loss)i),
			    (unsigned long long)spool->lost[i]);
	}
	return text;
}

static void
put_spool(const struct page *page, const struct status_facts *facts)
{
	const struct spool_stats *spool = &facts->spool;

	put_line(page, "spool", TABLE_PLAIN, "%llu records, %.1f of %.1f MiB, oldest batch %s",
	    (unsigned long long)spool->records, (double)spool->bytes / (1 << 20),
	    (double)facts->spool_limit_bytes / (1 << 20),
	    facts->oldest_ms == 0 ? "none" : say_ago(page->arena, facts, facts->oldest_ms));
	if (spool->degraded)
		put_line(page, "", TABLE_RED, "the disk does not take what is written");
	if (spool->dropped > 0)
		put_line(page, "", TABLE_YELLOW,
		    "%llu records dropped, and declared as gaps: %s",
		    (unsigned long long)spool->dropped, say_lost(page->arena, spool));
	if (spool->set_aside > 0)
		put_line(page, "", TABLE_YELLOW, "%u damaged or refused batches set aside",
		    spool->set_aside);
}

static void
put_collector(const struct page *page, const struct status_facts *facts)
{
	const struct vitals *vitals = &facts->vitals;

	if (facts->collector[0] == '\0') {
		put_line(page, "collector", TABLE_PLAIN, "none: results stay in the spool");
		return;
	}
	put_line(
	    page, "collector", TABLE_PLAIN, "%s, upload %s", facts->collector, facts->upload);
	put_line(page, "", facts->acked_ms == 0 ? TABLE_YELLOW : TABLE_PLAIN,
	    "last acknowledgement %s, %llu batches stored",
	    say_ago(page->arena, facts, facts->acked_ms), (unsigned long long)facts->stored);
	if (facts->failures > 0)
		put_line(
		    page, "", TABLE_RED, "%lld failures in a row", (long long)facts->failures);
	if (facts->trouble[0] != '\0')
		put_line(page, "", TABLE_RED, "last request: %s", facts->trouble);
	else if (facts->answer >= 400)
		put_line(page, "", TABLE_RED, "last request: answered with %lld",
		    (long long)facts->answer);
	if (vitals->clock_known)
		put_line(page, "clock",
		    vitals->clock_ahead_ms > CLOCK_DOUBTFUL_MS ||
		            vitals->clock_ahead_ms < -CLOCK_DOUBTFUL_MS
		        ? TABLE_RED
		        : TABLE_PLAIN,
		    "%s %s the collector's", say_span(page->arena, vitals->clock_ahead_ms),
		    vitals->clock_ahead_ms < 0 ? "behind" : "ahead of");
	if (facts->cert_ends_ms != 0)
		put_line(page, "certificate", TABLE_PLAIN, "ends in %s",
		    say_span(page->arena, facts->cert_ends_ms - facts->at_ms));
}

void
status_print(const struct status_facts *facts, bool colour, struct wbuf *out)
{
	struct page page = { .arena = arena_new(), .out = out, .colour = colour };

	put_agent(&page, facts);
	put_prober(&page, facts);
	put_assignment(&page, &facts->vitals);
	put_spool(&page, facts);
	put_collector(&page, facts);
	arena_free(page.arena);
}

static int
call_agent(const char *path, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int                fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		err_set(err, ERR_USAGE, "--socket: %s: too long", path);
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	if (errno == ENOENT || errno == ECONNREFUSED)
		err_set(err, ERR_PEER,
		    "no agent answers at %s; is it running? Another path is in its "
		    "'status_socket'",
		    path);
	else if (errno == EACCES || errno == EPERM)
		err_set(err, ERR_PEER, "%s: only root and the agent's group may ask", path);
	else
		err_errno(err, "%s", path);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* To the end, within the limits; the agent may be stopped in a debugger. */
static bool
hear(int fd, struct wbuf *in, struct err *err)
{
	int64_t       end_ms = clock_mono_us(clock_system()) / US_PER_MS + limit_ms;
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	ssize_t       got = 1;

	while (got > 0 && in->count <= STATUS_BYTES_MAX) {
		int64_t left_ms = end_ms - clock_mono_us(clock_system()) / US_PER_MS;
		char    bytes[4096];

		if (left_ms <= 0 || poll(&wait, 1, (int)left_ms) == 0)
			return err_set(err, ERR_PEER, "the agent does not answer within %lld s",
			    (long long)(limit_ms / MS_PER_S));
		got = read(fd, bytes, sizeof(bytes));
		if (got > 0)
			wbuf_put(in, bytes, (size_t)got);
	}
	if (got < 0)
		return err_errno(err, "reading from the agent");
	return in->count <= STATUS_BYTES_MAX ||
	    err_set(err, ERR_LIMIT, "the answer is too long");
}

static bool
print_answer(const struct options *options, const struct wbuf *in, struct err *err)
{
	struct arena       *arena = arena_new();
	struct status_facts facts;
	struct wbuf         out;
	bool done = status_json_read(&facts, arena, (const char *)in->bytes, in->count, err);

	wbuf_init(&out);
	if (done && options->json)
		wbuf_put(&out, in->bytes, in->count);
	else if (done)
		status_print(&facts, table_colour(STDOUT_FILENO, options->no_color), &out);
	if (done &&
	    (fwrite(out.bytes, 1, out.count, stdout) != out.count || fflush(stdout) != 0))
		done = err_errno(err, "standard output");
	wbuf_fini(&out);
	arena_free(arena);
	return done;
}

static int
run_status(const struct options *options)
{
	struct err  err;
	struct wbuf in;
	int         fd = call_agent(options->socket, &err);
	bool        done;

	wbuf_init(&in);
	done = fd >= 0 && hear(fd, &in, &err) && print_answer(options, &in, &err);
	if (fd >= 0)
		close(fd);
	wbuf_fini(&in);
	if (!done)
		fprintf(stderr, "plprobe status: %s\n", err.text);
	return done ? 0 : EXIT_DOWN;
}

static bool
take_option(struct options *options, int option, const char *value, struct err *err)
{
	switch (option) {
	case OPTION_OUTPUT:
		options->json = strcmp(value, "json") == 0;
		return options->json || strcmp(value, "table") == 0 ||
		    err_set(err, ERR_USAGE, "--output: '%s': table or json wanted", value);
	case OPTION_SOCKET: options->socket = value; break;
	case OPTION_NO_COLOR: options->no_color = true; break;
	}
	return true;
}

static int
status_main(int argc, char **argv)
{
	struct options options = { .socket = AGENT_CONF_SOCKET };
	struct cli     cli;
	struct err     err;
	int            option;

	cli_init(&cli, &status_command, argc, argv);
	while ((option = cli_next(&cli, &err)) >= 0) {
		if (!take_option(&options, option, cli.value, &err))
			return cli_refuse(&status_command, &err);
	}
	if (option == CLI_HELP)
		return cli_show_help(&status_command);
	if (option == CLI_OVER && cli.operand < argc) {
		err_set(&err, ERR_USAGE, "'%s' is not an option", argv[cli.operand]);
		option = CLI_WRONG;
	}
	return option == CLI_OVER ? run_status(&options) : cli_refuse(&status_command, &err);
}
