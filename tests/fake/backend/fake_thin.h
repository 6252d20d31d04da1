/* fake_thin: Gateway V2 of the fake back end, the proxy for thin clients: HTTP/2 over TLS
 * [cosmos-thin-client] [rfc9113].  Answers POST /connectivity-probe, and nothing else.
 */
#ifndef TESTS_FAKE_THIN_H
#define TESTS_FAKE_THIN_H

#include "tests/fake/backend/fake_talk.h"

#include <stdio.h>

/* "NAME" or "NAME=NUMBER". */
bool fake_thin_does(const char *text, struct err *err) MUST_CHECK;
void fake_thin_list(FILE *out); /* of the names */
void fake_thin_setup(struct ssl_ctx_st *tls);
void fake_thin_serve(struct fake_talk *talk);

#endif
