/* fake_sign: whether a request to the data plane carries a valid authorization [cosmos-signing].
 *
 * Written from the rule, and on purpose without a line of the probe's own signer: the two check
 * each other.
 */
#ifndef TESTS_FAKE_SIGN_H
#define TESTS_FAKE_SIGN_H

#include "tests/fake/backend/fake_account.h"
#include "tests/fake/backend/fake_target.h"

#include "base/wbuf.h"

/* The five lines that are signed. */
void fake_sign_payload(struct wbuf *out, const char *verb, const struct fake_target *target,
    const char *ms_date, const char *date);
/* The signature of `payload`, in base64; false when the key is no base64.  text: 64 bytes. */
bool fake_sign_compute(const char *key, const char *payload, char *text);

/* The headers of a request that count; "" when absent. */
struct fake_claims {
	const char *verb, *authorization, *ms_date, *date, *version;
	int64_t     now_s; /* our clock, Unix time */
};

/* Why a request is refused; status 0: it is not. */
struct fake_refusal {
	unsigned    status, substatus;
	const char *code;
	char        message[4096];
	const char *by; /* "none", "key", "readonly-key", "entra": for the log */
};

void fake_sign_check(struct fake_refusal *refusal, const struct fake_account *account,
    const struct fake_target *target, const struct fake_claims *claims);

#endif
