/* fake_target: what a request to the gateway is about, from its path and query.
 */
#ifndef TESTS_FAKE_TARGET_H
#define TESTS_FAKE_TARGET_H

#include <stdbool.h>
#include <stddef.h>

/* What is asked for, taken apart.  Texts are decoded. */
struct fake_target {
	bool   addresses;      /* /addresses/ */
	bool   known;          /* it is a path of the service */
	bool   by_rid;         /* database and container are resource ids */
	char   resource[1024]; /* "dbs/x/colls/y": what the signature is about */
	char  *parts[8];       /* in words: "dbs", "x", "colls", "y" */
	size_t part_count;
	char   words[1024];
};

/* path and query as sent.  False with a path that is too long. */
bool fake_target_parse(struct fake_target *target, const char *path, const char *query);

/* Value of a parameter of the query, decoded; false when there is none. */
bool fake_query_get(const char *query, const char *name, char *value, size_t room);
/* Percent-decoding, in place; '+' stays. */
void fake_percent_decode(char *text);

#endif
