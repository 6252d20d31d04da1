#include "collector/listen_metrics.h"

#include "base/metric.h"

static void
write_one(
    struct wbuf *out, const char *name, enum metric_type type, const char *help, double value)
{
	metric_family(out, name, type, help);
	metric_sample(out, name, NULL, value);
}

static void
write_ended(const struct listen_crowd_counts *counts, struct wbuf *out)
{
	const struct {
		const char *cause;
		uint64_t    count;
	} rows[] = { { "overdue", counts->overdue }, { "address", counts->refused },
		{ "evicted", counts->evicted }, { "starved", counts->starved } };

	metric_family(out, "plprobe_connections_ended_total", METRIC_COUNTER,
	    "Connections that the collector ended: for being too slow or too old, since their "
	    "address has had its share, to make room, or for want of room to read a request.");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const labels[] = { "cause", rows[i].cause, NULL };

		metric_sample(
		    out, "plprobe_connections_ended_total", labels, (double)rows[i].count);
	}
}

void
listen_metrics_write(
    const struct listen *server, const struct listen_tls *tls, struct wbuf *out)
{
	struct listen_counts counts = listen_counts(server);

	write_one(out, "plprobe_connections", METRIC_GAUGE, "Agents connected now.",
	    counts.crowd.live);
	write_one(out, "plprobe_connections_accepted_total", METRIC_COUNTER,
	    "Connections of agents.", (double)counts.crowd.accepted);
	write_ended(&counts.crowd, out);
	write_one(out, "plprobe_accept_stalls_total", METRIC_COUNTER,
	    "Times that a connection could not be accepted.", (double)counts.stalls);
	write_one(out, "plprobe_requests_garbled_total", METRIC_COUNTER,
	    "Requests whose head did not say plainly what was asked for.",
	    (double)counts.garbled);
	write_one(out, "plprobe_requests_total", METRIC_COUNTER, "Requests of agents.",
	    (double)counts.requests);
	write_one(out, "plprobe_certificate_expiry_timestamp_seconds", METRIC_GAUGE,
	    "When the collector's own certificate ends.",
	    (double)listen_tls_ends_ms(tls) / 1e3);
	write_one(out, "plprobe_client_crl_due_timestamp_seconds", METRIC_GAUGE,
	    "When a newer revocation list of the operator's authority is due; 0: there is "
	    "none.",
	    (double)listen_trust_due_ms(listen_tls_trusted(tls)) / 1e3);
}
