/* policy_file: the limits that the machine's owner sets to the agent, in a file of root's.
 *
 * It only narrows: what no file says is as wide as the program and agent.yaml are.  The collector
 * never sends it and we never write it; a file that anybody but root could have written is refused
 * with the whole configuration, since a limit that the limited can lift is none.
 */
#ifndef AGENT_POLICY_FILE_H
#define AGENT_POLICY_FILE_H

#include "base/conf.h"
#include "base/net.h"

#define POLICY_FILE "/etc/plprobe/policy.yaml"

enum { POLICY_NETS_MAX = 64, POLICY_PORTS_MAX = 32 };

struct policy_file {
	struct conf_texts accounts, zones, connect, port_texts;
	bool public;               /* connect to public addresses */
	bool    outside;           /* ask resolvers outside, and try what they give */
	bool    direct;            /* measure Direct mode, whose ports nobody knows before */
	int64_t names_per_minute;  /* sweeps aside */
	int64_t connect_rate;      /* connections a second */
	int64_t ports_per_address; /* different ones, within an hour */

	/* What the texts mean; filled in by policy_file_settle(). */
	struct net nets[POLICY_NETS_MAX];
	size_t     net_count; /* 0: any */
	uint16_t   ports[POLICY_PORTS_MAX];
	size_t     port_count; /* 0: any of agent.yaml */
};

extern const struct conf_row policy_file_rows[];

/* path "": all presets.  A missing file is so too when it is the one of POLICY_FILE, and else an
 * error.  All in the arena. */
struct policy_file *policy_file_read(
    struct arena *arena, const char *path, struct err *err) MUST_CHECK;

/* From the text of conf_dump(), as the shipper hands it to the prober. */
struct policy_file *policy_file_parse(
    struct arena *arena, const char *text, size_t count, struct err *err) MUST_CHECK;

/* Whether root alone can have written it: the file and the folder that it lies in. */
bool policy_file_is_roots(const char *path, struct err *err) MUST_CHECK;

#endif
