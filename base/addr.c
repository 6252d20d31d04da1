#include "base/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct addr
addr_from_bytes(const void *bytes, size_t count, uint16_t port)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct addr          addr = { .port = port };

	if (count == 16 && memcmp(bytes, mapped, sizeof(mapped)) == 0)
		return addr_from_bytes((const uint8_t *)bytes + 12, 4, port);
	if (count != 4 && count != 16)
		return addr;
	addr.family = count == 4 ? 4 : 6;
	memcpy(addr.bytes, bytes, count);
	return addr;
}

/* Digits and nothing else, at most `most`. */
static bool
read_number(const char *text, uint32_t most, uint32_t *number)
{
	uint64_t wide = 0;

	if (*text == '\0')
		return false;
	for (; *text >= '0' && *text <= '9' && wide <= most; text++)
		wide = wide * 10 + (uint64_t)(*text - '0');
	*number = (uint32_t)wide;
	return *text == '\0' && wide <= most;
}

/* Takes the port off the end of text, where there is one. */
static bool
split_port(char *text, uint32_t least, char **host, uint16_t *port, struct err *err)
{
	char    *colon = strrchr(text, ':');
	char    *close = strchr(text, ']');
	uint32_t number;

	*host = text;
	if (text[0] == '[') {
		if (close == NULL || (close[1] != '\0' && close[1] != ':'))
			return err_set(err, ERR_PARSE,
			    "'%s': '[address]' or '[address]:port' wanted", text);
		*host = text + 1;
		*close = '\0';
		colon = close[1] == ':' ? close + 1 : NULL;
	} else if (colon != NULL && strchr(text, ':') != colon) {
		colon = NULL; /* a bare IPv6 address */
	}
	if (colon == NULL)
		return true;
	if (!read_number(colon + 1, UINT16_MAX, &number) || number < least)
		return err_set(err, ERR_PARSE, "port '%s': a number from %u to 65535 wanted",
		    colon + 1, least);
	*port = (uint16_t)number;
	*colon = '\0';
	return true;
}

/* The interface behind '%', by name or number. */
static bool
read_zone(const char *zone, uint32_t *scope)
{
	*scope = if_nametoindex(zone);
	return *scope != 0 || (read_number(zone, UINT32_MAX, scope) && *scope != 0);
}

static bool
parse(struct addr *addr, const char *text, uint32_t least, uint16_t port, struct err *err)
{
	char     copy[ADDR_TEXT];
	char    *host, *zone;
	uint8_t  bytes[16];
	uint32_t scope = 0;

	if (strlen(text) >= sizeof(copy))
		return err_set(err, ERR_PARSE, "'%.40s...': too long for an IP address", text);
	strcpy(copy, text);
	if (!split_port(copy, least, &host, &port, err))
		return false;
	zone = strchr(host, '%');
	if (zone != NULL) {
		*zone++ = '\0';
		if (!read_zone(zone, &scope))
			return err_set(err, ERR_PARSE, "'%s': no interface '%s'", text, zone);
	}
	if (inet_pton(AF_INET, host, bytes) == 1)
		*addr = addr_from_bytes(bytes, 4, port);
	else if (inet_pton(AF_INET6, host, bytes) == 1)
		*addr = addr_from_bytes(bytes, 16, port);
	else
		return err_set(err, ERR_PARSE, "'%s' is not an IPv4 or IPv6 address", text);
	if (scope != 0 && addr->family == 4)
		return err_set(err, ERR_PARSE, "'%s': an IPv4 address has no interface", text);
	addr->scope = scope;
	return true;
}

bool
addr_parse(struct addr *addr, const char *text, uint16_t preset_port, struct err *err)
{
	return parse(addr, text, 1, preset_port, err);
}

bool
addr_parse_listen(struct addr *addr, const char *text, uint16_t preset_port, struct err *err)
{
	return parse(addr, text, 0, preset_port, err);
}

char *
addr_render(const struct addr *addr, char *text, size_t room)
{
	char host[INET6_ADDRSTRLEN] = "-";

	if (addr->family != 0)
		inet_ntop(
		    addr->family == 4 ? AF_INET : AF_INET6, addr->bytes, host, sizeof(host));
	if (addr->scope != 0)
		snprintf(text, room, "%s%%%u", host, addr->scope);
	else
		snprintf(text, room, "%s", host);
	return text;
}

char *
addr_render_port(const struct addr *addr, char *text, size_t room)
{
	char host[ADDR_TEXT];

	addr_render(addr, host, sizeof(host));
	snprintf(text, room, addr->family == 6 ? "[%s]:%u" : "%s:%u", host, addr->port);
	return text;
}

struct addr
addr_from_sockaddr(const struct sockaddr *from)
{
	struct sockaddr_in  four;
	struct sockaddr_in6 six;
	struct addr         addr = { 0 };

	if (from->sa_family == AF_INET) {
		memcpy(&four, from, sizeof(four));
		addr = addr_from_bytes(&four.sin_addr, 4, ntohs(four.sin_port));
	} else if (from->sa_family == AF_INET6) {
		memcpy(&six, from, sizeof(six));
		addr = addr_from_bytes(&six.sin6_addr, 16, ntohs(six.sin6_port));
		addr.scope = six.sin6_scope_id;
	}
	return addr;
}

