/* refusal: what the service's words tell when the rules of an account refuse a request.
 *
 * The same sentences stand in the 403 of a gateway, in the error of a replica and in the command
 * error of MongoDB [cosmos-forbidden].  They are looked for without case and anywhere in the
 * text, since each API wraps them in its own way.  Whether the text is a refusal at all is the
 * caller's matter.
 */
#ifndef PROBE_REFUSAL_H
#define PROBE_REFUSAL_H

#include "base/arena.h"

#include <stdint.h>

/* enum path: the way by which the service says that the request came. */
uint32_t refusal_path(const char *words);
/* The address of the client as the service saw it, in the arena; "" when the words name none. */
const char *refusal_client(const char *words, struct arena *arena);
/* Words of the network rules, though they may not tell the way. */
bool refusal_is_of_firewall(const char *words);
/* What stands behind "ActivityId: ", in the arena; "" when nothing does. */
const char *refusal_activity_id(const char *words, struct arena *arena);

#endif
