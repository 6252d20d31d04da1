/* board: what is known now, of every agent and account.
 *
 * Keeps the newest measurement of each target, judges an account again as one agent sees it
 * whenever something came in, and opens, confirms and closes findings (course.h).  It is rebuilt from the store at the
 * start; what it says of findings goes back there.  Time is handed in: an agent that has gone
 * silent makes what it saw unknown, not wrong.
 */
#ifndef COLLECTOR_BOARD_H
#define COLLECTOR_BOARD_H

#include "analyze/hysteresis.h"
#include "analyze/judge.h"
#include "base/conf.h"
#include "collector/documents.h"
#include "collector/propagation.h"
#include "collector/store/store.h"

struct board;

struct board_seen {
	struct arena             *arena; /* owned; holds the rest */
	const char               *key;
	int64_t                   at_ms;
	const struct measurement *seen;
};

/* A finding, open or closed; owns its texts. */
struct board_finding {
	struct arena        *arena; /* owned */
	struct store_finding finding;
	int64_t              written_ms; /* last_seen_ms of what the store has */
};

/* One account as one agent sees it. */
struct board_view {
	char                  *name;    /* of the account; owned */
	const struct account  *account; /* a document's, or by name alone */
	bool                   has_document;
	struct arena          *arena;      /* owned; holds the verdict */
	uint64_t               generation; /* of the documents that it was judged with */
	const struct verdict  *verdict;
	struct board_seen    **seen; /* owned */
	size_t                 seen_count;
	struct board_finding **open; /* owned */
	size_t                 open_count;
	struct board_finding **rested; /* owned; closed, and their looks not yet all good */
	size_t                 rested_count;
};

struct board_agent {
	char                *name, *network; /* owned */
	int64_t              first_seen_ms, last_seen_ms;
	uint64_t             batches, lost_records;
	bool                 clock_suspect; /* its last batch came from the future */
	struct arena        *vitals_arena;  /* owned */
	const struct vitals *vitals;        /* NULL: none came yet */
	struct board_view  **views;         /* owned; by account */
	size_t               view_count;
};

/* How many looks it takes; what is unknown follows the rule of warnings. */
struct board_rules {
	struct hysteresis critical, warning;
};

/* Where agents are, as the collector's settings have it. */
struct board_network {
	const char *name; /* pattern of names of networks */
	const char *vnet; /* resource id of a virtual network, or of a subnet in it */
};

struct board_options {
	const struct documents *documents;   /* borrowed */
	struct board_rules      rules;       /* all 0: the first look decides */
	struct propagation     *propagation; /* borrowed; is told of each verdict; NULL: none */
	const struct conf_list *networks;    /* borrowed; of struct board_network; NULL: none */
	int64_t                 silent_ms;
	/* Findings that were opened, changed or closed; the arena that holds them is the
	 * callee's from here on.  NULL: nobody keeps them. */
	void (*on_findings)(
	    void *arg, struct arena *arena, const struct store_finding *findings, size_t count);
	void *arg;
};

struct board *board_new(const struct board_options *options);
void          board_free(struct board *board); /* NULL is fine */
/* Reads what the store has and judges it; findings that differ are told. */
bool board_load(struct board *board, struct store *store, struct err *err) MUST_CHECK;

/* A batch that has been stored.  Accounts at which its agent has long ceased to look are let go of:
 * their findings are closed. */
void board_take(struct board *board, const struct store_batch *batch, bool clock_suspect);
/* The last batch that was taken, in this life or an earlier one; valid until the next. */
struct store_mark board_mark(const struct board *board);
/* The documents are others: everything is judged again. */
void board_judge_all(struct board *board);
/* The same where the change was only in documents of single accounts: these are judged again; the
 * rest would be as it was, and borrows from the documents of before until it is judged the next time. */
void board_judge_touched(struct board *board);
/* The oldest generation of documents that a view was judged with: what is before it, nobody borrows. */
uint64_t board_generation(const struct board *board);
/* Lets go of agents of which nothing came since before_ms. */
void board_forget(struct board *board, int64_t before_ms);

size_t                    board_agent_count(const struct board *board); /* by name */
const struct board_agent *board_agent_at(const struct board *board, size_t at);
const struct board_agent *board_agent_find(const struct board *board, const char *name);
const struct board_view  *board_view_find(const struct board_agent *agent, const char *account);
/* The newest of those that were closed, the newest first. */
size_t                      board_closed_count(const struct board *board);
const struct store_finding *board_closed_at(const struct board *board, size_t at);

bool board_is_silent(
    const struct board *board, const struct board_agent *agent, int64_t now_ms);
/* Whether a place's measurement is too old to be believed; true for none. */
bool board_is_stale(const struct board *board, const struct place *place, int64_t now_ms);
/* What may be said of a place now: its state, or unknown when it is stale. */
enum state board_state(const struct board *board, const struct place *place, int64_t now_ms);
/* Whether the newest look at an open finding is too old to say that it holds now: its agent is
 * silent, or what it sends is of long ago. */
bool board_is_old(const struct board *board, const struct board_agent *agent,
    const struct store_finding *finding, int64_t now_ms);
/* Whether somebody may be called for an open finding: it is confirmed, and as of now. */
bool board_is_alarm(const struct board *board, const struct board_agent *agent,
    const struct store_finding *finding, int64_t now_ms);
/* Changes whenever what is known may have: with each batch, each document, each agent that is let go of. */
uint64_t board_version(const struct board *board);
int64_t  board_silent_ms(const struct board *board);

#endif
