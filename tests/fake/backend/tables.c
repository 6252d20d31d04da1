#include "tests/fake/backend/tables.h"

#include "tests/fake/backend/web.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#define MISSING                                                                               \
	"Authorization header doesn't confirm to the required format. Please verify and try " \
	"again."
#define FIREWALL "This is blocked by your Cosmos DB account firewall settings."

const struct tables_manner tables_manners[] = {
	{ "good", 401, "Unauthorized", MISSING, NULL, TABLES_LENGTH },
	{ "chunked", 401, "Unauthorized", MISSING, NULL, TABLES_CHUNKED },
	{ "drip", 401, "Unauthorized", MISSING, NULL, TABLES_DRIP },
	{ "cut", 401, "Unauthorized", MISSING, NULL, TABLES_CUT },
	{ "silent", 401, "Unauthorized", MISSING, NULL, TABLES_SILENT },
	{ "bad-request", 400, "InvalidInput", "Request url is invalid.", NULL, TABLES_LENGTH },
	{ "firewall-public", 403, "Forbidden",
	    "Request originated from IP 203.0.113.9 through public internet. " FIREWALL, NULL,
	    TABLES_LENGTH },
	{ "firewall-service-endpoint", 403, "Forbidden",
	    "Request originated from VNET through service endpoint. " FIREWALL, NULL,
	    TABLES_LENGTH },
	{ "storage", 0, NULL, NULL,
	    "HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\n"
	    "Server: Windows-Azure-Table/1.0 Microsoft-HTTPAPI/2.0\r\nx-ms-request-id: "
	    "7d1f3a52-9a0e-4f9e-8f0a-0123456789ab\r\nConnection: close\r\n\r\n"
	    "<?xml version=\"1.0\" encoding=\"utf-8\"?><error><code>AuthenticationFailed</code>"
	    "</error>",
	    TABLES_LENGTH },
	{ "gateway", 0, NULL, NULL,
	    "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n"
	    "Connection: close\r\n\r\n{\"code\":\"Unauthorized\",\"message\":\"Required Header "
	    "authorization is missing. Ensure a valid Authorization token is passed.\"}",
	    TABLES_LENGTH },
	{ "redirect", 0, NULL, NULL,
	    "HTTP/1.1 302 Found\r\nLocation: https://portal.example/\r\nContent-Length: "
	    "0\r\n\r\n",
	    TABLES_LENGTH },
	{ "portal", 0, NULL, NULL,
	    "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Log in</html>",
	    TABLES_LENGTH },
	{ NULL, 0, NULL, NULL, NULL, TABLES_LENGTH },
};

const struct tables_manner *
tables_manner_find(const char *name)
{
	const struct tables_manner *manner = tables_manners;

	while (manner->name != NULL && strcmp(manner->name, name) != 0)
		manner++;
	return manner->name != NULL ? manner : NULL;
}

static bool
say_shaped(SSL *ssl, const struct tables_manner *manner, const char *head, const char *body)
{
	char   text[4096];
	size_t count = strlen(body);

	if (manner->shape == TABLES_CHUNKED)
		snprintf(text, sizeof(text),
		    "%sTransfer-Encoding: chunked\r\n\r\n5\r\n%.5s\r\n%zX\r\n%s\r\n0\r\n\r\n",
		    head, body, count - 5, body + 5);
	else
		snprintf(
		    text, sizeof(text), "%sContent-Length: %zu\r\n\r\n%s", head, count, body);
	switch (manner->shape) {
	case TABLES_LENGTH:
	case TABLES_CHUNKED: return web_say_text(ssl, text);
	case TABLES_DRIP: return web_drip(ssl, text, strlen(text));
	case TABLES_CUT: return web_say(ssl, text, strlen(text) - 10) && false;
	case TABLES_SILENT: break;
	}
	return false;
}

static bool
say_error(SSL *ssl, const struct tables_manner *manner, unsigned status, const char *code,
    const char *message)
{
	char guid[37], head[400], body[1000];

	web_guid(guid);
	snprintf(head, sizeof(head),
	    "HTTP/1.1 %u %s\r\nContent-Type: application/json;odata=fullmetadata\r\n"
	    "Server: Microsoft-HTTPAPI/2.0\r\nx-ms-request-id: %s\r\n",
	    status, code, guid);
	snprintf(body, sizeof(body),
	    "{\"odata.error\":{\"code\":\"%s\",\"message\":{\"lang\":\"en-us\",\"value\":\"%s"
	    "\\nActivityId: %s, documentdb-dotnet-sdk/2.14.0 Host/64-bit "
	    "MicrosoftWindowsNT/10.0.17763.0\\nRequestID:%s\\n\"}}}\r\n",
	    code, message, guid, guid);
	return say_shaped(ssl, manner, head, body);
}

/* Whoever brings an authorization, its signature is not the account's. */
static bool
answer_request(SSL *ssl, const struct tables_manner *manner, const char *request)
{
	char authorization[300];

	if (manner->answer != NULL)
		return web_say_text(ssl, manner->answer) && false;
	if (strncmp(request, "GET /Tables", 11) != 0 || strchr(" ?(", request[11]) == NULL)
		return say_error(ssl, manner, 400, "InvalidInput", "Request url is invalid.");
	web_header(request, "Authorization", authorization, sizeof(authorization));
	if (authorization[0] != '\0' && manner->status == 401)
		return say_error(ssl, manner, 403, "AuthenticationFailed",
		    "Server failed to authenticate the request. Make sure the value of the "
		    "Authorization header is formed correctly including the signature.");
	return say_error(ssl, manner, manner->status, manner->code, manner->message);
}

void
tables_serve(SSL *ssl, const struct tables_manner *manner)
{
	char request[WEB_REQUEST_MAX + 1], connection[20];

	while (web_hear(ssl, request)) {
		if (manner->shape == TABLES_SILENT)
			continue;
		if (!answer_request(ssl, manner, request) ||
		    strcmp(web_header(request, "Connection", connection, sizeof(connection)),
		        "close") == 0)
			break;
	}
	web_leave(ssl);
}
