/* fake_rntbd: a replica of the fake back end: RNTBD over TLS [rntbd-sdk].
 *
 * Answers the context request, then each request with the status of the replica that it names,
 * and closes who has not authenticated for too long, which is everybody.  Misbehaves on request.
 */
#ifndef TESTS_FAKE_RNTBD_H
#define TESTS_FAKE_RNTBD_H

#include "tests/fake/backend/fake_talk.h"

#include <stdio.h>

/* "NAME" or "NAME=NUMBER"; several add up. */
bool fake_rntbd_does(const char *text, struct err *err) MUST_CHECK;
void fake_rntbd_list(FILE *out); /* of the names */
void fake_rntbd_setup(struct ssl_ctx_st *tls);
void fake_rntbd_serve(struct fake_talk *talk);

#endif
