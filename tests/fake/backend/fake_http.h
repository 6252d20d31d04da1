/* fake_http: HTTP/1.1 of the fake gateway: requests in, answers in the form of the service out.
 *
 * Enough for the official clients, and strict about nothing but size.
 */
#ifndef TESTS_FAKE_HTTP_H
#define TESTS_FAKE_HTTP_H

#include "tests/fake/backend/fake_talk.h"

#include "base/wbuf.h"

enum { FAKE_REQUEST_MAX = 64 * 1024, FAKE_HEADER_MAX = 8192, FAKE_GUID = 40, FAKE_DATE = 40 };

/* One request, and what was heard of the next. */
struct fake_request {
	char        bytes[FAKE_REQUEST_MAX + 1];
	size_t      count; /* heard so far */
	size_t      used;  /* of those, this request's: head and body */
	char        verb[16];
	char        path[4096];  /* as sent */
	char        query[4096]; /* behind the '?', as sent; "" when there is none */
	const char *body;        /* in bytes */
	size_t      body_count;
};

/* The next request; false when the peer has gone or says what is no request. */
bool fake_request_hear(struct fake_request *request, struct fake_talk *talk);
/* Value of a header, "" when it is not there; value holds FAKE_HEADER_MAX bytes.  Returns it. */
const char *fake_request_header(
    const struct fake_request *request, const char *name, char *value);

/* An answer.  Status 401 to 403, 5xx and so on are errors of the service when they have a code. */
struct fake_reply {
	unsigned    status;
	unsigned    substatus; /* 0: no header */
	const char *code;      /* "Unauthorized" */
	const char *headers;   /* further ones, each with its line end; NULL: none */
	bool        chunked;
	const char *body;    /* JSON */
	int64_t     clock_s; /* by which its Date is ahead of ours */
};

const char *fake_reason(unsigned status);
/* An error of the service, in one chunk; message is plain text and is escaped. */
bool fake_reply_error(
    struct fake_talk *talk, const struct fake_reply *reply, const char *message);
bool fake_reply_json(struct fake_talk *talk, const struct fake_reply *reply);

char *fake_guid(char text[FAKE_GUID]); /* random.  Returns text. */
char *fake_date(int64_t unix_s, char text[FAKE_DATE]);

#endif
