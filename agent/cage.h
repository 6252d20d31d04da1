/* cage: what the process that measures gives up before it hears its first stranger.
 *
 * It reads the system's own files alone, so that a bug in a parser does not open the token, the
 * spool or a key; it writes, makes and runs none; and where all ports are known beforehand it
 * connects to those alone.  Held by the kernel, as far as it knows how, until the process ends.
 */
#ifndef AGENT_CAGE_H
#define AGENT_CAGE_H

#include "agent/agent_conf.h"

/* What the kernel holds us to.  ports: what a later configuration adds to them stays closed. */
struct cage {
	bool files, ports;
};

/* Logs where a secret can be read all the same. */
struct cage cage_close(const struct agent_conf *conf);
/* "files ports", "files", or "" where this kernel has no landlock. */
const char *cage_words(const struct cage *cage);

#endif
