/* agent: `plprobe agent`, the daemon: two processes and what they need before they part.
 *
 * The prober is forked before the shipper reads the token or opens the spool: it parses what
 * strangers send and has nothing worth stealing.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "agent/cli.h"

extern const struct cli_command agent_command;

#endif
