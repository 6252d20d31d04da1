/* cage: what the process that measures gives up before it hears its first stranger.
 *
 * It reads the system's own files alone, so that a bug in a parser does not open the token, the
 * spool or a key; it writes, makes and runs none; and where all ports are known beforehand it
 * connects to those alone.  Held by the kernel, as far as it knows how, until the process ends.
 */
#ifndef AGENT_CAGE_H
#define AGENT_CAGE_H

#include "agent/agent_conf.h"

/* Logs where a secret can be read all the same.  Whether the ports are held: what a later
 * configuration adds to them stays closed. */
bool cage_close(const struct agent_conf *conf);

#endif
