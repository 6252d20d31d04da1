/* survey: every name of some accounts measured once, side by side, and judged.
 *
 * The whole of `plprobe check` but its command line and its output.  Blocks in its own loop until
 * all is measured, the time is over, or a signal says that what is known is enough.
 */
#ifndef AGENT_SURVEY_H
#define AGENT_SURVEY_H

#include "agent/credential.h"
#include "analyze/account.h"
#include "analyze/judge.h"
#include "analyze/names.h"
#include "base/addr.h"
#include "base/arena.h"
#include "probe/direct.h"
#include "probe/vantages.h"

struct survey_ask {
	struct account *const *accounts;
	const bool            *has_document; /* one for each account */
	size_t                 account_count;
	/* of all documents; NULL: none was given */
	const struct endpoint_index *endpoints;
	const struct zone_index     *zones;
	const struct plink_list     *plinks;
	const struct vnet           *vnet;     /* that this machine is in; NULL: not known */
	const struct vantages       *vantages; /* whom to ask */
	const struct vantages_ask
	                  *again;   /* how they were found: at the end once more; NULL: not */
	bool               system;  /* ask getaddrinfo() too */
	bool               tcp_too; /* ask each DNS server over TCP as well */
	const struct addr *outside; /* resolvers outside of this network: measure.h */
	size_t             outside_count;
	struct addr        source; /* family 0: the kernel's choice */
	unsigned           modes;  /* NAMES_GATEWAY and the like; 0: gateway */
	unsigned           wanted; /* of modes and APIs, what a person asked for; 0: nothing */
	unsigned apis; /* NAMES_API(); 0: those that the account serves, as far as is told */
	/* Addresses of Direct mode, and limits; its signer is set by us, from the credential. */
	struct direct_means             means;
	const struct credential_source *credential; /* NULL: none */
	const char                     *proxy;      /* for requests to gateways; NULL: none */
	/* Which proxy the environment names for a host, NULL when none; may be NULL itself. */
	const char *(*proxy_for)(void *arg, struct arena *arena, const char *host);
	void               *proxy_arg;
	const char         *ca_file;  /* NULL: the system's roots */
	int64_t             limit_ms; /* for each measurement */
	struct name_regions regions;  /* to sweep beside those that are known */
	unsigned sweep_pace;          /* questions a second to each server; 0: without limit */
	bool     sweep;               /* ask for the names of regions that are not configured */
	bool     dns_only;            /* resolve, and connect to nothing */
	bool     progress;            /* a line on stderr while it runs */
};

struct survey_result {
	const struct account *account;
	struct verdict       *verdict;
};

/* One result for each account in results, all in the arena.  interrupted: a signal came, and some
 * names are not measured. */
bool survey_run(struct arena *arena, const struct survey_ask *ask,
    struct survey_result *results, bool *interrupted, struct err *err) MUST_CHECK;

/* Waits; false when a signal came. */
bool survey_wait(int64_t wait_ms);

#endif
