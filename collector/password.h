/* password: what is kept of a person's password: a salt, what guessing costs, and the slow hash.
 *
 * Pure.  password_is() takes tens of milliseconds and megabytes on purpose, so that who reads the
 * file cannot try many: never call it on the loop (collector/hasher.h).
 */
#ifndef COLLECTOR_PASSWORD_H
#define COLLECTOR_PASSWORD_H

#include "base/digest.h"
#include "base/err.h"

enum {
	PASSWORD_LEAST = 12, /* characters, or rather bytes */
	PASSWORD_MOST = 256,
	PASSWORD_SALT_BYTES = 16,
	PASSWORD_ROOM = 128 /* of its text */
};

struct password {
	struct digest_cost cost;
	uint8_t            salt[PASSWORD_SALT_BYTES];
	uint8_t            digest[DIGEST_BYTES];
};

/* What a new password costs: 32 MiB, three times. */
extern const struct digest_cost password_cost;

/* Of a length that is taken, in UTF-8, without control characters. */
bool password_check(const char *text, struct err *err) MUST_CHECK;
/* With a fresh salt; text has passed password_check(). */
bool password_make(struct password *password, const char *text, const struct digest_cost *cost,
    struct err *err) MUST_CHECK;
/* Costs that are too cheap to protect, or dear enough to stop us, are refused. */
bool password_parse(struct password *password, const char *text, struct err *err) MUST_CHECK;
/* One word; text holds PASSWORD_ROOM bytes.  Returns text. */
char *password_render(const struct password *password, char *text);
/* Slow; as long for the right as for a wrong one. */
bool password_is(const struct password *password, const char *text) MUST_CHECK;

#endif
