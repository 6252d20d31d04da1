#include "probe/gremlin/gremlin_spec.h"

#include <stdio.h>
#include <string.h>

/* Version 4, variant 1 [rfc9562 5.4]. */
static void
write_id(char id[GREMLIN_ID_ROOM], const uint8_t bytes[GREMLIN_ID_BYTES])
{
	uint8_t b[GREMLIN_ID_BYTES];
	char    hex[2 * GREMLIN_ID_BYTES + 1];

	memcpy(b, bytes, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	digest_hex(b, sizeof(b), hex);
	snprintf(id, GREMLIN_ID_ROOM, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
	    hex + 16, hex + 20);
}

bool
gremlin_spec_make(struct gremlin_spec *spec, const char *host,
    const uint8_t nonce[WEBSOCKET_NONCE_BYTES], const uint8_t id[GREMLIN_ID_BYTES],
    struct err *err)
{
	if (!head_host_check(host, err))
		return false;
	strcpy(spec->host, host);
	base64_encode(nonce, WEBSOCKET_NONCE_BYTES, spec->key);
	write_id(spec->id, id);
	return true;
}

/* Host is the name and nothing else: the front end routes by it. */
void
gremlin_upgrade_put(struct wbuf *out, const struct gremlin_spec *spec)
{
	wbuf_printf(out,
	    "GET /gremlin HTTP/1.1\r\n"
	    "Host: %s\r\n"
	    "Upgrade: websocket\r\n"
	    "Connection: Upgrade\r\n"
	    "Sec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: %s\r\n"
	    "User-Agent: plprobe\r\n\r\n",
	    spec->host, spec->key);
}

/* A type, told by its length, before the message itself [tinkerpop-drivers].  The traversal reads
 * nothing of the graph, and is not run before somebody has logged in. */
void
gremlin_request_put(struct wbuf *out, const struct gremlin_spec *spec)
{
	static const char type[] = "application/vnd.gremlin-v2.0+json";

	wbuf_u8(out, sizeof(type) - 1);
	wbuf_puts(out, type);
	wbuf_printf(out,
	    "{\"requestId\":{\"@type\":\"g:UUID\",\"@value\":\"%s\"},\"op\":\"eval\","
	    "\"processor\":\"\",\"args\":{\"gremlin\":\"g.inject(0)\","
	    "\"language\":\"gremlin-groovy\"}}",
	    spec->id);
}
