/* bench_judge: what judging one account of ten regions costs, beside reading its document.
 *
 * All well, by address ranges and by the documents of a fleet's private endpoints; and the worst
 * that we know: no zone linked, each gateway refusing.  And Direct mode beside, with as many
 * replicas in each region as a record holds, all of which answer, or none. */
#include "analyze/names.h"
#include "analyze/judge.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REGIONS = 10, ENDPOINTS = 2000, REPLICAS = 256, ROUNDS = 2000, REPEATS = 5 };

static const char *
make_document(struct arena *arena)
{
	const char *text = "{\"name\":\"contoso\",\"documentEndpoint\":"
	                   "\"https://contoso.documents.azure.com:443/\",\"locations\":[";

	for (int i = 0; i < REGIONS; i++)
		text = arena_printf(arena,
		    "%s%s{\"locationName\":\"Region %d\",\"provisioningState\":\"Succeeded\","
		    "\"documentEndpoint\":\"https://contoso-region%d.documents.azure.com:443/"
		    "\"}",
		    text, i > 0 ? "," : "", i, i);
	return arena_printf(arena, "%s]}", text);
}

static void
fill_dns(struct arena *arena, struct dns *dns, const struct target *target, const char *address)
{
	dns->resolver = "10.0.0.2";
	dns->outcome = OUTCOME_OK;
	dns->hops = arena_array(arena, 1, sizeof(struct hop));
	dns->hops_count = 1;
	dns->hops[0].owner = target->host;
	dns->hops[0].target = arena_printf(arena, "%.*s.privatelink.documents.azure.com",
	    (int)strcspn(target->host, "."), target->host);
	dns->addresses = arena_array(arena, 1, sizeof(struct rdata));
	dns->addresses_count = 1;
	dns->addresses[0].address = address;
}

static struct measurement *
make_measurement(struct arena *arena, struct target *target, size_t number, bool well)
{
	struct measurement *seen = arena_alloc(arena, sizeof(*seen));
	const char         *address = arena_printf(
	            arena, well ? "10.1.0.%zu" : "20.61.0.%zu", number + 4);

	seen->target = target;
	seen->started_ms = 1;
	seen->dns = arena_array(arena, 2, sizeof(struct dns));
	seen->dns_count = 2;
	fill_dns(arena, &seen->dns[0], target, address);
	fill_dns(arena, &seen->dns[1], target, address);
	seen->dns[1].resolver = "10.0.0.3";
	seen->endpoints = arena_array(arena, 1, sizeof(struct endpoint));
	seen->endpoints_count = 1;
	seen->endpoints[0].address = address;
	seen->endpoints[0].port = 443;
	seen->endpoints[0].tcp = seen->endpoints[0].tls = OUTCOME_OK;
	seen->endpoints[0].http = well ? OUTCOME_OK : OUTCOME_HTTP_OTHER;
	seen->endpoints[0].http_status = well ? 401 : 403;
	seen->endpoints[0].error_text = "Request originated from IP 20.0.0.9";
	return seen;
}

/* The same name in Direct mode. */
static void
add_replicas(struct arena *arena, struct measurement *seen, bool well)
{
	struct endpoint *ends = arena_array(arena, REPLICAS, sizeof(struct endpoint));

	seen->endpoints_count = 0;
	seen->origin = ORIGIN_FEED;
	seen->replicas = arena_array(arena, REPLICAS, sizeof(struct replica));
	seen->replicas_count = REPLICAS;
	for (size_t i = 0; i < REPLICAS; i++) {
		struct replica *replica = &seen->replicas[i];

		ends[i].address = seen->endpoints[0].address;
		ends[i].port = replica->port = (uint32_t)(1024 + i * 200);
		ends[i].tcp = well ? OUTCOME_OK : OUTCOME_TIMEOUT;
		ends[i].tls = well ? OUTCOME_OK : OUTCOME_NOT_RUN;
		replica->context = ends[i].tls;
		replica->host = seen->target->host;
		replica->end = &ends[i];
	}
}

/* A swept name that does not exist. */
static void
forget_answers(struct measurement *seen)
{
	for (size_t i = 0; i < seen->dns_count; i++) {
		seen->dns[i].outcome = OUTCOME_NXDOMAIN;
		seen->dns[i].hops_count = seen->dns[i].addresses_count = 0;
	}
	seen->endpoints_count = 0;
}

