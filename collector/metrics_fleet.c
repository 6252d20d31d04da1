#include "collector/metrics_fleet.h"

#include "base/metric.h"
#include "collector/muster.h"

#include <string.h>

/* Incidents with a series of their own; the counts know of all. */
enum { TOLD_MAX = 500, OWNERS = OWNER_COLLECTOR + 1 };

/* Incidents that stand for one series: the agents of all of them. */
struct series {
	const struct incident *incident;
	const char            *account, *place;
	size_t                 agents;
};

static const char *
label_region(const char *region)
{
	return region[0] != '\0' ? region : "global";
}

static const char *
name_life(bool confirmed)
{
	return confirmed ? "confirmed" : "opened";
}

static struct series
make_series(const struct incident *incident)
{
	return (struct series){ incident,
		incident->account_count == 1 ? incident->accounts[0] : "*",
		incident->scope == SCOPE_RESOLVER ? "" : incident->place,
		incident->agent_count };
}

static bool
is_alike(const struct series *left, const struct series *right)
{
	const struct incident *a = left->incident, *b = right->incident;

	return a->code == b->code && a->severity == b->severity && a->scope == b->scope &&
	    a->owner == b->owner && a->confirmed == b->confirmed &&
	    strcmp(a->region, b->region) == 0 && strcmp(left->account, right->account) == 0 &&
	    strcmp(left->place, right->place) == 0;
}

static void
write_counts(const struct incident_list *list, struct wbuf *out)
{
	static const enum state severities[] = { STATE_CRITICAL, STATE_WARNING, STATE_UNKNOWN };
	size_t                  counts[STATE_CRITICAL + 1][OWNERS][2];

	memset(counts, 0, sizeof(counts));
	for (size_t i = 0; i < list->count; i++) {
		const struct incident *incident = &list->incidents[i];

		counts[incident->severity][incident->owner][incident->confirmed]++;
	}
	metric_family(out, "plprobe_incidents", METRIC_GAUGE,
	    "Open incidents: what many agents see counts once.");
	for (size_t i = 0; i < sizeof(severities) / sizeof(severities[0]); i++) {
		for (int j = 0; j < 2 * OWNERS; j++) {
			const char *const labels[] = { "severity", state_name(severities[i]),
				"owner", owner_name((enum owner)(j / 2)), "state",
				name_life(j % 2 == 0), NULL };

			metric_sample(out, "plprobe_incidents", labels,
			    (double)counts[severities[i]][j / 2][j % 2 == 0]);
		}
	}
}

static void
write_one(const struct series *series, struct wbuf *out)
{
	const struct incident *incident = series->incident;
	const char *const labels[] = { "code", finding_table[incident->code].code, "severity",
		state_name(incident->severity), "owner", owner_name(incident->owner), "state",
		name_life(incident->confirmed), "scope", incident_scope_name(incident->scope),
		"place", series->place, "account", series->account, "region",
		label_region(incident->region), NULL };

	metric_sample(out, "plprobe_incident_agents", labels, (double)series->agents);
}

static void
write_incidents(struct arena *arena, const struct incident_list *list, struct wbuf *out)
{
	struct series *told = arena_array(arena, TOLD_MAX, sizeof(*told));
	size_t         count = 0;

	for (size_t i = 0; i < list->count && count < TOLD_MAX; i++) {
		struct series series = make_series(&list->incidents[i]);
		size_t        at = 0;

		while (at < count && !is_alike(&told[at], &series))
			at++;
		if (at < count)
			told[at].agents += series.agents;
		else
			told[count++] = series;
	}
	metric_family(out, "plprobe_incident_agents", METRIC_GAUGE,
	    "Agents that see an open incident; place: the VNet, subnet or agent where its "
	    "cause is.");
	for (size_t i = 0; i < count; i++)
		write_one(&told[i], out);
}

static void
write_failover(struct arena *arena, const struct query *query, struct wbuf *out)
{
	size_t            count = documents_count(query->documents);
	struct failover **found = arena_array(arena, count + 1, sizeof(*found));

	metric_family(out, "plprobe_failover_state", METRIC_GAUGE,
	    "Should the write region move on: 0 every network reaches the next, 1 unknown, 3 a "
	    "network would lose the database.");
	for (size_t i = 0; i < count; i++) {
		const struct account *account = documents_at(query->documents, i);
		const char *const     labels[] = { "account", account->name, NULL };

		found[i] = muster_failover(arena, query, account);
		metric_sample(out, "plprobe_failover_state", labels, found[i]->state);
	}
	metric_family(out, "plprobe_failover_readiness", METRIC_GAUGE,
	    "Whether a network would reach a region if writes went there: 0 yes, 1 unknown, 2 "
	    "no.");
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < found[i]->row_count; j++) {
			const struct failover_row *row = &found[i]->rows[j];
			const char *const          labels[] = { "account",
				         documents_at(query->documents, i)->name, "region",
				         row->location->label, "network", row->network, "api",
				         api_name(row->api), "mode", mode_name(row->mode), NULL };

			metric_sample(
			    out, "plprobe_failover_readiness", labels, row->readiness);
		}
	}
}

void
metrics_fleet(const struct query *query, struct wbuf *out)
{
	struct arena        *arena = arena_new();
	const struct muster *muster = muster_make(arena, query);

	write_counts(muster->incidents, out);
	write_incidents(arena, muster->incidents, out);
	write_failover(arena, query, out);
	arena_free(arena);
}
