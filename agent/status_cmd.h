/* status_cmd: `plprobe status`: what the agent of this machine is doing, asked over its socket. */
#ifndef AGENT_STATUS_CMD_H
#define AGENT_STATUS_CMD_H

#include "agent/cli.h"
#include "agent/status.h"

extern const struct cli_command status_command;

/* For a person; what wants a look stands first and is coloured.  Exposed for its test. */
void status_print(const struct status_facts *facts, bool colour, struct wbuf *out);

#endif
