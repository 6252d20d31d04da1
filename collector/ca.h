/* ca: the collector's own authority, which signs the keys of its agents and nothing else.
 *
 * A P-256 key and its certificate, made at the first start: ca.key (0600) and ca.pem in the
 * collector's folder.  Of a signing request only the key is taken; every word of the certificate is
 * ours.  Who may have one is not decided here (collector/admit.h), nor is it kept who has
 * (collector/roster.h).
 */
#ifndef COLLECTOR_CA_H
#define COLLECTOR_CA_H

#include "base/digest.h"
#include "base/err.h"

/* Before the id of an agent in its certificate: the one URI among its alternative names. */
#define CA_AGENT_URI "urn:plprobe:agent:"

enum { CA_SERIAL_BYTES = 16, CA_SERIAL_ROOM = 33, CA_DER_MAX = 3000 };

struct ca;

/* Reads key and certificate in the folder, or makes both where neither is there.  ca.pem may hold
 * more certificates behind the one that belongs to the key: authorities from before. */
struct ca *ca_open(const char *folder, int64_t now_ms, struct err *err);
void       ca_free(struct ca *ca); /* NULL is fine */
/* When the authority itself ends, Unix ms. */
int64_t ca_ends_ms(const struct ca *ca);

/* The key of a signing request [rfc2986]: P-256, Ed25519, or RSA of 2048 to 4096 bits, and signed
 * with itself. */
struct ca_key;
struct ca_key *ca_key_parse(const uint8_t *der, size_t count, struct err *err);
void           ca_key_free(struct ca_key *key); /* NULL is fine */
/* SHA-256 of its SubjectPublicKeyInfo. */
void ca_key_digest(const struct ca_key *key, uint8_t digest[DIGEST_BYTES]);

struct ca_order {
	const struct ca_key *key;
	const char          *agent;
	int64_t              now_ms, life_ms;
};

struct ca_made {
	uint8_t der[CA_DER_MAX];
	size_t  count;
	char    serial[CA_SERIAL_ROOM]; /* lower-case hex */
	int64_t ends_ms;                /* at whole seconds */
};

/* A certificate for clientAuth alone [rfc5280 4.2.1.12], with a random serial number. */
bool ca_sign(const struct ca *ca, const struct ca_order *order, struct ca_made *made,
    struct err *err) MUST_CHECK;

#endif
