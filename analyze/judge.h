/* judge: wanted against seen.
 *
 * A pure function: the account's document and the measurements of one agent go in, findings come
 * out.  Time comes from the records, never from a clock, so that last month can be judged again.
 * Knows nothing of agents, stores or screens.
 */
#ifndef ANALYZE_JUDGE_H
#define ANALYZE_JUDGE_H

#include "analyze/account.h"
#include "analyze/vnet.h"
#include "base/arena.h"
#include "proto/record.h"

/* In the order of how bad they are; unknown is worse than ok and better than warning. */
enum state { STATE_OK, STATE_UNKNOWN, STATE_WARNING, STATE_CRITICAL };

enum owner {
	OWNER_NOBODY,
	OWNER_DNS,
	OWNER_NETWORK,
	OWNER_ACCOUNT,
	OWNER_CLIENT,
	OWNER_COLLECTOR
};

enum finding_code {
#define FINDING(                                                                       \
    name, code, words, severity, owner, stage, basis, sentence, fix, fix_all, explain) \
	FINDING_##name,
#include "analyze/findings.def"
#undef FINDING
	FINDING_COUNT
};

/* What must be reached to show a finding. */
enum stage {
	STAGE_ALONE,   /* told for each name by itself */
	STAGE_ACCOUNT, /* told once, of the account as a whole */
	STAGE_REGION,  /* the name of a region was asked for */
	STAGE_NAME,    /* a name was asked for */
	STAGE_ANSWER,  /* it has an address */
	STAGE_TCP,     /* a connection was tried */
	STAGE_TLS,     /* a connection stood */
	STAGE_HTTP     /* a handshake was good */
};

struct finding_desc {
	const char *code;  /* "PLP-101-REGION-NAME-MISSING": stable, for people and machines */
	const char *words; /* "region name missing" */
	enum state  severity;
	enum owner  owner;
	enum stage  stage;
	const char *basis;    /* where the rule comes from: keys of REFERENCES.md */
	const char *sentence; /* template of one sentence */
	const char *fix;     /* template of the paste-ready command; "" when nothing is to do */
	const char *fix_all; /* the same when all names of the account are meant; "": fix */
	const char *explain; /* how it is recognised and what it means, a paragraph */
};

extern const struct finding_desc finding_table[FINDING_COUNT];

const char *state_name(enum state state); /* "ok", "unknown", "warning", "critical" */
const char *owner_name(enum owner owner); /* "dns", "network", ... */
/* By code, or by its number or name alone, without case; FINDING_COUNT when there is none. */
enum finding_code finding_find(const char *code);
/* Near codes for "did you mean"; NULL when none is near. */
const char *finding_nearest(const char *code);

struct finding;
struct place;
/* Whether the finding is about this place: its name, and its mode or the DNS of all modes. */
bool finding_concerns(const struct finding *finding, const struct place *place);

struct finding {
	enum finding_code code;
	enum state        severity;
	enum api          api;  /* of the first that shows it */
	unsigned          apis; /* bits 1 << API_*: of all that do */
	enum mode         mode; /* in which it was seen; what is of DNS holds for all */
	const char       *account;
	const char       *region; /* label; "" is the global name, "*" more than one name */
	const char       *host;   /* of the only or first name; "" when no name is meant */
	const char      **hosts;  /* all names that show it */
	size_t            host_count;
	const char       *sentence, *evidence, *fix; /* filled in */
	int64_t           seen_ms; /* start of the newest measurement that shows it */
};

/* One address that was answered for a name, and whose it is. */
struct place_address {
	const char *address; /* in the resolver's words */
	const char *words; /* "private by its range (a hint)", "of the private endpoint pe-1" */
	bool        told;  /* documents of endpoints say whose it is, or that it is nobody's */
	bool        right; /* they have it for this very name */
};

/* What was seen at the public addresses of a name; of several the first in this order. */
enum outside_kind {
	OUTSIDE_UNASKED,    /* no resolver outside is known */
	OUTSIDE_ADMITTED,   /* a signed request was answered with the account */
	OUTSIDE_ANSWERED,   /* an unsigned one was answered, and not refused */
	OUTSIDE_REFUSED,    /* the account's firewall refused */
	OUTSIDE_STRANGE,    /* something answered that is not the service, or in no known way */
	OUTSIDE_UNREACHED,  /* no connection, or it broke off */
	OUTSIDE_UNTRIED,    /* we could not, or may not, or wanted to ask DNS alone */
	OUTSIDE_UNRESOLVED, /* no resolver outside gave a public address */
	OUTSIDE_COUNT
};

/* "refused", "admitted" and the like: for machines.  In outside.c. */
const char *outside_kind_name(enum outside_kind kind);

/* One name of the account in one mode, as seen: the row of a table. */
struct place {
	const struct target      *target;
	const struct measurement *seen; /* NULL: not measured in this mode */
	enum state                state;
	enum finding_code         worst; /* FINDING_COUNT when there is none */
	const char           *words; /* what may be said: "gateway reached", "DNS only: ..." */
	enum outside_kind     outside;   /* the negative test of the name */
	struct place_address *addresses; /* distinct, of all resolvers */
	size_t                address_count;
};

struct verdict {
	enum state      state;    /* the worst of all */
	bool            dns_only; /* no name was asked for more than its addresses */
	struct finding *findings; /* worst first, then by region */
	size_t          finding_count;
	/* API by API.  Gateway: global name, then configured regions, then swept names with a
	 * record; then Direct mode, then Gateway V2, of each its regions.  An API or a mode that was
	 * not measured has none; when none was, the names of the gateway stand there.  Of an API
	 * that cannot work by what the document says, they do in any case. */
	struct place *places;
	size_t        place_count;
	const char  **unknowns; /* what could not be said, and why */
	size_t        unknown_count;
};

struct judge_ask {
	const struct account            *account; /* with locations, or from account_named() */
	bool                             has_document;
	const struct measurement *const *seen; /* the newest of each target, any order */
	size_t                           seen_count;
	/* All documents of private endpoints that there are, of other accounts too; NULL: none. */
	const struct endpoint_index *endpoints;
	unsigned wanted; /* flags of names.h that a person asked for; 0: nobody did */
	/* The same of private DNS zones, and of what the accounts' APIs need; NULL: none. */
	const struct zone_index *zones;
	const struct plink_list *plinks;
	const struct vnet       *vnet; /* that it was measured in; NULL: not known */
	/* The DNS servers that the machine asks by now, where they are others than it measured with;
	 * NULL: those of the newest measurement are taken for them. */
	const char *const *servers;
	size_t             server_count;
};

/* Everything is in the arena, and borrows from the ask, which outlives it. */
struct verdict *judge_run(struct arena *arena, const struct judge_ask *ask);

#endif
