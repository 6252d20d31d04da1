#include "collector/doorkeeper.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_ROOM = 256 };

enum refusal { BY_ADDRESS, BY_NAME, BY_SITE, REFUSALS };

struct doorkeeper {
	struct doorkeeper_options options;
	uint64_t                  refused[REFUSALS];
	uint64_t                  said[REFUSALS];    /* of these, by the log */
	int64_t                   said_us[REFUSALS]; /* when; 0: never */
};

static const int64_t silent_us = 10 * US_PER_S; /* between two lines of one reason */

/* A request that waits for its login. */
struct visit {
	struct doorkeeper *doorkeeper; /* borrowed */
	struct request    *request;    /* the server's; until it is answered */
};

/* The page has no script or style but its own files, and nobody may have it in a frame
 * [csp3 6]. */
#define POLICY_LOADS                                                                \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " \
	"connect-src 'self'; "
#define POLICY_REST                                                     \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " \
	"require-trusted-types-for 'script'"

static const struct {
	const char *name, *value;
} headers[] = {
	{ "Content-Security-Policy", POLICY_LOADS POLICY_REST },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Embedder-Policy", "require-corp" },
	{ "Permissions-Policy",
	    "camera=(), geolocation=(), microphone=(), payment=(), usb=()" },
	{ "Cache-Control", "no-store" },
};

struct doorkeeper *
doorkeeper_new(const struct doorkeeper_options *options)
{
	struct doorkeeper *doorkeeper = mem_alloc(sizeof(*doorkeeper));

	*doorkeeper = (struct doorkeeper){ .options = *options };
	return doorkeeper;
}

void
doorkeeper_free(struct doorkeeper *doorkeeper)
{
	free(doorkeeper);
}

static void
set_headers(const struct doorkeeper *doorkeeper, struct request *request)
{
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		request_set(request, headers[i].name, headers[i].value);
	/* A year; without the names below ours, which are somebody else's matter [rfc6797 6.1]. */
	if (doorkeeper->options.tls != NULL || doorkeeper->options.proxy_count > 0)
		request_set(request, "Strict-Transport-Security", "max-age=31536000");
}

static void
refuse(struct request *request, unsigned status, const char *text)
{
	char body[300];
	int  count = snprintf(body, sizeof(body), "{\"error\": \"%s\"}\n", text);

	request_answer(request, status, "application/json", body, (size_t)count);
}

static void
refuse_loudly(struct doorkeeper *doorkeeper, struct request *request, enum refusal why,
    unsigned status, const char *text)
{
	int64_t now_us = clock_mono_us(doorkeeper->options.clock);

	doorkeeper->refused[why]++;
	/* Not a line for each: whoever reaches the port could fill the log. */
	if (doorkeeper->said_us[why] == 0 || now_us - doorkeeper->said_us[why] >= silent_us) {
		log_warn("page", "%s: refused: %s; such requests since the last line: %llu",
		    request_peer(request), text,
		    (unsigned long long)(doorkeeper->refused[why] - doorkeeper->said[why]));
		doorkeeper->said[why] = doorkeeper->refused[why];
		doorkeeper->said_us[why] = now_us;
	}
	refuse(request, status, text);
}

static bool
is_proxy(const struct doorkeeper *doorkeeper, const struct addr *from)
{
	size_t at = 0;

	while (at < doorkeeper->options.proxy_count &&
	    !net_has(&doorkeeper->options.proxies[at], from))
		at++;
	return at < doorkeeper->options.proxy_count;
}

/* Host without its port, and without the dot that ends a whole name [rfc9110 7.2]. */
static bool
read_host(char *host, const char *text)
{
	const char *end = strrchr(text, ':');
	size_t      count = end != NULL && strchr(end, ']') == NULL ? (size_t)(end - text)
	                                                            : strlen(text);

	if (end != NULL && strspn(end + 1, "0123456789") != strlen(end + 1) &&
	    strchr(end, ']') == NULL)
		return false;
	if (count == 0 || count >= HOST_ROOM)
		return false;
	memcpy(host, text, count);
	host[count] = '\0';
	if (count > 1 && host[count - 1] == '.')
		host[count - 1] = '\0';
	return true;
}

static bool
is_listed(const struct conf_texts *names, const char *host)
{
	struct addr addr, listed;
	bool        literal = addr_parse(&addr, host, 0, NULL);

	for (size_t i = 0; i < names->count; i++) {
		if (text_equal_nocase(names->texts[i], host) ||
		    (literal && addr_parse(&listed, names->texts[i], 0, NULL) &&
		        addr_equal(&listed, &addr)))
			return true;
	}
	return false;
}

static bool
is_any(const struct addr *at)
{
	static const uint8_t zero[16];

	return memcmp(at->bytes, zero, sizeof(zero)) == 0;
}

/* Nobody's name can be made to mean a literal address: what a browser asks an address for it has
 * got by that address.  So where we listen on all of them, each may be ours. */
static bool
is_our_address(const struct doorkeeper *doorkeeper, const struct addr *host)
{
	const struct addr *at = &doorkeeper->options.at;

	if (addr_class(host) == ADDR_LOOPBACK)
		return true;
	return addr_class(at) != ADDR_LOOPBACK && (is_any(at) || addr_equal(at, host));
}

