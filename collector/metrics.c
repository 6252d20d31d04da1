#include "collector/metrics.h"

#include "base/clock.h"
#include "base/metric.h"

#include <string.h>

/* One region of an account in one API and mode, as one agent sees it: several names of it count as one. */
struct cell {
	const struct board_agent *agent;
	const struct board_view  *view;
	const struct place       *place; /* the first of them */
	bool                      success;
};

/* A family of gauges with one sample a cell; value() says false for "not known". */
struct family {
	const char *name, *help;
	bool (*value)(const struct cell *cell, double *value);
};

static double
in_seconds(uint64_t us)
{
	return (double)us / 1e6;
}

static bool
get_success(const struct cell *cell, double *value)
{
	*value = cell->success;
	return true;
}

static bool
get_state(const struct cell *cell, double *value)
{
	*value = cell->place->state;
	return true;
}

/* Of what shows nothing there is no series. */
static bool
get_public_refused(const struct cell *cell, double *value)
{
	*value = cell->place->outside == OUTSIDE_REFUSED;
	return cell->place->outside == OUTSIDE_REFUSED ||
	    cell->place->outside == OUTSIDE_ADMITTED ||
	    cell->place->outside == OUTSIDE_ANSWERED;
}

static bool
get_duration(const struct cell *cell, double *value)
{
	*value = in_seconds(cell->place->seen->took_us);
	return true;
}

/* Of the slowest resolver, since the client may have that one. */
static bool
get_dns_lookup(const struct cell *cell, double *value)
{
	const struct measurement *seen = cell->place->seen;

	*value = 0;
	for (size_t i = 0; i < seen->dns_count; i++) {
		if (in_seconds(seen->dns[i].took_us) > *value)
			*value = in_seconds(seen->dns[i].took_us);
	}
	return seen->dns_count > 0;
}

static const struct endpoint *
find_http(const struct cell *cell)
{
	const struct measurement *seen = cell->place->seen;

	for (size_t i = 0; i < seen->endpoints_count; i++) {
		if (seen->endpoints[i].http_status != 0)
			return &seen->endpoints[i];
	}
	return NULL;
}

static bool
get_http_status(const struct cell *cell, double *value)
{
	const struct endpoint *endpoint = find_http(cell);

	*value = endpoint != NULL ? endpoint->http_status : 0;
	/* Other APIs than NoSQL are not asked in HTTP. */
	return cell->place->seen->endpoints_count > 0 && cell->place->target->api == API_SQL;
}

static bool
get_cert_end(const struct cell *cell, double *value)
{
	const struct measurement *seen = cell->place->seen;
	int64_t                   ends_ms = 0;

	for (size_t i = 0; i < seen->endpoints_count; i++) {
		int64_t this_ms = seen->endpoints[i].not_after_ms;

		if (this_ms != 0 && (ends_ms == 0 || this_ms < ends_ms))
			ends_ms = this_ms;
	}
	*value = (double)ends_ms / 1e3;
	return ends_ms != 0;
}

static const struct family families[] = {
	{ "probe_success",
	    "1: the place can be used as far as was seen; 0: it cannot, or that is not known.",
	    get_success },
	{ "plprobe_state", "0 ok, 1 unknown, 2 warning, 3 critical.", get_state },
	{ "plprobe_public_address_refused",
	    "1: the account's firewall refused at the public address that a resolver outside "
	    "gave; "
	    "0: it did not.",
	    get_public_refused },
	{ "probe_duration_seconds", "Of the whole measurement, the public address aside.",
	    get_duration },
	{ "probe_dns_lookup_time_seconds", "Of the slowest resolver.", get_dns_lookup },
	{ "probe_http_status_code", "Of GET / without credentials; 0: there was no answer.",
	    get_http_status },
	{ "probe_ssl_earliest_cert_expiry", "Unix time at which the first certificate ends.",
	    get_cert_end },
};

static const char *
label_region(const char *region)
{
	return region[0] != '\0' ? region : "global";
}

static bool
is_fresh(const struct board *board, const struct place *place, int64_t now_ms)
{
	return !board_is_stale(board, place, now_ms);
}

static bool
is_alike(const struct place *left, const struct place *right)
{
	return left->target->api == right->target->api &&
	    left->target->mode == right->target->mode &&
	    strcmp(left->target->region, right->target->region) == 0;
}

/* Whether a place before this one has the same region, API and mode: it was told with that one. */
static bool
is_repeated(const struct verdict *verdict, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (is_alike(&verdict->places[i], &verdict->places[at]))
			return true;
	}
	return false;
}

