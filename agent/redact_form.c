#include "agent/redact_form.h"

#include "analyze/region.h"
#include "analyze/support.h"
#include "base/addr.h"
#include "base/text.h"

#include <string.h>

enum { GUID_BYTES = 36, LABELS_MAX = 32 };

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool
is_of_token(char c)
{
	return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_';
}

bool
redact_form_is_word(const char *text, const char *at, size_t length)
{
	char before = at > text ? at[-1] : ' ', after = at[length];

	return !is_letter(before) && !is_digit(before) && !is_letter(after) && !is_digit(after);
}

size_t
redact_form_guid(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; i < GUID_BYTES; i++) {
		if (form[i] == 'x' ? !is_hex(text[i]) : text[i] != '-')
			return 0;
	}
	return GUID_BYTES;
}

/* Labels behind which there is nothing of a customer's. */
static const char *const makers[] = { "azure.com", "azure.us", "azure.cn", "windows.net",
	"chinacloudapi.cn", "usgovcloudapi.net", "cloudapi.de", "microsoft.com", "microsoft.us",
	"azure.net", "aka.ms", "digicert.com", "in-addr.arpa", "ip6.arpa", NULL };

/* Labels that are the service's own, in front of those. */
static const char *const service_labels[] = { "documents", "privatelink", "mongo", "cassandra",
	"gremlin", "table", "cosmos", "sqlx", "cloudapp", "core", "learn", "docs", "www",
	"trafficmanager", "portal", "management", NULL };

static bool
is_among(const char *const *words, const char *text, size_t length)
{
	for (; *words != NULL; words++) {
		if (strlen(*words) == length && text_starts_nocase(text, *words))
			return true;
	}
	return false;
}

static bool
is_region(const char *text, size_t length)
{
	char label[64];

	if (length >= sizeof(label))
		return false;
	memcpy(label, text, length);
	label[length] = '\0';
	return region_find(label) != NULL;
}

/* Length of what is in front of a maker's name; the whole when there is none. */
static size_t
find_maker(const char *host)
{
	size_t length = strlen(host);

	for (size_t i = 0; makers[i] != NULL; i++) {
		size_t tail = strlen(makers[i]);

		if (length == tail && text_equal_nocase(host, makers[i]))
			return 0;
		if (length > tail && host[length - tail - 1] == '.' &&
		    text_ends_nocase(host, makers[i]))
			return length - tail - 1;
	}
	return length;
}

size_t
redact_form_own(const char *host)
{
	size_t own = find_maker(host);

	if (host[own] == '\0')
		return own;
	while (own > 0) {
		size_t from = own;

		while (from > 0 && host[from - 1] != '.')
			from--;
		if (!is_among(service_labels, host + from, own - from) &&
		    !is_region(host + from, own - from))
			break;
		own = from > 0 ? from - 1 : 0;
	}
	return own;
}

/* Files of the system, and words with a dot that are no names of hosts. */
static bool
is_no_host(const char *token, size_t length, const char *last)
{
	static const char *const ends[] = { "conf", "json", "yaml", "yml", "pem", "key", "txt",
		"log", "service", NULL };

	return (length > 10 && text_starts_nocase(token, "Microsoft.")) ||
	    is_among(ends, last, length - (size_t)(last - token));
}

/* Two labels or more, the last of letters. */
static bool
is_host(const char *token, size_t length)
{
	const char *last = token + length;
	size_t      letters = 0;

	while (last > token && is_letter(last[-1])) {
		last--;
		letters++;
	}
	return letters >= 2 && last - token >= 2 && last[-1] == '.' && last[-2] != '.' &&
	    !is_no_host(token, length, last);
}

static bool
is_address(const char *token, size_t length)
{
	char        text[ADDR_TEXT];
	struct addr addr;

	if (length >= sizeof(text))
		return false;
	memcpy(text, token, length);
	text[length] = '\0';
	return addr_parse(&addr, text, 0, NULL) && addr.port == 0;
}

/* The longest IPv6 address that begins here; 0 when none does. */
static size_t
measure_ipv6(const char *at)
{
	size_t length = 0, colons = 0;

	while (is_hex(at[length]) || at[length] == ':' || at[length] == '.') {
		colons += at[length] == ':';
		length++;
	}
	if (colons < 2 || is_letter(at[length]))
		return 0;
	while (length > 1 && !is_address(at, length))
		length--;
	return memchr(at, ':', length) != NULL && is_address(at, length) ? length : 0;
}

enum redact_form
redact_form_next(const char *text, const char *at, size_t *length)
{
	size_t count = 0;

	*length = measure_ipv6(at);
	if (*length > 0)
		return REDACT_ADDRESS;
	while (is_of_token(at[count]))
		count++;
	*length = count > 0 ? count : 1;
	if (count == 0 || at[0] == '.') {
		*length = 1; /* "*.documents.azure.com": the name begins behind the dot */
		return REDACT_WORD;
	}
	while (count > 0 && strchr(".-_", at[count - 1]) != NULL)
		count--;
	if (count == 0)
		return REDACT_WORD;
	*length = redact_form_guid(at);
	if (*length > 0)
		return REDACT_GUID;
	*length = count;
	if (is_address(at, count))
		return REDACT_ADDRESS;
	return is_host(at, count) ? REDACT_HOST : REDACT_WORD;
}
