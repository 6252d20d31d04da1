/* support_dns: real name servers for tests: NSD with zones from text, Unbound in front of it.
 *
 * Each listens on 127.0.0.1 and ::1 at a free port, keeps its files in a folder of its own under
 * the temporary directory, and dies with the test.  Nothing here returns an error: a helper that
 * cannot help ends the program with a line on stderr.
 */
#ifndef TESTS_SUPPORT_DNS_H
#define TESTS_SUPPORT_DNS_H

#include <stddef.h>
#include <stdint.h>

struct support_dns;

struct support_dns_zone {
	const char *name;
	const char *text; /* zone file; NULL: the zone is configured, but there is no file */
};

struct support_dns *support_dns_nsd(const struct support_dns_zone *zones, size_t count);
/* The same at a port that the test has for itself, as in a network of its own. */
struct support_dns *support_dns_nsd_at(
    uint16_t port, const struct support_dns_zone *zones, size_t count);
/* options: lines of unbound.conf that come after the server: clause's own. */
struct support_dns *support_dns_unbound(const char *options);
void                support_dns_free(struct support_dns *server); /* NULL is fine */

uint16_t support_dns_port(const struct support_dns *server);
/* Stops it and lets it go on, all its processes. */
void support_dns_pause(const struct support_dns *server);
void support_dns_resume(const struct support_dns *server);

/* A port that was free a moment ago, for UDP and TCP. */
uint16_t support_dns_free_port(void);

#endif
