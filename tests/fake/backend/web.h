/* web: requests and answers of HTTP/1.1 for the fake front ends, on one TLS connection.
 *
 * Nothing of the probe's is in it, so that the two check each other.
 */
#ifndef TESTS_FAKE_WEB_H
#define TESTS_FAKE_WEB_H

#include <stdbool.h>
#include <stddef.h>

struct ssl_st;

enum { WEB_REQUEST_MAX = 16 * 1024 };

/* The head of a request with a NUL behind; false: the peer is gone, or it does not end. */
bool web_hear(struct ssl_st *ssl, char request[WEB_REQUEST_MAX + 1]);
/* The value of a header of it, cut at room; "" when there is none.  Returns value. */
char *web_header(const char *request, const char *name, char *value, size_t room);

bool web_say(struct ssl_st *ssl, const void *bytes, size_t count);
bool web_say_text(struct ssl_st *ssl, const char *text);
bool web_drip(struct ssl_st *ssl, const void *bytes, size_t count); /* a TLS record each */
bool web_hear_bytes(struct ssl_st *ssl, void *bytes, size_t count);
/* close_notify, and hears until the peer goes: a close with bytes unread would be a reset. */
void web_leave(struct ssl_st *ssl);

void web_guid(char guid[37]);

#endif
