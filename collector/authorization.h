/* authorization: what an Authorization header says, as text and as parts.
 *
 * Pure, and fed by whoever reaches the port.  Whether it is good is collector/login.h's matter.
 */
#ifndef COLLECTOR_AUTHORIZATION_H
#define COLLECTOR_AUTHORIZATION_H

#include "collector/readers.h"

enum authorization_kind {
	AUTHORIZATION_NONE,   /* no header, or a scheme that we do not take */
	AUTHORIZATION_BROKEN, /* Basic, and not what that is, or longer than any that is good */
	AUTHORIZATION_BASIC,  /* name and password [rfc7617 2] */
	AUTHORIZATION_BEARER  /* token [rfc6750 2.1] */
};

struct authorization {
	enum authorization_kind kind;
	const char             *token;           /* borrowed from the header */
	const char             *name, *password; /* in text */
	char                    text[READERS_NAME_MAX + PASSWORD_MOST + 4];
};

/* header: its value, or NULL. */
void authorization_parse(struct authorization *authorization, const char *header);

#endif
