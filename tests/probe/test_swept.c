/* Targets of a sweep as measurements, against real NSD, beside the measurement of its own that
 * each would be without a sweep. */
#include "probe/swept.h"

#include "tests/support/support_dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TARGETS = 5, LIMIT_MS = 2000 };

static const struct support_dns_zone zones[] = {
	{ "privatelink.documents.azure.com",
	    "$TTL 300\n@ IN SOA a. b. 1 3600 600 86400 60\n@ IN NS a.\n"
	    "contoso-westus IN A 10.0.0.5\ncontoso-westus IN A 10.0.0.6\n"
	    "contoso-alias IN CNAME contoso-westus\ncontoso-empty IN TXT x\n" },
};

static const char *const hosts[TARGETS] = {
	"contoso-westus.privatelink.documents.azure.com",
	"contoso-alias.privatelink.documents.azure.com",
	"contoso-empty.privatelink.documents.azure.com",
	"contoso-nowhere.privatelink.documents.azure.com",
	"elsewhere.example",
};

struct fixture {
	struct support_dns    *nsd;
	struct loop           *loop;
	struct probes         *probes;
	struct arena          *arena;
	struct measure_vantage vantages[2];
	struct target          targets[TARGETS];
	struct measurement    *seen[2 * TARGETS];
	unsigned               over;
};

struct place {
	struct fixture *fixture;
	unsigned        i;
};

static int
setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err      err;

	f->nsd = support_dns_nsd(zones, 1);
	f->loop = loop_new(&err);
	f->arena = arena_new();
	f->probes = probes_new(
	    &(struct probe_options){ .loop = f->loop, .clock = clock_system() }, &err);
	assert_non_null(f->probes);
	for (unsigned i = 0; i < 2; i++) {
		uint16_t port = i == 0 ? support_dns_port(f->nsd) : support_dns_free_port();

		f->vantages[i] = (struct measure_vantage){ { 4, { 127, 0, 0, 1 }, port, 0 },
			i == 0 ? SOURCE_CONFIGURED : SOURCE_AZURE };
	}
	for (unsigned i = 0; i < TARGETS; i++)
		f->targets[i] = (struct target){ .account = "contoso",
			.region = "westus",
			.host = hosts[i],
			.port = 443,
			.role = ROLE_SWEEP,
			.dns_only = true };
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	probes_free(f->probes);
	loop_free(f->loop);
	arena_free(f->arena);
	support_dns_free(f->nsd);
	free(f);
	return 0;
}

static void
on_over(void *arg, struct measurement *seen)
{
	struct place *place = arg;

	place->fixture->seen[place->i] = seen;
	place->fixture->over++;
}

static struct swept *
start(struct fixture *f)
{
	struct err    err;
	struct swept *swept = swept_new(&(struct swept_options){ .probes = f->probes,
	                                    .vantages = f->vantages,
	                                    .vantage_count = 2,
	                                    .queries_per_s = SWEPT_PACE_PRESET,
	                                    .limit_ms = LIMIT_MS },
	    &err);

	assert_non_null(swept);
	return swept;
}

static void
add(struct fixture *f, struct swept *swept, struct place *place, unsigned i)
{
	*place = (struct place){ f, i };
	swept_add(swept,
	    &(struct swept_ask){ .target = &f->targets[i],
	        .arena = f->arena,
	        .on_over = on_over,
	        .arg = place });
}

