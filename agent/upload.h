/* upload: from the spool to the collector, until it says that it has it.
 *
 * Two lanes, one POST at a time: what was sealed just now goes first, then the backlog, oldest
 * first.  What an answer means for a batch stands in one table in upload.c.  Never gives up, and
 * never goes faster than the collector wants.
 */
#ifndef AGENT_UPLOAD_H
#define AGENT_UPLOAD_H

#include "agent/courier.h"
#include "agent/spool.h"

struct upload;

struct upload_options {
	struct loop    *loop; /* all borrowed; outlive us */
	struct courier *courier;
	struct spool   *spool;
	const char     *agent, *network;
	/* The spool has changed, since an answer came.  May be NULL. */
	void (*on_answered)(void *arg);
	void *arg;
};

struct upload_stats {
	uint64_t sent, stored, refused; /* batches */
	unsigned failures;              /* in a row, until now */
	int64_t  answer_us;             /* from the last POST that has ended to its end */
};

struct upload *upload_new(const struct upload_options *options);
void           upload_free(struct upload *upload); /* NULL is fine */

/* Something was sealed: send, unless a POST is out or we wait to try again. */
void upload_kick(struct upload *upload);
/* Do not wait any longer: the last try before the end. */
void                upload_hurry(struct upload *upload);
bool                upload_is_idle(const struct upload *upload); /* no POST is out */
struct upload_stats upload_stats(const struct upload *upload);

/* What a status means.  Exposed for its test. */
enum upload_act {
	UPLOAD_DELIVERED,  /* the collector has it */
	UPLOAD_CONFLICTED, /* it has another one of this id */
	UPLOAD_REJECTED,   /* it will never take it */
	UPLOAD_EXPIRED,    /* it is too old */
	UPLOAD_KEEP        /* later */
};
enum upload_act upload_act_of(unsigned status);

#endif
