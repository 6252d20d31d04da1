/* addr: an IP address with a port, of either family, as one value.
 *
 * The only place where IPv4 and IPv6 differ.  An IPv4-mapped IPv6 address is IPv4 here.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct sockaddr;
struct sockaddr_storage;

struct addr {
	uint8_t  family;    /* 4, 6, or 0 for "no address" */
	uint8_t  bytes[16]; /* network order; the first 4 for IPv4, the rest zero */
	uint16_t port;      /* host order */
	uint32_t scope;     /* interface index of a link-local IPv6 address, else 0 */
};

/* What the special-purpose registries say of an address [rfc6890]. */
enum addr_class {
	ADDR_PUBLIC,
	ADDR_PRIVATE, /* 10/8, 172.16/12, 192.168/16 [rfc1918]; fc00::/7 [rfc4193] */
	ADDR_SHARED,  /* 100.64/10 [rfc6598] */
	ADDR_LOOPBACK,
	ADDR_LINK_LOCAL, /* 169.254/16 (IMDS lives there), fe80::/10 */
	ADDR_MULTICAST,
	ADDR_RESERVED /* 0/8, 240/4, documentation and benchmark ranges, :: */
};

enum { ADDR_TEXT = 80 };

/* "10.0.0.1", "fe80::1%2"; with a port "10.0.0.1:53", "[::1]:53".  preset_port is used when the
 * text names none. */
bool addr_parse(
    struct addr *addr, const char *text, uint16_t preset_port, struct err *err) MUST_CHECK;

/* The same for an address to listen at, where port 0 means a free one. */
bool addr_parse_listen(
    struct addr *addr, const char *text, uint16_t preset_port, struct err *err) MUST_CHECK;

/* Address without port, and with.  text holds at least ADDR_TEXT bytes.  Return text. */
char *addr_render(const struct addr *addr, char *text, size_t room);
char *addr_render_port(const struct addr *addr, char *text, size_t room);

struct addr addr_from_bytes(const void *bytes, size_t count, uint16_t port); /* count 4 or 16 */
struct addr addr_from_sockaddr(const struct sockaddr *from);
/* Returns the length for connect() and bind(). */
unsigned addr_to_sockaddr(const struct addr *addr, struct sockaddr_storage *to);

/* Address only, ports do not count: <0, 0, >0. */
int  addr_compare(const struct addr *left, const struct addr *right);
bool addr_equal(const struct addr *left, const struct addr *right);

/* What counts as one machine's, without its port: an IPv4 address, and the /64 of an IPv6 one. */
struct addr addr_machine(const struct addr *addr);

enum addr_class addr_class(const struct addr *addr);
const char     *addr_class_name(enum addr_class class);

/* The IPv4 address to which a translator or tunnel would bring what goes to addr: of NAT64
 * [rfc6052 2.1], of 6to4 [rfc3056 2], or a "compatible" one [rfc4291 2.5.5.1]; else addr itself. */
struct addr addr_unwrap(const struct addr *addr);
/* Of the public internet, by itself and by what it leads to; not the ranges for documents. */
bool addr_is_public(const struct addr *addr);

#endif
