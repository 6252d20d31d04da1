/* enroll_cmd: `plprobe enroll`: a token becomes a key and a certificate, once. */
#ifndef AGENT_ENROLL_CMD_H
#define AGENT_ENROLL_CMD_H

#include "agent/cli.h"

extern const struct cli_command enroll_command;

#endif
