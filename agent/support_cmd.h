/* support_cmd: `plprobe support`: what works with private endpoints, per API, mode and cloud. */
#ifndef AGENT_SUPPORT_CMD_H
#define AGENT_SUPPORT_CMD_H

#include "agent/cli.h"

extern const struct cli_command support_command;

#endif
