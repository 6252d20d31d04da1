/* command: the words behind `plprobe-collector`, and what each of them does. */
#ifndef COLLECTOR_COMMAND_H
#define COLLECTOR_COMMAND_H

enum { COMMAND_WELL, COMMAND_FAILED, COMMAND_USAGE };

/* The whole command line; returns the exit code. */
int command_run(int argc, char **argv);

#endif
