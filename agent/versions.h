/* versions: what `plprobe --version` says: ours, and that of each library in the process.
 *
 * Asks each door; a door that cannot tell is not asked.
 */
#ifndef AGENT_VERSIONS_H
#define AGENT_VERSIONS_H

void versions_print(void);

#endif
