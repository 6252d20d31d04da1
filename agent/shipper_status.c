/* What we tell to whoever asks on this machine. */
#include "agent/shipper_body.h"
#include "base/clock.h"
#include "base/log.h"

#include <unistd.h>

#define AREA "shipper"

static void
fill_upload(const struct shipper *shipper, struct status_facts *facts)
{
	struct upload_stats stats;
	struct courier_news news;

	facts->upload = "none";
	if (shipper->upload == NULL)
		return;
	stats = upload_stats(shipper->upload);
	news = courier_news(shipper->courier);
	facts->upload = !upload_is_idle(shipper->upload) ? "sending"
	    : stats.failures > 0                         ? "waiting"
	                                                 : "idle";
	facts->sent = stats.sent;
	facts->stored = stats.stored;
	facts->refused = stats.refused;
	facts->failures = stats.failures;
	facts->answer = news.status;
	facts->ended_ms = news.ended_ms;
	facts->vitals.clock_known = news.clock_known;
	facts->vitals.clock_ahead_ms = news.clock_ahead_ms;
}

static void
fill_status(void *arg, struct wbuf *out)
{
	const struct shipper     *shipper = arg;
	const struct agent_conf  *conf = shipper->conf;
	const struct spool_batch *oldest = spool_oldest(shipper->spool);
	struct courier_news       news = { 0 };
	struct status_facts       facts = { .version = PLPROBE_VERSION,
		      .agent = conf->agent,
		      .network = conf->network,
		      .pid = getpid(),
		      .at_ms = clock_wall_ms(clock_system()),
		      .started_ms = shipper->started_ms,
		      .spool = spool_stats(shipper->spool),
		      .spool_limit_bytes = conf->spool_bytes,
		      .oldest_ms = oldest != NULL ? oldest->created_ms : 0,
		      .collector = conf->collector,
		      .acked_ms = shipper->acked_ms,
		      .prober_alive = !shipper->prober_over,
		      .record_ms = shipper->record_ms,
		      .cert_ends_ms = shipper->cert_ends_ms };

	if (shipper->vitals != NULL)
		facts.vitals = *shipper->vitals;
	facts.vitals.older_offered = shipper->older.offered;
	if (shipper->courier != NULL)
		news = courier_news(shipper->courier);
	facts.trouble = news.trouble;
	fill_upload(shipper, &facts);
	status_json_write(&facts, out);
}

/* Where its folder is missing, as when somebody tries the agent by hand, nobody can ask. */
void
shipper_status_open(struct shipper *shipper)
{
	const char *path = shipper->conf->status_socket;
	struct err  err;

	if (path[0] == '\0')
		return;
	shipper->status = status_open(shipper->loop, path, fill_status, shipper, &err);
	if (shipper->status == NULL)
		log_info(AREA, "%s; `plprobe status` will not reach us", err.text);
}
