/* incident_words: an incident as one sentence, and whose it is to repair.
 *
 * Claims no more than was seen: who else there is to compare with is part of the sentence.
 */
#ifndef ANALYZE_INCIDENT_WORDS_H
#define ANALYZE_INCIDENT_WORDS_H

#include "analyze/incident.h"

/* What a finding is about: see incident.h, 1. */
enum incident_about { ABOUT_VM, ABOUT_RESOLVER, ABOUT_RECORD, ABOUT_PATH, ABOUT_ACCOUNT };

enum incident_about incident_about(enum finding_code code);
/* Whether all names of an account show it since this network does not see the zone, or not this one:
 * then it is the zone's, unless the zone answers the same agents for another account. */
bool incident_is_unseen_zone(enum finding_code code);
/* Whether it is about a whole zone, and not one record of it. */
bool incident_is_of_zone(enum finding_code code, const char *region);

/* What the sentence needs beside the incident. */
struct incident_facts {
	size_t      witnesses;  /* in the place, affected or not */
	bool        azure_only; /* its agents ask no resolver but Azure's, as far as is known */
	bool        mixed; /* an agent of it sees another of the accounts, or the zone, well */
	const char *network; /* of a VM */
	const char *vnet;    /* in which the VM is the only agent; "" */
	const char *shared;  /* everywhere: the one resolver that all of them ask; "" none */
};

const char *incident_sentence(
    struct arena *arena, const struct incident *incident, const struct incident_facts *facts);
enum owner incident_owner(const struct incident *incident);

#endif