static bool
is_success(const struct verdict *verdict, const struct place *of)
{
	for (size_t i = 0; i < verdict->place_count; i++) {
		const struct place *place = &verdict->places[i];

		if (is_alike(place, of) && place->state != STATE_OK &&
		    place->state != STATE_WARNING)
			return false;
	}
	return true;
}

/* Calls back for each cell of which something is known now. */
static void
each_cell(const struct board *board, int64_t                   now_ms,
    void (*on_cell)(void *arg, const struct cell *cell), void *arg)
{
	for (size_t i = 0; i < board_agent_count(board); i++) {
		const struct board_agent *agent = board_agent_at(board, i);

		for (size_t j = 0; j < agent->view_count; j++) {
			const struct board_view *view = agent->views[j];

			for (size_t k = 0;
			     view->verdict != NULL && k < view->verdict->place_count; k++) {
				const struct place *place = &view->verdict->places[k];
				struct cell         cell = { agent, view, place,
					        is_success(view->verdict, place) };

				if (is_fresh(board, place, now_ms) &&
				    !is_repeated(view->verdict, k))
					on_cell(arg, &cell);
			}
		}
	}
}

struct page {
	struct wbuf         *out;
	const struct family *family;
};

/* The series of NoSQL and of the gateway go without the label, as they did before there were other
 * APIs and modes. */
static void
write_cell(void *arg, const struct cell *cell)
{
	struct page         *page = arg;
	const struct target *target = cell->place->target;
	const char          *labels[] = { "account", cell->view->name, "region",
		         label_region(target->region), "agent", cell->agent->name, NULL, NULL, NULL,
		         NULL, NULL };
	size_t               at = 6;
	double               value;

	if (target->api != API_SQL) {
		labels[at++] = "api";
		labels[at++] = api_name(target->api);
	}
	if (target->mode != MODE_GATEWAY) {
		labels[at++] = "mode";
		labels[at++] = mode_name(target->mode);
	}

	if (page->family->value(cell, &value))
		metric_sample(page->out, page->family->name, labels, value);
}

static void
write_phase(struct page *page, const struct cell *cell, const char *phase, uint64_t us)
{
	const char *const labels[] = { "account", cell->view->name, "region",
		label_region(cell->place->target->region), "agent", cell->agent->name, "phase",
		phase, NULL };

	metric_sample(page->out, "probe_http_duration_seconds", labels, in_seconds(us));
}

static void
write_phases(void *arg, const struct cell *cell)
{
	const struct endpoint *endpoint = find_http(cell);
	uint64_t               known_us;

	if (endpoint == NULL)
		return;
	known_us = (uint64_t)endpoint->http_connect_us + endpoint->http_tls_us +
	    endpoint->http_wait_us;
	write_phase(arg, cell, "connect", endpoint->http_connect_us);
	write_phase(arg, cell, "tls", endpoint->http_tls_us);
	write_phase(arg, cell, "processing", endpoint->http_wait_us);
	write_phase(arg, cell, "transfer",
	    endpoint->http_total_us > known_us ? endpoint->http_total_us - known_us : 0);
}

/* Several hosts of one region may have the same finding: one series. */
static bool
is_told(const struct board *board, const struct board_agent *agent,
    const struct board_view *view, size_t at, int64_t now_ms)
{
	const struct store_finding *this = &view->open[at]->finding;

	for (size_t i = 0; i < at; i++) {
		const struct store_finding *other = &view->open[i]->finding;

		if (strcmp(other->code, this->code) == 0 &&
		    strcmp(other->region, this->region) == 0 &&
		    board_is_alarm(board, agent, other, now_ms))
			return true;
	}
	return false;
}

/* Those that somebody may be called for: confirmed, and as of now. */
static void
write_findings(const struct board *board, const struct board_agent *agent, int64_t now_ms,
    struct wbuf *out)
{
	for (size_t i = 0; i < agent->view_count; i++) {
		const struct board_view *view = agent->views[i];

		for (size_t j = 0; j < view->open_count; j++) {
			const struct store_finding *finding = &view->open[j]->finding;
			const char *const labels[] = { "account", finding->account, "region",
				label_region(finding->region), "agent", finding->agent, "code",
				finding->code, "severity", finding->severity, NULL };

			if (board_is_alarm(board, agent, finding, now_ms) &&
			    !is_told(board, agent, view, j, now_ms))
				metric_sample(out, "plprobe_finding", labels, 1);
		}
	}
}

static void
write_unconfirmed(const struct board *board, struct wbuf *out)
{
	size_t count = 0;

	for (size_t i = 0; i < board_agent_count(board); i++) {
		const struct board_agent *agent = board_agent_at(board, i);

		for (size_t j = 0; j < agent->view_count; j++) {
			const struct board_view *view = agent->views[j];

			for (size_t k = 0; k < view->open_count; k++)
				count += view->open[k]->finding.confirmed_ms == 0;
		}
	}
	metric_family(out, "plprobe_findings_unconfirmed", METRIC_GAUGE,
	    "Open findings that too few looks have shown so far.");
	metric_sample(out, "plprobe_findings_unconfirmed", NULL, (double)count);
}

