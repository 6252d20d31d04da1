/* fake_answer: the named ways in which the fake gateway answers whatever it is asked, right or
 * wrong, or does not answer at all.
 */
#ifndef TESTS_FAKE_ANSWER_H
#define TESTS_FAKE_ANSWER_H

#include "tests/fake/backend/fake_talk.h"

#include <stdio.h>

/* With `code` an error of the service: in its message "%s" is the argument of --answer, or else
 * the address from which the request came.  With a function no HTTP answer at all, from that
 * point on. */
struct fake_answer {
	const char *name;
	bool        by_account; /* what the accounts say (fake_gateway.h), and nothing fixed */
	unsigned    status;
	const char *code, *message;
	const char *type, *body;
	const char *headers; /* further ones, each with its line end */
	void (*before_tls)(struct fake_talk *talk);
	void (*after_tls)(struct fake_talk *talk);
	void (*after_request)(struct fake_talk *talk);
};

const struct fake_answer *fake_answer_find(const char *name); /* NULL: there is none */
void                      fake_answer_list(FILE *out);

/* The HTTP answer of one that has no function; argument may be NULL.  Its Date is clock_s ahead of
 * ours. */
bool fake_answer_send(struct fake_talk *talk, const struct fake_answer *answer,
    const char *argument, int64_t clock_s);

#endif