static void
check_view(const struct dns *swept, const struct dns *alone)
{
	assert_string_equal(swept->resolver, alone->resolver);
	assert_int_equal(swept->source, alone->source);
	assert_int_equal(swept->outcome, alone->outcome);
	assert_int_equal(swept->rcode, alone->rcode);
	assert_int_equal(swept->transport, alone->transport);
	assert_int_equal(swept->authoritative, alone->authoritative);
	assert_int_equal(swept->negative_ttl_s, alone->negative_ttl_s);
	assert_string_equal(
	    swept->soa != NULL ? swept->soa : "", alone->soa != NULL ? alone->soa : "");
	assert_int_equal(swept->hops_count, alone->hops_count);
	for (size_t i = 0; i < swept->hops_count; i++) {
		assert_string_equal(swept->hops[i].owner, alone->hops[i].owner);
		assert_string_equal(swept->hops[i].target, alone->hops[i].target);
		assert_int_equal(swept->hops[i].ttl_s, alone->hops[i].ttl_s);
	}
	assert_int_equal(swept->addresses_count, alone->addresses_count);
	assert_int_equal(swept->aaaa_outcome, OUTCOME_NOT_RUN);
}

/* What the sweep says of A is what a measurement of its own says. */
static void
test_same_as_alone(void **state)
{
	struct fixture *f = *state;
	struct swept   *swept = start(f);
	struct place    places[2 * TARGETS];

	for (unsigned i = 0; i < TARGETS; i++)
		add(f, swept, &places[i], i);
	for (unsigned i = 0; i < TARGETS; i++) {
		places[TARGETS + i] = (struct place){ f, TARGETS + i };
		measure_start(f->probes,
		    &(struct measure_ask){ .target = &f->targets[i],
		        .vantages = f->vantages,
		        .vantage_count = 2,
		        .limit_ms = LIMIT_MS,
		        .arena = f->arena,
		        .on_over = on_over,
		        .arg = &places[TARGETS + i] });
	}
	while (f->over < 2 * TARGETS)
		loop_run_once(f->loop, true);
	for (unsigned i = 0; i < TARGETS; i++) {
		const struct measurement *one = f->seen[i], *other = f->seen[TARGETS + i];

		print_message("%s: %s, %s\n", hosts[i], outcome_name(one->dns[0].outcome),
		    one->dns[0].detail);
		assert_ptr_not_equal(one->target, &f->targets[i]);
		assert_string_equal(one->target->host, hosts[i]);
		assert_int_equal(one->dns_count, 2);
		assert_int_equal(one->endpoints_count, 0);
		assert_true(one->started_ms > 0 && one->took_us > 0);
		check_view(&one->dns[0], &other->dns[0]);
		/* A question without EDNS is answered without extended errors. */
		assert_int_equal(strncmp(one->dns[0].detail, other->dns[0].detail,
		                     strlen(one->dns[0].detail)),
		    0);
		assert_int_equal(one->dns[1].outcome, OUTCOME_REFUSED);
		assert_string_equal(one->dns[1].detail, other->dns[1].detail);
	}
	assert_int_equal(f->seen[0]->dns[0].addresses_count, 2);
	assert_int_equal(f->seen[1]->dns[0].hops_count, 1);
	assert_int_equal(f->seen[2]->dns[0].outcome, OUTCOME_NODATA);
	assert_int_equal(f->seen[3]->dns[0].outcome, OUTCOME_NXDOMAIN);
	assert_int_equal(f->seen[4]->dns[0].outcome, OUTCOME_DNS_REFUSED);
	swept_free(swept);
}

/* More may come while it goes on, and after it was idle; freed, it says nothing more. */
static void
test_again_and_free(void **state)
{
	struct fixture *f = *state;
	struct swept   *swept = start(f);
	struct place    places[TARGETS];
	unsigned        over;

	for (unsigned i = 0; i < 3; i++) {
		add(f, swept, &places[i], i);
		while (f->over <= i)
			loop_run_once(f->loop, true);
		assert_string_equal(f->seen[i]->target->host, hosts[i]);
	}
	add(f, swept, &places[3], 3);
	loop_run_once(f->loop, false);
	add(f, swept, &places[4], 4);
	over = f->over;
	swept_free(swept);
	swept_free(NULL);
	for (unsigned i = 0; i < 20; i++)
		loop_run_once(f->loop, false);
	assert_int_equal(f->over, over);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_same_as_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_again_and_free, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