/* Gauges of the agents themselves. */
static bool
get_last_seen(const struct board_agent *agent, double *value)
{
	*value = (double)agent->last_seen_ms / 1e3;
	return true;
}

static bool
get_lost(const struct board_agent *agent, double *value)
{
	*value = (double)agent->lost_records;
	return true;
}

static bool
get_clock_suspect(const struct board_agent *agent, double *value)
{
	*value = agent->clock_suspect;
	return true;
}

static bool
get_spool(const struct board_agent *agent, double *value)
{
	*value = agent->vitals != NULL ? (double)agent->vitals->spool_bytes : 0;
	return agent->vitals != NULL;
}

static bool
get_degraded(const struct board_agent *agent, double *value)
{
	*value = agent->vitals != NULL && agent->vitals->spool_degraded;
	return agent->vitals != NULL;
}

static bool
get_lag(const struct board_agent *agent, double *value)
{
	*value = agent->vitals != NULL ? in_seconds(agent->vitals->loop_lag_us) : 0;
	return agent->vitals != NULL;
}

static bool
get_targets(const struct board_agent *agent, double *value)
{
	*value = agent->vitals != NULL ? agent->vitals->targets : 0;
	return agent->vitals != NULL;
}

static const struct agent_family {
	const char      *name, *help;
	enum metric_type type;
	bool (*value)(const struct board_agent *agent, double *value);
} agent_families[] = {
	{ "plprobe_agent_last_seen_timestamp_seconds",
	    "When its last batch came, by the collector's clock.", METRIC_GAUGE,
	    get_last_seen },
	{ "plprobe_agent_lost_records_total",
	    "Records that the agent declared lost, as far as they are kept.", METRIC_COUNTER,
	    get_lost },
	{ "plprobe_agent_clock_suspect", "1: its clock is minutes away from ours.",
	    METRIC_GAUGE, get_clock_suspect },
	{ "plprobe_agent_spool_bytes", "Waiting on its disk.", METRIC_GAUGE, get_spool },
	{ "plprobe_agent_spool_degraded", "1: its disk takes no results; a crash loses some.",
	    METRIC_GAUGE, get_degraded },
	{ "plprobe_agent_loop_lag_seconds", "How late its loop was at worst.", METRIC_GAUGE,
	    get_lag },
	{ "plprobe_agent_targets", "Names that it measures.", METRIC_GAUGE, get_targets },
};

static void
write_agents(const struct board *board, const struct agent_family *family, struct wbuf *out)
{
	metric_family(out, family->name, family->type, family->help);
	for (size_t i = 0; i < board_agent_count(board); i++) {
		const struct board_agent *agent = board_agent_at(board, i);
		const char *const         labels[] = { "agent", agent->name, NULL };
		double                    value;

		if (family->value(agent, &value))
			metric_sample(out, family->name, labels, value);
	}
}

static void
write_up(const struct board *board, int64_t now_ms, struct wbuf *out)
{
	metric_family(out, "plprobe_agent_up", METRIC_GAUGE,
	    "0: the agent has been silent for too long; what it saw is not known any more.");
	for (size_t i = 0; i < board_agent_count(board); i++) {
		const struct board_agent *agent = board_agent_at(board, i);
		const char *const labels[] = { "agent", agent->name, "network", agent->network,
			NULL };

		metric_sample(
		    out, "plprobe_agent_up", labels, !board_is_silent(board, agent, now_ms));
	}
}

void
metrics_board(const struct board *board, int64_t now_ms, struct wbuf *out)
{
	struct page page = { .out = out };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		page.family = &families[i];
		metric_family(out, families[i].name, METRIC_GAUGE, families[i].help);
		each_cell(board, now_ms, write_cell, &page);
	}
	metric_family(out, "probe_http_duration_seconds", METRIC_GAUGE,
	    "Of GET / without credentials, by phase.");
	each_cell(board, now_ms, write_phases, &page);
	metric_family(out, "plprobe_finding", METRIC_GAUGE,
	    "1 for each open finding that is confirmed, and as of now.");
	for (size_t i = 0; i < board_agent_count(board); i++)
		write_findings(board, board_agent_at(board, i), now_ms, out);
	write_unconfirmed(board, out);
	write_up(board, now_ms, out);
	for (size_t i = 0; i < sizeof(agent_families) / sizeof(agent_families[0]); i++)
		write_agents(board, &agent_families[i], out);
}