static bool
is_ours(const struct doorkeeper *doorkeeper, const char *text)
{
	const struct listen_tls *tls = doorkeeper->options.tls;
	struct addr              addr;
	char                     host[HOST_ROOM];

	if (text == NULL || !read_host(host, text))
		return false;
	if (is_listed(&doorkeeper->options.names, host))
		return true;
	if (addr_parse(&addr, host, 0, NULL))
		return is_our_address(doorkeeper, &addr) ||
		    (tls != NULL &&
		        listen_tls_is_for(tls, addr_render(&addr, host, sizeof(host))));
	return text_equal_nocase(host, "localhost") ||
	    (tls != NULL && listen_tls_is_for(tls, host));
}

/* A link from elsewhere is welcome; a script, picture or form of elsewhere is not.  Browsers of
 * these days say which it is [fetch-metadata 2.4]. */
static bool
is_of_another_site(const struct request *request)
{
	const char *site = request_header(request, "Sec-Fetch-Site");
	const char *mode = request_header(request, "Sec-Fetch-Mode");

	if (site == NULL || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0)
		return false;
	return mode == NULL || strcmp(mode, "navigate") != 0 ||
	    request_method(request) != REQUEST_GET;
}

/* Whoever is at the other end: behind a proxy, who the proxy says it is.  It adds to what there was,
 * so the last one is its own word. */
static struct addr
find_visitor(const struct doorkeeper *doorkeeper, const struct request *request)
{
	struct addr from = *request_from(request), said;
	const char *text = request_header(request, "X-Forwarded-For"), *last;

	if (doorkeeper->options.proxy_count == 0 || text == NULL ||
	    request_headers(request, "X-Forwarded-For") != 1)
		return from;
	last = strrchr(text, ',');
	last = last != NULL ? last + 1 : text;
	return addr_parse(&said, last + strspn(last, " \t"), 0, NULL) ? said : from;
}

static void
ask_to_wait(struct request *request, unsigned wait_s, unsigned status, const char *text)
{
	char seconds[16];

	snprintf(seconds, sizeof(seconds), "%u", wait_s);
	request_set(request, "Retry-After", seconds);
	refuse(request, status, text);
}

static void
on_login(void *arg, const struct login_answer *answer)
{
	struct visit       visit = *(struct visit *)arg;
	struct doorkeeper *doorkeeper = visit.doorkeeper;

	free(arg);
	switch (answer->outcome) {
	case LOGIN_WELL:
		request_prove(visit.request);
		doorkeeper->options.on_pass(doorkeeper->options.arg, visit.request);
		break;
	case LOGIN_NOBODY:
	case LOGIN_WRONG:
		/* One challenge: a browser asks its user by the first that it knows [rfc7617 2.1]. */
		request_set(visit.request, "WWW-Authenticate",
		    "Basic realm=\"plprobe\", charset=\"UTF-8\"");
		refuse(
		    visit.request, 401, "log in: user and password, or the token of a reader");
		break;
	case LOGIN_LATER:
		ask_to_wait(visit.request, answer->wait_s, 429,
		    "wrong too often; nothing was tried, come again later");
		break;
	case LOGIN_BUSY:
	case LOGIN_OUTCOMES:
		ask_to_wait(visit.request, answer->wait_s, 503, "busy with other logins");
		break;
	}
}

static void
ask_for_login(struct doorkeeper *doorkeeper, struct request *request)
{
	struct addr   from = find_visitor(doorkeeper, request);
	struct visit *visit;

	if (doorkeeper->options.login == NULL) {
		doorkeeper->options.on_pass(doorkeeper->options.arg, request);
		return;
	}
	visit = mem_alloc(sizeof(*visit));
	*visit = (struct visit){ doorkeeper, request };
	login_ask(doorkeeper->options.login, &from, request_header(request, "Authorization"),
	    on_login, visit);
}

void
doorkeeper_on_request(void *arg, struct request *request)
{
	struct doorkeeper *doorkeeper = arg;

	set_headers(doorkeeper, request);
	/* Says "ok" and nothing else, to whatever asks whether we live. */
	if (strcmp(request_path(request), "/healthz") == 0)
		doorkeeper->options.on_pass(doorkeeper->options.arg, request);
	else if (doorkeeper->options.proxy_count > 0 &&
	    !is_proxy(doorkeeper, request_from(request)))
		refuse_loudly(doorkeeper, request, BY_ADDRESS, 403,
		    "only the proxies of page_proxies may ask here");
	else if (!is_ours(doorkeeper, request_header(request, "Host")))
		refuse_loudly(doorkeeper, request, BY_NAME, 421,
		    "that is no name of this page: ask for its address or localhost, or list "
		    "the name in page_names");
	else if (is_of_another_site(request))
		refuse_loudly(
		    doorkeeper, request, BY_SITE, 403, "nothing here is for pages of others");
	else
		ask_for_login(doorkeeper, request);
}

void
doorkeeper_write_metrics(const struct doorkeeper *doorkeeper, struct wbuf *out)
{
	static const char *const names[REFUSALS] = {
		[BY_ADDRESS] = "no_proxy", [BY_NAME] = "name", [BY_SITE] = "another_site"
	};

	metric_family(out, "plprobe_page_refused_total", METRIC_COUNTER,
	    "Requests that the page's listener refused, whoever they were from.");
	for (int i = 0; i < REFUSALS; i++) {
		const char *const labels[] = { "reason", names[i], NULL };

		metric_sample(
		    out, "plprobe_page_refused_total", labels, (double)doorkeeper->refused[i]);
	}
	if (doorkeeper->options.login != NULL)
		login_write_metrics(doorkeeper->options.login, out);
}

bool
doorkeeper_is_name(const char *text)
{
	struct addr addr;
	size_t      count = strspn(
	         text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

	return (count > 0 && count < HOST_ROOM && text[count] == '\0') ||
	    (addr_parse(&addr, text, 0, NULL) && addr.port == 0);
}
