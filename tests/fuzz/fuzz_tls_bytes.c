/* Any bytes as all that a TLS server says: the handshake ends, with an outcome, and the facts of
 * a certificate are sane.  The record layer of TLS 1.2 shows the certificate in the clear, so the
 * seeds reach it. */
#include "probe/conn_tls.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { COUNT_MAX = 80 * 1024, STEPS_MAX = 1000 };

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
check_text(const char *text, size_t limit)
{
	check(strlen(text) <= limit);
	for (; *text != '\0'; text++)
		check((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void
check_facts(const struct conn_tls *tls)
{
	struct conn_tls_facts facts;

	conn_tls_facts(tls, &facts);
	check_text(facts.subject, 255);
	check_text(facts.issuer, 255);
	check_text(facts.sans, 1024);
	check_text(conn_tls_detail(tls), 500);
	/* Nobody signs for whom we never met: no verification without a certificate. */
	check((facts.verify_text[0] != '\0') == (facts.chain_length > 0));
	check(facts.chain_length > 0 || facts.verify_code == 0);
	check(facts.version[0] == '\0');
}

static void
check_end(const struct conn_tls *tls)
{
	switch (conn_tls_outcome(tls)) {
	case OUTCOME_TLS_FAILED:
	case OUTCOME_NOT_TLS:
	case OUTCOME_CLOSED:
	case OUTCOME_RESET: check(conn_tls_detail(tls)[0] != '\0'); return;
	default: check(false);
	}
}

static struct tls_roots *
share_roots(void)
{
	static struct tls_roots *roots;

	if (roots == NULL) {
		setenv("SSL_CERT_FILE", "/nonexistent", 1);
		setenv("SSL_CERT_DIR", "/nonexistent", 1);
		roots = tls_roots_new(NULL, NULL);
	}
	check(roots != NULL);
	return roots;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct arena    *arena;
	struct conn_tls *tls;
	int              ends[2];
	enum conn_io     io = CONN_IO_WANT_READ;

	if (count > COUNT_MAX)
		return 0;
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
	if (count > 0)
		check(send(ends[1], bytes, count, MSG_NOSIGNAL) == (ssize_t)count);
	shutdown(ends[1], SHUT_WR);
	arena = arena_new();
	tls = conn_tls_new(
	    share_roots(), ends[0], "contoso.documents.azure.com", 1700000000000, arena);
	for (int i = 0; i < STEPS_MAX && io == CONN_IO_WANT_READ; i++)
		io = conn_tls_shake(tls);
	/* Nothing that is fixed beforehand can complete a handshake, or keep it waiting. */
	check(io == CONN_IO_OVER);
	check_end(tls);
	check_facts(tls);
	conn_tls_free(tls);
	arena_free(arena);
	close(ends[0]);
	close(ends[1]);
	return 0;
}
