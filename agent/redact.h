/* redact: text without what tells whose it is, and still of use to whoever is to help.
 *
 * Names of accounts, hosts, resources, GUIDs and IP addresses become placeholders, the same thing
 * always the same one, so that what belongs together can still be seen: "account-1", "name-2",
 * "10.0.0.3".  A private address stays private and a public one public; those that mean the same
 * everywhere (loopback, 168.63.129.16, 169.254.169.254) and Azure's own suffixes are kept.  What
 * cannot be told from words by its form has to be named first.  Pure; knows nothing of JSON.
 */
#ifndef AGENT_REDACT_H
#define AGENT_REDACT_H

#include "base/arena.h"

struct redact;

enum redact_kind {
	REDACT_ACCOUNT, /* wherever its letters stand, also within other words */
	REDACT_NAME,    /* the others only as words of their own */
	REDACT_MACHINE,
	REDACT_DOCUMENT,
	REDACT_CERTIFICATE,
	REDACT_DATABASE,
	REDACT_KINDS
};

struct redact *redact_new(struct arena *arena); /* all in the arena, results too */

/* From now on a placeholder stands for the word.  Without case.  Words that are too short, or that
 * every text has, are left alone; NULL and "" are fine. */
void redact_word(struct redact *redact, enum redact_kind kind, const char *word);
/* The same for each name within a resource id of Azure. */
void redact_id(struct redact *redact, const char *id);

const char *redact_text(struct redact *redact, const char *text);

#endif
