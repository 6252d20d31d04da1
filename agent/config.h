/* config: `plprobe config check|dump`: try a configuration, or show what it amounts to. */
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H

#include "agent/cli.h"

extern const struct cli_command config_command;

#endif
