#include "analyze/tree.h"

#include "tests/support/support_records.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const char host[] = "contoso-westeurope.documents.azure.com";

static struct target target = {
	.account = "contoso", .region = "westeurope", .host = host, .port = 443
};
static struct hop hops[] = {
	{ host, "contoso-westeurope.privatelink.documents.azure.com", 60 },
	{ "contoso-westeurope.privatelink.documents.azure.com",
	    "cdb-ms-prod-westeurope1.cloudapp.azure.com", 300 },
};

static struct place_address addresses[] = {
	{ "10.1.0.5", "private by its range (a hint)", false, false },
	{ "20.61.0.1", "public by its range (a hint)", false, false },
	{ "10.1.0.6", "of the private endpoint pe-1", true, true },
	{ "10.1.0.7", "of the private endpoint pe-2", true, false },
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The tree of one place in the buffer. */
static void
draw(struct wbuf *out, const struct place *place, const struct verdict *verdict,
    struct tree_look look)
{
	wbuf_clear(out);
	tree_print(place, verdict, &look, out);
}

static void
assert_says(struct wbuf *out, const char *part)
{
	if (strstr(wbuf_text(out), part) == NULL)
		fail_msg("no '%s' in:\n%s", part, wbuf_text(out));
}

static void
assert_says_not(struct wbuf *out, const char *part)
{
	if (strstr(wbuf_text(out), part) != NULL)
		fail_msg("'%s' in:\n%s", part, wbuf_text(out));
}

/* One resolver, one answer, and what its fields have to do with the text. */
static void
draw_answer(struct wbuf *out, const struct dns *dns)
{
	struct dns         copy = *dns;
	struct measurement seen = { .target = &target, .dns = &copy, .dns_count = 1 };
	struct place       place = { .target = &target,
		      .seen = &seen,
		      .state = STATE_UNKNOWN,
		      .worst = FINDING_COUNT,
		      .words = "words",
		      .addresses = addresses,
		      .address_count = COUNT_OF(addresses) };

	draw(out, &place, &(struct verdict){ 0 }, (struct tree_look){ .width = 200 });
}

static void
test_whole(void **state)
{
	static struct rdata inside[] = { { "10.1.0.5", 10 } };
	static struct rdata outside[] = { { "20.61.0.1", 30 }, { "10.1.0.5", 30 } };
	static struct dns   dns[] = {
		  { .resolver = "10.0.0.4",
		      .source = SOURCE_RESOLV_CONF,
		      .outcome = OUTCOME_OK,
		      .took_us = 1200,
		      .transport = TRANSPORT_UDP,
		      .flags = 0x8180,
		      .hops = hops,
		      .hops_count = 1,
		      .addresses = inside,
		      .addresses_count = 1 },
		  { .resolver = "168.63.129.16",
		      .source = SOURCE_AZURE,
		      .outcome = OUTCOME_OK,
		      .took_us = 400,
		      .tries = 2,
		      .truncated = true,
		      .transport = TRANSPORT_TCP,
		      .flags = 0x85a0,
		      .hops = hops,
		      .hops_count = 2,
		      .addresses = outside,
		      .addresses_count = 2 },
	};
	static struct endpoint ends[] = {
		{ .address = "10.1.0.5",
		    .port = 443,
		    .local = "10.0.0.9",
		    .tcp = OUTCOME_OK,
		    .tcp_us = 900,
		    .tls = OUTCOME_OK,
		    .tls_us = 3100,
		    .tls_version = "TLSv1.3",
		    .subject = "CN=*.documents.azure.com",
		    .issuer = "CN=Issuer",
		    .not_after_ms = 1900000000000,
		    .http = OUTCOME_OK,
		    .http_status = 401,
		    .http_wait_us = 1300 },
		{ .address = "20.61.0.1",
		    .port = 443,
		    .tcp = OUTCOME_TIMEOUT,
		    .detail = "no answer to our SYN within 5000 ms" },
	};
	static struct measurement seen = { .target = &target,
		.dns = dns,
		.dns_count = 2,
		.endpoints = ends,
		.endpoints_count = 2 };
	static const char        *at[] = { host };
	static struct finding     finding = { .code = FINDING_PUBLIC_ANSWER,
		    .apis = 1u << API_SQL,
		    .severity = STATE_CRITICAL,
		    .hosts = at,
		    .host_count = 1 };
	struct place              place = { .target = &target,
		             .seen = &seen,
		             .state = STATE_CRITICAL,
		             .worst = FINDING_PUBLIC_ANSWER,
		             .words = "public address",
		             .addresses = addresses,
		             .address_count = COUNT_OF(addresses) };
	struct verdict            verdict = { .findings = &finding, .finding_count = 1 };
	struct wbuf               out;

	wbuf_init(&out);
	draw(&out, &place, &verdict, (struct tree_look){ .width = 200 });
	assert_string_equal(wbuf_text(&out),
	    "contoso-westeurope.documents.azure.com (West Europe)\n"
	    "|- 10.0.0.4, of resolv.conf: ok in 1.2 ms over UDP, RD RA\n"
	    "|  `- alias of contoso-westeurope.privatelink.documents.azure.com, TTL 60 s\n"
	    "|     `- 10.1.0.5, private by its range (a hint), TTL 10 s\n"
	    "|        |- tcp: ok in 0.9 ms, from 10.0.0.9\n"
	    "|        |- tls: ok in 3.1 ms, TLSv1.3, CN=*.documents.azure.com by CN=Issuer, to "
	    "2030-03-17\n"
	    "|        `- gateway: ok in 1.3 ms, HTTP 401\n"
	    "|- 168.63.129.16, Azure's own: ok in 0.4 ms over TCP, truncated over UDP, 2 "
	    "tries, "
	    "AA RD RA AD\n"
	    "|  `- alias of contoso-westeurope.privatelink.documents.azure.com, TTL 60 s\n"
	    "|     `- alias of cdb-ms-prod-westeurope1.cloudapp.azure.com, TTL 300 s\n"
	    "|        |- 20.61.0.1, public by its range (a hint), TTL 30 s\n"
	    "|        |  `- tcp: timeout, no answer to our SYN within 5000 ms\n"
	    "|        `- 10.1.0.5, private by its range (a hint), TTL 30 s\n"
	    "|           `- tried: see above\n"
	    "`- verdict: critical, public address (PLP-102-PUBLIC-ANSWER)\n");
	draw(&out, &place, &verdict, (struct tree_look){ .width = 200, .utf8 = true });
	assert_says(&out, "\n│        ├─ 20.61.0.1, public");
	assert_says(&out, "\n└─ verdict: critical");
	draw(&out, &place, &verdict, (struct tree_look){ .width = 200, .colour = true });
	assert_says(&out, ": \033[32mok\033[0m in 1.2 ms");
	assert_says(&out, "tcp: \033[31mtimeout\033[0m, no");
	assert_says(&out, "|- \033[31m20.61.0.1\033[0m, public"); /* behind the alias */
	assert_says(&out, "verdict: \033[31mcritical\033[0m,");
	wbuf_fini(&out);
}

static const struct answer_case {
	const char *name;
	struct dns  dns;
	const char *says, *says_not;
} answer_cases[] = {
	{ "does not exist",
	    { .outcome = OUTCOME_NXDOMAIN,
	        .soa = "documents.azure.com",
	        .negative_ttl_s = 300 },
	    "`- does not exist, says the zone documents.azure.com; may be kept for 300 s\n",
	    "exists" },
	{ "no address", { .outcome = OUTCOME_NODATA }, "`- exists, but has no address\n",
	    "may be kept" },
	{ "dead end behind the alias",
	    { .outcome = OUTCOME_NXDOMAIN, .hops = hops, .hops_count = 1 },
	    "|  `- alias of contoso-westeurope.privatelink.documents.azure.com, TTL 60 s\n"
	    "|     `- does not exist\n",
	    "kept" },
	{ "silent",
	    { .resolver = "10.0.0.4",
	        .outcome = OUTCOME_TIMEOUT,
	        .tries = 3,
	        .detail = "no answer within 5000 ms, asked 3 times" },
	    "10.0.0.4, of resolv.conf: timeout, no answer within 5000 ms, asked 3 times\n",
	    "3 tries" },
	{ "other code", { .outcome = OUTCOME_DNS_OTHER, .rcode = 9 }, "dns-other, rcode 9\n",
	    "exist" },
	{ "extended error",
	    { .outcome = OUTCOME_SERVFAIL,
	        .ede = (struct ede[]){ { 18, "go away" }, { 22, "" }, { 4000, "" } },
	        .ede_count = 3 },
	    "|  |- extended error 18 prohibited: \"go away\"\n"
	    "|  |- extended error 22 no reachable authority\n"
	    "|  `- extended error 4000\n",
	    "\"\"" },
	{ "own name", { .nsid = "ns7.hub" }, "the server calls itself ns7.hub\n", "EDNS" },
	{ "oddities", { .edns_dropped = true, .case_lost = true, .strays = 2, .foreign = 1 },
	    "|  |- answers only without EDNS\n"
	    "|  |- does not keep letter case\n"
	    "|  |- 2 stray datagrams ignored\n"
	    "|  `- 1 record of other names ignored\n",
	    "calls itself" },
	{ "same over TCP", { .outcome = OUTCOME_OK, .tcp_outcome = OUTCOME_OK, .tcp_us = 2000 },
	    "over TCP: the same answer in 2.0 ms\n", "another" },
	{ "not there over TCP either",
	    { .outcome = OUTCOME_NXDOMAIN, .tcp_outcome = OUTCOME_NXDOMAIN },
	    "over TCP: the same answer\n", "another" },
	{ "other over TCP",
	    { .outcome = OUTCOME_OK, .tcp_outcome = OUTCOME_OK, .tcp_differs = true },
	    "over TCP: another answer\n", "same" },
	{ "no TCP", { .outcome = OUTCOME_OK, .tcp_outcome = OUTCOME_TIMEOUT },
	    "over TCP: timeout\n", "same" },
	{ "silent over both", { .outcome = OUTCOME_TIMEOUT, .tcp_outcome = OUTCOME_TIMEOUT },
	    "over TCP: timeout\n", "same" },
	{ "TCP not asked", { .outcome = OUTCOME_OK }, "ok", "over TCP" },
	{ "AAAA fails", { .outcome = OUTCOME_OK, .aaaa_outcome = OUTCOME_TIMEOUT },
	    "AAAA: timeout\n", "EDNS" },
	{ "no AAAA", { .outcome = OUTCOME_OK, .aaaa_outcome = OUTCOME_NODATA }, "ok", "AAAA" },
	{ "as applications resolve",
	    { .resolver = "system",
	        .source = SOURCE_SYSTEM,
	        .transport = TRANSPORT_UDP,
	        .canonical = "contoso.corp.example",
	        .addresses = (struct rdata[]){ { "10.1.0.6", 0 } },
	        .addresses_count = 1,
	        .outcome = OUTCOME_OK },
	    "system, getaddrinfo, as applications resolve: ok\n"
	    "|  |- 10.1.0.6, of the private endpoint pe-1\n"
	    "|  `- ends at the name contoso.corp.example\n",
	    "TTL" },
	{ "not text that commands a terminal",
	    { .outcome = OUTCOME_SERVFAIL, .detail = "\033]0;x\007\xc2\x9bm" }, "?]0;x?",
	    "\033" },
};

static void
test_answers(void **state)
{
	struct wbuf out;

	wbuf_init(&out);
	for (size_t i = 0; i < sizeof(answer_cases) / sizeof(answer_cases[0]); i++) {
		const struct answer_case *row = &answer_cases[i];

		draw_answer(&out, &row->dns);
		if (strstr(wbuf_text(&out), row->says) == NULL)
			fail_msg("%s: no '%s' in:\n%s", row->name, row->says, wbuf_text(&out));
		if (strstr(wbuf_text(&out), row->says_not) != NULL)
			fail_msg("%s: '%s' in:\n%s", row->name, row->says_not, wbuf_text(&out));
	}
	wbuf_fini(&out);
}

/* What was met outside stands apart, and is judged by no rule of the inside. */
static void
test_outside(void **state)
{
	static struct rdata inner[] = { { "10.1.0.5", 10 } };
	static struct rdata outer[] = { { "20.50.1.1", 60 }, { "10.1.0.5", 10 } };
	static struct dns   dns = {
		  .outcome = OUTCOME_OK, .addresses = inner, .addresses_count = 1
	};
	static struct dns      outer_dns = { .resolver = "9.9.9.9",
		     .source = SOURCE_OUTSIDE,
		     .outcome = OUTCOME_OK,
		     .addresses = outer,
		     .addresses_count = 2 };
	static struct endpoint end = {
		.address = "10.1.0.5", .tcp = OUTCOME_OK, .tls = OUTCOME_OK, .http = OUTCOME_OK
	};
	static struct endpoint outer_end = { .address = "20.50.1.1",
		.tcp = OUTCOME_OK,
		.tls = OUTCOME_OK,
		.http = OUTCOME_HTTP_OTHER,
		.http_status = 403 };
	static struct feed     feed = {
		    .address = "20.50.1.1", .outcome = OUTCOME_OK, .admitted = true
	};
	static struct outside     outside = { .dns = &outer_dns,
		    .dns_count = 1,
		    .endpoints = &outer_end,
		    .endpoints_count = 1,
		    .feed = &feed };
	static struct measurement seen = { .target = &target,
		.dns = &dns,
		.dns_count = 1,
		.endpoints = &end,
		.endpoints_count = 1,
		.outside = &outside };
	struct place              place = { .target = &target,
		             .seen = &seen,
		             .worst = FINDING_COUNT,
		             .words = "",
		             .outside = OUTSIDE_REFUSED };
	struct wbuf               out;

	wbuf_init(&out);
	draw(&out, &place, &(struct verdict){ 0 }, (struct tree_look){ .width = 200 });
	assert_says(&out,
	    "|- public address: refused\n"
	    "|  |- 9.9.9.9, outside of this network: ok\n"
	    "|  |  |- 20.50.1.1, public, TTL 60 s\n"
	    "|  |  |  |- tcp: ok\n"
	    "|  |  |  |- tls: ok\n"
	    "|  |  |  `- gateway: http-other, HTTP 403\n"
	    "|  |  `- 10.1.0.5, private, TTL 10 s\n"
	    "|  `- signed request at 20.50.1.1: admitted\n");
	wbuf_fini(&out);
}

static void
test_stages(void **state)
{
	static struct rdata address[] = { { "10.1.0.5", 10 } };
	static struct dns   dns = {
		  .outcome = OUTCOME_OK, .addresses = address, .addresses_count = 1
	};
	static struct endpoint    end = { .address = "10.1.0.5",
		   .tcp = OUTCOME_OK,
		   .tls = OUTCOME_TLS_REJECTED,
		   .tls_us = 2000,
		   .verify_text = "certificate has expired",
		   .subject = "CN=a",
		   .http = OUTCOME_HTTP_OTHER,
		   .http_status = 403,
		   .error_code = "Forbidden",
		   .error_text = "go away" };
	static struct measurement seen = { .target = &target,
		.dns = &dns,
		.dns_count = 1,
		.endpoints = &end,
		.endpoints_count = 1 };
	struct place              place = {
		             .target = &target, .seen = &seen, .worst = FINDING_COUNT, .words = ""
	};
	struct wbuf out;

	wbuf_init(&out);
	draw(&out, &place, &(struct verdict){ 0 }, (struct tree_look){ .width = 200 });
	assert_says(&out,
	    "tls: tls-rejected in 2.0 ms, certificate has expired, CN=a by an unnamed "
	    "issuer\n");
	assert_says(&out, "gateway: http-other, HTTP 403, Forbidden, go away\n");
	end.detail = "certificate has expired, the leaf";
	draw(&out, &place, &(struct verdict){ 0 }, (struct tree_look){ .width = 200 });
	assert_says(&out, "in 2.0 ms, certificate has expired, the leaf, CN=a");
	end.tls = end.http = OUTCOME_NOT_RUN;
	draw(&out, &place, &(struct verdict){ 0 }, (struct tree_look){ .width = 200 });
	assert_says_not(&out, "tls:");
	assert_says_not(&out, "gateway:");
	wbuf_fini(&out);
}

static void
test_not_measured(void **state)
{
	struct place place = { .target = &target,
		.state = STATE_UNKNOWN,
		.worst = FINDING_COUNT,
		.words = "not measured" };
	struct wbuf  out;

	wbuf_init(&out);
	draw(&out, &place, &(struct verdict){ 0 }, (struct tree_look){ .width = 200 });
	assert_string_equal(wbuf_text(&out),
	    "contoso-westeurope.documents.azure.com (West Europe)\n"
	    "`- verdict: unknown, not measured\n");
	wbuf_fini(&out);
}

/* Lines break at blanks, the branches go on beside them, and no word is cut: a name can be
 * copied from any terminal. */
static void
test_width(void **state)
{
	static struct dns dns[] = {
		{ .resolver = "10.0.0.4",
		    .outcome = OUTCOME_NXDOMAIN,
		    .hops = hops,
		    .hops_count = 2,
		    .detail = "a b c d e f g h i j k l m n o p q r s t u v w x y z" },
		{ .resolver = "10.0.0.5", .outcome = OUTCOME_TIMEOUT },
	};
	static struct measurement seen = { .target = &target, .dns = dns, .dns_count = 2 };
	struct place              place = {
		             .target = &target, .seen = &seen, .worst = FINDING_COUNT, .words = ""
	};
	struct wbuf out;
	char       *line;

	wbuf_init(&out);
	draw(&out, &place, &(struct verdict){ 0 }, (struct tree_look){ .width = 60 });
	assert_says(&out,
	    "|- 10.0.0.4, of resolv.conf: nxdomain, a b c d e f g h i j\n"
	    "|  |  k l m n o p q r s t u v w x y z\n"
	    "|  `- alias of\n"
	    "|     |  contoso-westeurope.privatelink.documents.azure.com,\n"
	    "|     |  TTL 60 s\n"
	    "|     `- alias of\n");
	for (line = strtok((char *)wbuf_text(&out), "\n"); line != NULL;
	     line = strtok(NULL, "\n"))
		assert_in_range(strlen(line), 1, 60);
	dns[1].outcome = OUTCOME_NODATA;
	draw(&out, &place, &(struct verdict){ 0 },
	    (struct tree_look){ .width = 28, .colour = true });
	assert_says(&out,
	    "\n|  `- \033[31mexists, but has no\033[0m\n"
	    "|        \033[31maddress\033[0m\n");
	wbuf_fini(&out);
}

/* Green is what documents say, not what a range looks like. */
static void
test_ink_of_addresses(void **state)
{
	static const struct {
		const char *address, *says;
		bool        alias;
	} cases[] = {
		{ "10.1.0.5", "\033[1m10.1.0.5\033[0m", true },
		{ "20.61.0.1", "\033[31m20.61.0.1\033[0m", true },
		{ "20.61.0.1", "\033[33m20.61.0.1\033[0m", false },
		{ "10.1.0.6", "\033[32m10.1.0.6\033[0m", true },
		{ "10.1.0.7", "\033[31m10.1.0.7\033[0m", true },
	};
	struct wbuf out;

	wbuf_init(&out);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct rdata       rdata = { cases[i].address, 10 };
		struct dns         dns = { .outcome = OUTCOME_OK,
			        .hops = hops,
			        .hops_count = cases[i].alias,
			        .addresses = &rdata,
			        .addresses_count = 1 };
		struct measurement seen = { .target = &target, .dns = &dns, .dns_count = 1 };
		struct place       place = { .target = &target,
			      .seen = &seen,
			      .worst = FINDING_COUNT,
			      .words = "",
			      .addresses = addresses,
			      .address_count = COUNT_OF(addresses) };

		draw(&out, &place, &(struct verdict){ 0 },
		    (struct tree_look){ .width = 99, .colour = true });
		assert_says(&out, cases[i].says);
	}
	wbuf_fini(&out);
}

