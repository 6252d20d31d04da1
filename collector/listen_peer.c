#include "collector/listen_peer.h"

#include "base/clock.h"
#include "base/digest.h"
#include "collector/auth.h"
#include "collector/ca.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The text of an ASN.1 string if it names an agent. */
static bool
take_agent(struct listen_peer *peer, const ASN1_STRING *text, const char *prefix)
{
	const char *bytes = (const char *)ASN1_STRING_get0_data(text);
	size_t      count = (size_t)ASN1_STRING_length(text), skip = strlen(prefix);

	if (count <= skip || count - skip >= sizeof(peer->agent) ||
	    memcmp(bytes, prefix, skip) != 0)
		return false;
	memcpy(peer->agent, bytes + skip, count - skip);
	peer->agent[count - skip] = '\0';
	if (strlen(peer->agent) == count - skip && auth_is_agent(peer->agent))
		return true;
	peer->agent[0] = '\0';
	return false;
}

static bool
take_alternative(struct listen_peer *peer, const X509 *cert, int type, const char *prefix)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	bool           found = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		found = name->type == type && take_agent(peer, name->d.ia5, prefix);
	}
	GENERAL_NAMES_free(names);
	return found;
}

static bool
take_common_name(struct listen_peer *peer, const X509 *cert)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	int              at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);

	return at >= 0 &&
	    take_agent(peer, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)), "");
}

static int64_t
read_time_ms(const ASN1_TIME *time)
{
	struct tm when;

	return ASN1_TIME_to_tm(time, &when) == 1 ? (int64_t)timegm(&when) * MS_PER_S : 0;
}

static void
take_serial(struct listen_peer *peer, const X509 *cert)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	size_t              count = (size_t)ASN1_STRING_length(serial);

	/* At most 20 octets [rfc5280 4.1.2.2]. */
	if (count <= (sizeof(peer->serial) - 1) / 2)
		digest_hex(ASN1_STRING_get0_data(serial), count, peer->serial);
}

static bool
take_names(struct listen_peer *peer, const X509 *cert)
{
	if (take_alternative(peer, cert, GEN_URI, CA_AGENT_URI))
		return true;
	return peer->kind == LISTEN_PEER_OPERATOR &&
	    (take_alternative(peer, cert, GEN_DNS, "") || take_common_name(peer, cert));
}

static const struct {
	enum listen_peer_kind kind;
	const char           *why;
} verdicts[] = {
	[LISTEN_TRUST_OURS] = { LISTEN_PEER_OURS, "" },
	[LISTEN_TRUST_OPERATORS] = { LISTEN_PEER_OPERATOR, "" },
	[LISTEN_TRUST_NOBODYS] = { LISTEN_PEER_STRANGER,
	    "the certificate is of no authority that this collector trusts" },
	[LISTEN_TRUST_REVOKED] = { LISTEN_PEER_STRANGER,
	    "the certificate was revoked by the authority that signed it" },
	[LISTEN_TRUST_UNLISTED] = { LISTEN_PEER_STRANGER,
	    "the collector has no revocation list of the authority that signed the "
	    "certificate" },
};

void
listen_peer_read(struct listen_peer *peer, const struct listen_trust *trust, const SSL *ssl)
{
	X509                     *cert = SSL_get0_peer_certificate(ssl);
	enum listen_trust_verdict verdict;

	*peer = (struct listen_peer){ .kind = LISTEN_PEER_NONE, .why = "" };
	if (cert == NULL)
		return;
	verdict = listen_trust_judge(trust, ssl);
	peer->kind = verdicts[verdict].kind;
	peer->why = verdicts[verdict].why;
	peer->starts_ms = read_time_ms(X509_get0_notBefore(cert));
	peer->ends_ms = read_time_ms(X509_get0_notAfter(cert));
	take_serial(peer, cert);
	if (peer->kind != LISTEN_PEER_STRANGER &&
	    (peer->serial[0] == '\0' || !take_names(peer, cert))) {
		peer->kind = LISTEN_PEER_STRANGER;
		peer->why = "the certificate names no agent";
	}
}
