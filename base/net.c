#include "base/net.h"

#include <stdlib.h>
#include <string.h>

static bool
read_number(unsigned *number, const char *text, unsigned long most)
{
	char         *end;
	unsigned long value = strtoul(text, &end, 10);

	*number = (unsigned)value;
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && value <= most;
}

bool
net_parse(struct net *net, const char *text, struct err *err)
{
	char     host[ADDR_TEXT];
	size_t   length = strcspn(text, "/");
	unsigned most;

	if (length >= sizeof(host))
		return err_set(err, ERR_PARSE, "'%.40s...': too long for a network", text);
	memcpy(host, text, length);
	host[length] = '\0';
	if (!addr_parse(&net->addr, host, 0, err))
		return false;
	most = net->addr.family == 4 ? 32 : 128;
	net->bits = most;
	if (net->addr.port != 0 || net->addr.scope != 0 ||
	    (text[length] == '/' && !read_number(&net->bits, text + length + 1, most)))
		return err_set(
		    err, ERR_PARSE, "'%s': address/bits wanted, such as 10.20.0.0/16", text);
	for (unsigned bit = net->bits; bit < most; bit++) {
		if ((net->addr.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0)
			return err_set(err, ERR_PARSE, "'%s': has bits set behind the first %u",
			    text, net->bits);
	}
	return true;
}

bool
net_has(const struct net *net, const struct addr *addr)
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;
	uint8_t  mask = (uint8_t)(0xff00 >> rest);

	if (net->addr.family != addr->family ||
	    memcmp(net->addr.bytes, addr->bytes, whole) != 0)
		return false;
	return rest == 0 || (addr->bytes[whole] & mask) == net->addr.bytes[whole];
}