/* Without UTF-8 there is nothing but ASCII, whatever a server says. */
static void
test_ascii(void **state)
{
	static struct dns dns = { .outcome = OUTCOME_SERVFAIL, .detail = "caf\xc3\xa9" };
	static struct measurement seen = { .target = &target, .dns = &dns, .dns_count = 1 };
	struct place              place = {
		             .target = &target, .seen = &seen, .worst = FINDING_COUNT, .words = ""
	};
	struct wbuf out;

	wbuf_init(&out);
	draw(&out, &place, &(struct verdict){ 0 }, (struct tree_look){ .width = 80 });
	assert_says(&out, "caf??");
	draw(&out, &place, &(struct verdict){ 0 },
	    (struct tree_look){ .width = 80, .utf8 = true });
	assert_says(&out, "caf\xc3\xa9");
	wbuf_fini(&out);
}

/* What the other modes show, behind what DNS shows. */
static void
test_modes(void **state)
{
	static struct endpoint silent = { .address = "10.1.0.5", .tcp = OUTCOME_TIMEOUT };
	static struct endpoint answers = { .address = "10.1.0.5",
		.tcp = OUTCOME_OK,
		.tcp_us = 1200,
		.tls = OUTCOME_OK,
		.tls_us = 3000,
		.issuer = "CN=Test CA" };
	static struct replica  replicas[] = {
		 { .host = host,
		     .port = 14031,
		     .partitions = "0 1",
		     .end = &answers,
		     .context = OUTCOME_OK,
		     .context_us = 900,
		     .status = 200,
		     .server_agent = "DocumentDB Server" },
		 { .host = host,
		     .port = 21226,
		     .primary = true,
		     .partitions = "0",
		     .end = &silent,
		     .stage = "connect_timeout",
		     .sdk_code = 6 },
		 { .host = host,
		     .port = 40511,
		     .end = &answers,
		     .context = OUTCOME_OK,
		     .status = 403 },
	};
	static struct thin   thin = { .host = host,
		  .port = 10250,
		  .advertised = true,
		  .end = &answers,
		  .alpn = "h2",
		  .outcome = OUTCOME_HTTP_OTHER,
		  .status = 503 };
	static struct feed   feed = { .address = "10.1.0.5",
		  .outcome = OUTCOME_OK,
		  .step = "addresses",
		  .admitted = true };
	static struct target direct = {
		.region = "westeurope", .host = host, .mode = MODE_DIRECT
	};
	static struct measurement seen = { .target = &direct,
		.feed = &feed,
		.replicas = replicas,
		.replicas_count = COUNT_OF(replicas),
		.thins = &thin,
		.thins_count = 1 };
	struct place              place = {
		             .target = &direct, .seen = &seen, .worst = FINDING_COUNT, .words = "w"
	};
	struct wbuf out;

	wbuf_init(&out);
	draw(&out, &place, &(struct verdict){ 0 }, (struct tree_look){ .width = 160 });
	assert_string_equal(wbuf_text(&out),
	    "contoso-westeurope.documents.azure.com (West Europe, Direct mode)\n"
	    "|- signed requests to 10.1.0.5: ok, up to addresses, request admitted\n"
	    "|- replica contoso-westeurope.documents.azure.com:21226 at 10.1.0.5, primary of "
	    "0\n"
	    "|  |- tcp: timeout\n"
	    "|  `- as SDKs call it: connect_timeout, TransportErrorCode 6\n"
	    "|- replica contoso-westeurope.documents.azure.com:40511 at 10.1.0.5\n"
	    "|  |- tcp: ok in 1.2 ms\n"
	    "|  |- tls: ok in 3.0 ms, issued by CN=Test CA\n"
	    "|  `- context: refused, status 403\n"
	    "|- replica contoso-westeurope.documents.azure.com:14031 at 10.1.0.5, replica of 0 "
	    "1\n"
	    "|  |- tcp: ok in 1.2 ms\n"
	    "|  |- tls: ok in 3.0 ms, issued by CN=Test CA\n"
	    "|  `- context: ok in 0.9 ms, status 200, DocumentDB Server\n"
	    "|- Gateway V2 contoso-westeurope.documents.azure.com:10250 at 10.1.0.5, "
	    "advertised\n"
	    "|  |- tcp: ok in 1.2 ms\n"
	    "|  |- tls: ok in 3.0 ms, issued by CN=Test CA\n"
	    "|  `- probe: http-other, h2, HTTP 503\n"
	    "`- verdict: ok, w\n");
	wbuf_fini(&out);
}

