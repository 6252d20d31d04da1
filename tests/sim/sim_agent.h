/* sim_agent: one agent of a fleet: the shipper's own parts on a loop that it shares with others.
 *
 * Spool, courier, upload, pull and renewal are those of the program, with its settings; in the
 * prober's place stands a timer that makes measurements (sim_made.h).  What it has made it writes
 * down by itself, one line each: "+AGENT NUMBER" before the spool is given it, then "=AGENT
 * NUMBER", which is a promise, or "~AGENT NUMBER" when the disk took nothing.
 */
#ifndef TESTS_SIM_AGENT_H
#define TESTS_SIM_AGENT_H

#include "base/err.h"
#include "base/loop.h"

#include <stddef.h>

struct sim_agent;

struct sim_agent_options {
	struct loop *loop;    /* borrowed, as are the texts */
	const char  *folder;  /* of all agents; each has one by its name in it */
	const char  *url;     /* of the collector */
	const char  *ca_file; /* of its certificate */
	int          log_fd;
	unsigned     number;   /* of the agent */
	unsigned     accounts; /* that it looks at */
	uint64_t     next;     /* number of its next measurement */
	int64_t      every_ms; /* between two looks at one name; between two vitals */
	int64_t      seal_ms;  /* age at which a segment becomes a batch */
	int64_t      start_ms; /* from now: its first measurement */
	int64_t      pull_ms;  /* between two looks for an assignment */
	/* A batch was acknowledged after so long. */
	void (*on_acknowledged)(void *arg, int64_t answer_us);
	void *arg;
};

/* "vm-00042" */
enum { SIM_NAME_ROOM = 24 };
void sim_agent_name(char name[SIM_NAME_ROOM], unsigned number);

/* Its identity.pem is in its folder. */
struct sim_agent *sim_agent_new(const struct sim_agent_options *options, struct err *err);
void              sim_agent_free(struct sim_agent *agent); /* NULL is fine */

/* Makes nothing more, seals what is open, and goes on sending. */
void sim_agent_stop(struct sim_agent *agent);

struct sim_agent_state {
	uint64_t made, sent, stored, refused;
	uint64_t renewed;  /* certificates */
	size_t   waiting;  /* sealed batches */
	bool     failing;  /* the last try failed */
	bool     behind;   /* its oldest batch should have been sent some seconds ago */
	bool     degraded; /* of the spool */
};
struct sim_agent_state sim_agent_state(const struct sim_agent *agent);

#endif
