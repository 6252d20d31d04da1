/* record: the structs of fields.def, and a description of each that the walkers follow.
 *
 * encode, decode, render_json, render_text, the SQL columns and FIELDS.md know no field by name:
 * they walk a `struct message_desc`.  Structs live in an arena; a TEXT member is never NULL in a
 * decoded record, and NULL counts as "" when one is written.  A SUB member of a decoded record may
 * be NULL whatever it is for: a peer can leave out anything.
 */
#ifndef PROTO_RECORD_H
#define PROTO_RECORD_H

#include "proto/outcome.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROTO_VERSION = 1 };

/* The reason of a gap that is no loss: the records of that batch travel in the one that says so,
 * since its file failed while it was written.  Should the file come back after a crash, and be
 * sent, it is a duplicate. */
#define GAP_MOVED "moved"

/* Enums that travel.  Numbers are never reused. */
enum api { API_SQL, API_MONGO, API_CASSANDRA, API_GREMLIN, API_TABLE, API_COUNT };
enum role {
	ROLE_CONFIGURED, /* the documents name it */
	ROLE_SWEEP,      /* a known region's name: is there a record nobody configured? */
	ROLE_COUNT
};
enum mode {
	MODE_GATEWAY,
	MODE_DIRECT,     /* RNTBD over TLS, to the replicas themselves */
	MODE_GATEWAY_V2, /* the thin client's proxy: HTTP/2, on a port of its own */
	MODE_COUNT
};
enum transport { TRANSPORT_NONE, TRANSPORT_UDP, TRANSPORT_TCP, TRANSPORT_COUNT };
enum path {
	PATH_NOT_TOLD,
	PATH_PUBLIC_INTERNET,
	PATH_SERVICE_ENDPOINT,
	PATH_PRIVATE_ENDPOINT,
	PATH_COUNT
};

/* Why a resolver is asked: it stands in resolv.conf; it is the platform's own; the configuration
 * names it; it is no server but getaddrinfo(), the way an application takes; or the configuration
 * names it as one outside of this network. */
enum source {
	SOURCE_RESOLV_CONF,
	SOURCE_AZURE,
	SOURCE_CONFIGURED,
	SOURCE_SYSTEM,
	SOURCE_OUTSIDE,
	SOURCE_COUNT
};

/* Where the addresses of Direct mode come from. */
enum origin {
	ORIGIN_NONE,   /* there are none: no credentials, no address given, no sample wanted */
	ORIGIN_FEED,   /* the gateway's address feed, by a signed request */
	ORIGIN_PASTED, /* somebody took them from an application's diagnostics */
	ORIGIN_SAMPLE, /* guessed ports: shows what TCP and TLS show, and nothing of RNTBD */
	ORIGIN_COUNT
};

/* What a request is signed with. */
enum credential { CREDENTIAL_NONE, CREDENTIAL_KEY, CREDENTIAL_ENTRA, CREDENTIAL_COUNT };

#define C_U32        uint32_t
#define C_U64        uint64_t
#define C_I64        int64_t
#define C_BOOL       bool
#define C_TEXT       const char *
#define C_OUTCOME    uint32_t
#define C_API        uint32_t
#define C_ROLE       uint32_t
#define C_MODE       uint32_t
#define C_TRANSPORT  uint32_t
#define C_PATH       uint32_t
#define C_SOURCE     uint32_t
#define C_ORIGIN     uint32_t
#define C_CREDENTIAL uint32_t

#define MESSAGE(name, what)                        struct name {
#define FIELD(message, id, name, type, unit, what) C_##type name;
#define LIST(message, id, name, element, most, what) \
	struct element *name;                        \
	size_t          name##_count;
#define SUB(message, id, name, element, what) struct element *name;
#define END(name) \
	}         \
	;
#include "proto/fields.def"
#undef MESSAGE
#undef FIELD
#undef LIST
#undef SUB
#undef END

enum field_type {
	FIELD_U32,
	FIELD_U64,
	FIELD_I64,
	FIELD_BOOL,
	FIELD_TEXT,
	FIELD_OUTCOME,
	FIELD_API,
	FIELD_ROLE,
	FIELD_MODE,
	FIELD_TRANSPORT,
	FIELD_PATH,
	FIELD_SOURCE,
	FIELD_ORIGIN,
	FIELD_CREDENTIAL,
	FIELD_LIST,
	FIELD_SUB
};

struct message_desc;

struct field_desc {
	unsigned                   id;
	const char                *name;
	enum field_type            type;
	size_t                     at;       /* offsetof() the member */
	size_t                     count_at; /* FIELD_LIST: offsetof() its count */
	const struct message_desc *element;  /* FIELD_LIST, FIELD_SUB */
	size_t                     most;     /* FIELD_LIST: elements a decoder takes */
	const char                *unit, *meaning;
};

struct message_desc {
	const char              *name, *meaning;
	size_t                   bytes; /* sizeof the struct */
	const struct field_desc *fields;
	size_t                   field_count;
};

#define MESSAGE(name, what) extern const struct message_desc name##_desc;
#define FIELD(message, id, name, type, unit, what)
#define LIST(message, id, name, element, most, what)
#define SUB(message, id, name, element, what)
#define END(name)
#include "proto/fields.def"
#undef MESSAGE
#undef FIELD
#undef LIST
#undef SUB
#undef END

/* All of them, in the order of fields.def, NULL at the end. */
extern const struct message_desc *const message_descs[];

/* Whether the member is at its default (0, false, "", an empty list, no message). */
bool field_is_default(const struct field_desc *field, const void *from);

/* What the member of a SUB or LIST field points at: a message, or the first of a list. */
const void *field_pointer(const struct field_desc *field, const void *from);
/* How many elements the list has. */
size_t field_count(const struct field_desc *field, const void *from);

/* The word of an enum's value ("gateway"), "unknown" outside; NULL for a type that is no enum. */
const char *field_word(enum field_type type, uint32_t value);
/* The reverse; false when no such word. */
bool field_word_parse(enum field_type type, const char *word, uint32_t *value);

const char *api_name(uint32_t api);
const char *mode_name(uint32_t mode);

#endif