/* The account's own endpoint, and those of many other accounts. */
static const struct endpoint_index *
make_endpoints(struct arena *arena, const struct name_list *names)
{
	struct endpoint_list     list = { arena_array(arena, ENDPOINTS, sizeof(void *)), 0 };
	struct private_endpoint *endpoint;

	for (unsigned i = 0; i < ENDPOINTS; i++) {
		endpoint = arena_alloc(arena, sizeof(*endpoint));
		endpoint->name = endpoint->id = arena_printf(arena, "pe-%u", i);
		endpoint->account = i == 0 ? "contoso" : arena_printf(arena, "account%u", i);
		endpoint->subnet = endpoint->service = endpoint->group = endpoint->status = "";
		endpoint->provisioning_state = endpoint->source = "";
		endpoint->addresses = arena_array(
		    arena, names->count, sizeof(struct endpoint_address));
		for (size_t j = 0; j <= REGIONS; j++) {
			const uint8_t bytes[] = { 10, (uint8_t)(1 + i / 256), (uint8_t)i,
				(uint8_t)(4 + j) };

			endpoint->addresses[endpoint->address_count++] =
			    (struct endpoint_address){ i == 0
				        ? names->targets[j].host
				        : arena_printf(arena, "%s-%zu.documents.azure.com",
				              endpoint->account, j),
				    addr_from_bytes(bytes, sizeof(bytes), 0) };
		}
		list.endpoints[list.count++] = endpoint;
	}
	return endpoint_index_new(arena, &list);
}

static void
bench(const char *name, const struct account *account, bool well, bool told, bool direct_well,
    unsigned flags)
{
	struct arena              *arena = arena_new();
	struct name_list          *names = names_targets(arena, account, flags);
	const struct measurement **seen = arena_array(arena, names->count, sizeof(void *));
	struct judge_ask ask = { account, true, seen, names->count, NULL, 0, NULL, NULL, NULL,
		NULL, 0 };
	int64_t          best_us = INT64_MAX;
	size_t           findings = 0;

	if (told)
		ask.endpoints = make_endpoints(arena, names);
	for (size_t i = 0; i < names->count; i++) {
		/* Of Direct mode the address of the same name, which stands before. */
		size_t at = names->targets[i].mode == MODE_DIRECT ? i - REGIONS : i;
		struct measurement *one = make_measurement(arena, &names->targets[i], at, well);

		if (names->targets[i].role == ROLE_SWEEP)
			forget_answers(one);
		if (names->targets[i].mode == MODE_DIRECT)
			add_replicas(arena, one, direct_well);
		seen[i] = one;
	}
	for (int repeat = 0; repeat < REPEATS; repeat++) {
		int64_t began_us = clock_mono_us(clock_system());

		for (int i = 0; i < ROUNDS; i++) {
			struct arena *each = arena_new();

			findings = judge_run(each, &ask)->finding_count;
			arena_free(each);
		}
		began_us = clock_mono_us(clock_system()) - began_us;
		if (began_us < best_us)
			best_us = began_us;
	}
	printf("judge %-22s %7.1f us an account of %d regions, %zu findings\n", name,
	    (double)best_us / ROUNDS, REGIONS, findings);
	arena_free(arena);
}

static void
bench_document(const char *text)
{
	int64_t best_us = INT64_MAX;

	for (int repeat = 0; repeat < REPEATS; repeat++) {
		int64_t began_us = clock_mono_us(clock_system());

		for (int i = 0; i < ROUNDS; i++) {
			struct arena *arena = arena_new();
			struct err    err;

			if (account_parse(arena, text, strlen(text), "bench", &err) == NULL)
				exit(1);
			arena_free(arena);
		}
		began_us = clock_mono_us(clock_system()) - began_us;
		if (began_us < best_us)
			best_us = began_us;
	}
	printf("read its document           %7.1f us\n", (double)best_us / ROUNDS);
}

int
main(void)
{
	struct arena        *arena = arena_new();
	const char          *text = make_document(arena);
	struct err           err;
	struct account_list *list = account_parse(arena, text, strlen(text), "bench", &err);

	if (list == NULL) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	bench("all well", list->accounts[0], true, false, true, 0);
	bench("all well, swept", list->accounts[0], true, false, true, NAMES_SWEEP);
	bench("all well, by documents", list->accounts[0], true, true, true, 0);
	bench("Direct, all well", list->accounts[0], true, false, true,
	    NAMES_GATEWAY | NAMES_DIRECT);
	bench("Direct, all blocked", list->accounts[0], true, false, false,
	    NAMES_GATEWAY | NAMES_DIRECT);
	bench("zone not linked", list->accounts[0], false, false, true, 0);
	bench_document(text);
	arena_free(arena);
	return 0;
}
