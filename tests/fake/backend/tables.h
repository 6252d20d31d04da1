/* tables: a fake front end of the Table API on one TLS connection, as far as one comes without
 * credentials that are good: the official client takes it for a server. */
#ifndef TESTS_FAKE_TABLES_H
#define TESTS_FAKE_TABLES_H

#include <stdbool.h>

struct ssl_st;

struct tables_manner {
	const char *name;
	unsigned    status;
	const char *code, *message; /* of an odata.error; NULL: answer */
	const char *answer;         /* a whole one, and the end */
	enum { TABLES_LENGTH, TABLES_CHUNKED, TABLES_DRIP, TABLES_CUT, TABLES_SILENT } shape;
};

extern const struct tables_manner
                            tables_manners[]; /* the first is good; NULL name at the end */
const struct tables_manner *tables_manner_find(const char *name); /* NULL: none */

/* After the handshake, until the client goes or the manner ends it. */
void tables_serve(struct ssl_st *ssl, const struct tables_manner *manner);

#endif