unsigned
addr_to_sockaddr(const struct addr *addr, struct sockaddr_storage *to)
{
	struct sockaddr_in  four = { .sin_family = AF_INET, .sin_port = htons(addr->port) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
		.sin6_port = htons(addr->port),
		.sin6_scope_id = addr->scope };

	memset(to, 0, sizeof(*to));
	if (addr->family == 4) {
		memcpy(&four.sin_addr, addr->bytes, 4);
		memcpy(to, &four, sizeof(four));
		return sizeof(four);
	}
	memcpy(&six.sin6_addr, addr->bytes, 16);
	memcpy(to, &six, sizeof(six));
	return sizeof(six);
}

int
addr_compare(const struct addr *left, const struct addr *right)
{
	if (left->family != right->family)
		return left->family < right->family ? -1 : 1;
	return memcmp(left->bytes, right->bytes, sizeof(left->bytes));
}

bool
addr_equal(const struct addr *left, const struct addr *right)
{
	return addr_compare(left, right) == 0;
}

struct range {
	uint8_t family, prefix[4], bits;
	enum addr_class class;
};

/* The first row that matches wins [rfc6890 2.2]. */
static const struct range ranges[] = {
	{ 4, { 10 }, 8, ADDR_PRIVATE },
	{ 4, { 172, 16 }, 12, ADDR_PRIVATE },
	{ 4, { 192, 168 }, 16, ADDR_PRIVATE },
	{ 4, { 100, 64 }, 10, ADDR_SHARED },
	{ 4, { 127 }, 8, ADDR_LOOPBACK },
	{ 4, { 169, 254 }, 16, ADDR_LINK_LOCAL },
	{ 4, { 224 }, 4, ADDR_MULTICAST },
	{ 4, { 0 }, 8, ADDR_RESERVED },
	{ 4, { 192, 0, 2 }, 24, ADDR_RESERVED },
	{ 4, { 198, 18 }, 15, ADDR_RESERVED },
	{ 4, { 198, 51, 100 }, 24, ADDR_RESERVED },
	{ 4, { 203, 0, 113 }, 24, ADDR_RESERVED },
	{ 4, { 240 }, 4, ADDR_RESERVED },
	{ 6, { 0xfc }, 7, ADDR_PRIVATE },
	{ 6, { 0xfe, 0x80 }, 10, ADDR_LINK_LOCAL },
	{ 6, { 0xff }, 8, ADDR_MULTICAST },
	{ 6, { 0x20, 0x01, 0x0d, 0xb8 }, 32, ADDR_RESERVED },
};

static bool
is_in(const struct addr *addr, const struct range *range)
{
	unsigned whole = range->bits / 8, rest = range->bits % 8;
	uint8_t  mask = (uint8_t)(0xff << (8 - rest));

	if (addr->family != range->family || memcmp(addr->bytes, range->prefix, whole) != 0)
		return false;
	return rest == 0 || ((addr->bytes[whole] ^ range->prefix[whole]) & mask) == 0;
}

enum addr_class
addr_class(const struct addr *addr)
{
	static const uint8_t none[15];

	if (addr->family == 0)
		return ADDR_RESERVED;
	if (addr->family == 6 && memcmp(addr->bytes, none, sizeof(none)) == 0)
		return addr->bytes[15] == 1 ? ADDR_LOOPBACK : ADDR_RESERVED;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (is_in(addr, &ranges[i]))
			return ranges[i].class;
	}
	return ADDR_PUBLIC;
}

const char *addr_class_name(enum addr_class class)
{
	switch (class) {
	case ADDR_PUBLIC: return "public";
	case ADDR_PRIVATE: return "private";
	case ADDR_SHARED: return "shared";
	case ADDR_LOOPBACK: return "loopback";
	case ADDR_LINK_LOCAL: return "link-local";
	case ADDR_MULTICAST: return "multicast";
	case ADDR_RESERVED: return "reserved";
	}
	return "?";
}

struct addr
addr_unwrap(const struct addr *addr)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b }, six[2] = { 0x20, 0x02 };
	static const uint8_t compatible[12];
	const uint8_t       *bytes = addr->bytes;

	if (addr->family != 6)
		return *addr;
	if (memcmp(bytes, nat64, sizeof(nat64)) == 0 ||
	    (memcmp(bytes, compatible, sizeof(compatible)) == 0 && bytes[12] != 0))
		return addr_from_bytes(bytes + 12, 4, addr->port);
	if (memcmp(bytes, six, sizeof(six)) == 0)
		return addr_from_bytes(bytes + 2, 4, addr->port);
	return *addr;
}

bool
addr_is_public(const struct addr *addr)
{
	struct addr end = addr_unwrap(addr);

	return addr_class(addr) == ADDR_PUBLIC && addr_class(&end) == ADDR_PUBLIC;
}

struct addr
addr_machine(const struct addr *addr)
{
	struct addr machine = { .family = addr->family };

	memcpy(machine.bytes, addr->bytes, 8);
	return machine;
}
