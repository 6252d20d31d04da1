/* check: `plprobe check`: accounts and options from a command line, a survey, and its output.
 *
 * Data goes to stdout, progress and complaints to stderr.  The exit code is that of a Nagios
 * plugin [nagios-plugins].
 */
#ifndef AGENT_CHECK_H
#define AGENT_CHECK_H

#include "agent/agent_conf.h"
#include "agent/check_means.h"
#include "agent/cli.h"
#include "agent/survey.h"

enum check_output { CHECK_TABLE, CHECK_JSON, CHECK_NAGIOS };

struct check_options {
	const char       **names; /* ACCOUNT...; borrowed from argv, as are the others */
	size_t             name_count;
	const char       **documents; /* --expect */
	size_t             document_count;
	struct addr        resolvers[8];
	size_t             resolver_count; /* 0: the system's */
	struct addr        outside[AGENT_OUTSIDE_MAX];
	size_t             outside_count; /* --outside-resolver */
	struct addr        source;
	const char        *ca_file;
	int64_t            limit_ms;
	int64_t            watch_ms; /* 0: once */
	enum check_output  output;
	const char       **regions; /* --region, as labels */
	size_t             region_count;
	int64_t            sweep_rate; /* questions a second to each server */
	struct check_means means;
	unsigned           apis;   /* --api, as flags of names.h; 0: what the document tells */
	unsigned           wanted; /* likewise, what --api and --mode say */
	struct vnet        vnet;   /* --vnet */
	bool               exit_zero, no_color, no_sweep, dns_only, tree;
	bool               azure_dns; /* ask Azure's server, on Azure or not */
	bool               dns_tcp;   /* ask each DNS server over TCP as well */
};

enum check_parsed { CHECK_GO, CHECK_HELP, CHECK_USAGE };

/* Reads the options; what they point at is in the arena or in argv. */
enum check_parsed check_options_parse(
    struct arena *arena, struct check_options *options, int argc, char **argv, struct err *err);

/* What one check has seen. */
struct check_seen {
	struct survey_result *results; /* one for each account */
	size_t                count;
	struct vantages       vantages; /* who was asked */
	/* All that the documents hold. */
	const struct account_list *documents;
	bool                       interrupted;
};

/* Reads the documents and measures, as the options say; all in the arena. */
bool check_measure(struct arena *arena, const struct check_options *options,
    struct check_seen *seen, struct err *err) MUST_CHECK;

int check_main(int argc, char **argv);

extern const struct cli_command check_command;

struct json_t;

/* {"version": 1, "accounts": [...]}, appended.  In check_json.c. */
void check_json_write(
    const struct survey_result *results, size_t count, bool interrupted, struct wbuf *out);

#endif
