#include "collector/command.h"

#include "base/log.h"

#include <stdlib.h>

int
main(int argc, char **argv)
{
	log_open("plprobe-collector", LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	return command_run(argc, argv);
}
