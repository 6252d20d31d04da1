/* mongo_answer: what the document of an answer says of the server, or of its refusal.
 */
#ifndef PROBE_MONGO_MONGO_ANSWER_H
#define PROBE_MONGO_MONGO_ANSWER_H

#include "base/arena.h"
#include "probe/mongo/mongo_wire.h"

enum {
	MONGO_HOSTS_MAX = 32,
	MONGO_HOSTS_MAX_BYTES = 2048, /* of all that are kept, joined */
	MONGO_WORDS_MAX_BYTES = 1024,
	MONGO_NAME_MAX_BYTES = 255
};

/* What a greeting says.  Texts are sane, in the arena and never NULL. */
struct mongo_answer {
	bool        ok;
	bool        is_error;  /* it has a code or words of one */
	bool        is_server; /* it says whether it is the primary, as only a MongoDB does */
	uint32_t    wire_least, wire_most;
	const char *set_name, *me, *region;
	const char *hosts;      /* host:port, space between */
	unsigned    hosts_left; /* left out: too many, or no host:port */
	int64_t     code;       /* of an error; 0: none */
	const char *code_name;  /* "Unauthorized" */
	const char *words;      /* errmsg */
};

/* What no greeting has is skipped, and so is what is there in another type. */
void mongo_answer_read(
    struct mongo_answer *answer, const struct mongo_reply *reply, struct arena *arena);

#endif
