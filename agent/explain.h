/* explain: `plprobe explain [CODE]`: what a finding means, and the list of all. */
#ifndef AGENT_EXPLAIN_H
#define AGENT_EXPLAIN_H

#include "agent/cli.h"

extern const struct cli_command explain_command;

#endif
