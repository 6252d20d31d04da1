/* template: the sentences and commands of findings.def with the names of a case filled in.
 *
 * Sentences take values as they are.  Commands are pasted into shells by people, and some values
 * come from documents and from the network: each is quoted unless it is harmless, and each shell
 * variable that is left for the person is explained in a comment line in front.
 */
#ifndef ANALYZE_TEMPLATE_H
#define ANALYZE_TEMPLATE_H

#include "analyze/account.h"
#include "proto/record.h"

/* What {names} may stand for; NULL counts as "". */
struct words {
	struct arena         *arena;
	const struct account *account;
	const struct target  *target; /* first name; NULL: none */
	const char           *names, *address, *resolver, *connection, *detail;
	const char           *addresses; /* all of them, as arguments of a command */
	const char           *first_address, *first_resolver; /* for commands, which take one */
	const struct private_endpoint
	    *endpoint; /* that has the target's address; NULL: not told */
	const char
	    *zone_id; /* of the API's private zone; NULL: not told, or there are several */
	const char *vnet_id; /* that was measured in; NULL: not told */
	unsigned    port;
};

const char *template_sentence(const struct words *words, const char *text);
const char *template_fix(const struct words *words, const char *text);

#endif
