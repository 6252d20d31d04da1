#include "probe/rntbd/rntbd_spec.h"

#include <string.h>

enum { HOST_MAX = 253 };

/* A date of the service's interface, not a version of the client: what the SDKs of today send. */
static const char client_version[] = "2020-07-15";
static const char user_agent[] = "plprobe/" PLPROBE_VERSION;

/* Colons are an IPv6 address's; whether it is one, the verification of the certificate asks. */
static bool
is_host_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '.' || c == '_' || c == ':';
}

static bool
check_host(const char *host, struct err *err)
{
	size_t length = host != NULL ? strlen(host) : 0;

	if (length == 0)
		return err_set(err, ERR_PARSE, "no host of a replica to ask");
	if (length > HOST_MAX)
		return err_set(err, ERR_LIMIT, "host of %zu characters, at most %d wanted",
		    length, HOST_MAX);
	for (size_t i = 0; i < length; i++) {
		if (!is_host_character(host[i]))
			return err_set(err, ERR_PARSE,
			    "character %zu of the host is none of a-z 0-9 - . _ :", i + 1);
	}
	return true;
}

bool
rntbd_spec_make(struct rntbd_spec *spec, const char *host, const struct addr *peer,
    const uint8_t *random, struct err *err)
{
	uint8_t *id = spec->request.activity_id;

	if (!check_host(host, err))
		return false;
	if (peer->family == 0 || peer->port == 0)
		return err_set(err, ERR_PARSE, "no address and port to connect to");
	spec->request.client_version = client_version;
	spec->request.user_agent = user_agent;
	memcpy(id, random, RNTBD_ID_BYTES);
	/* The third group is little-endian: its first digit, the version, stands in byte 7. */
	id[7] = (uint8_t)(0x40 | (id[7] & 0x0f));
	id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
	return true;
}
