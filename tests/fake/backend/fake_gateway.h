/* fake_gateway: the gateway of the fake back end, on port 443 in real life: HTTP/1.1 over TLS,
 * with the accounts of fake_account.h behind it, or an answer of fake_answer.h whatever is asked.
 */
#ifndef TESTS_FAKE_GATEWAY_H
#define TESTS_FAKE_GATEWAY_H

#include "tests/fake/backend/fake_answer.h"

/* Once, before anything is served; argument may be NULL. */
void fake_gateway_setup(
    struct ssl_ctx_st *tls, const struct fake_answer *answer, const char *argument);
void fake_gateway_serve(struct fake_talk *talk);

#endif