/* Those that failed are drawn, however many there are. */
static void
test_many_replicas(void **state)
{
	static struct replica     replicas[40];
	static struct measurement seen = {
		.target = &target, .replicas = replicas, .replicas_count = COUNT_OF(replicas)
	};
	struct place place = {
		.target = &target, .seen = &seen, .worst = FINDING_COUNT, .words = "w"
	};
	struct wbuf out;

	for (size_t i = 0; i < COUNT_OF(replicas); i++)
		replicas[i] = (struct replica){ .host = host,
			.port = 1000 + (uint32_t)i,
			.context = i == 39 ? OUTCOME_TIMEOUT : OUTCOME_OK };
	wbuf_init(&out);
	draw(&out, &place, &(struct verdict){ 0 }, (struct tree_look){ .width = 160 });
	assert_says(&out, ".com:1039\n");
	assert_says(&out, "and 28 replicas more");
	assert_says_not(&out, ".com:1038");
	wbuf_fini(&out);
}

/* A record may hold anything, and leave out anything. */
static void
test_anything(void **state)
{
	struct support_random random = support_random_new();
	struct wbuf           out;

	wbuf_init(&out);
	for (unsigned round = 0; round < 300; round++) {
		struct arena       *arena = arena_new();
		struct measurement *seen = support_records_make(
		    &measurement_desc, arena, &random, 4);
		struct place place = { .target = &target,
			.seen = seen,
			.worst = FINDING_COUNT,
			.words = "words" };

		draw(&out, &place, &(struct verdict){ 0 },
		    (struct tree_look){ .width = 40, .utf8 = round % 2 });
		assert_says(&out, "verdict: ok, words\n");
		assert_says_not(&out, "\033");
		arena_free(arena);
	}
	draw_answer(&out,
	    &(struct dns){ .outcome = OUTCOME_OK,
	        .hops = &(struct hop){ 0 },
	        .hops_count = 1,
	        .addresses = &(struct rdata){ 0 },
	        .addresses_count = 1,
	        .ede = &(struct ede){ 0 },
	        .ede_count = 1 });
	assert_says(&out, "not an address");
	wbuf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_not_measured),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_ink_of_addresses),
		cmocka_unit_test(test_ascii),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_many_replicas),
		cmocka_unit_test(test_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
