#include "agent/record_fit.h"

#include "agent/segment.h"
#include "proto/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

enum { REPLICAS = 128, REGIONS = 128 };

static const char *
make_text(struct arena *arena, size_t count)
{
	char *text = arena_alloc(arena, count + 1);

	memset(text, 'x', count);
	return text;
}

static const char *
make_host(struct arena *arena, size_t at)
{
	return arena_printf(arena, "h%03zu%s.documents.azure.com", at, make_text(arena, 59));
}

/* What a hostile peer can make of one replica. */
static struct replica
make_replica(struct arena *arena, size_t at)
{
	struct endpoint *end = arena_alloc(arena, sizeof(*end));
	const char      *most = make_text(arena, 255);

	*end = (struct endpoint){ .address = "10.1.0.5",
		.port = (uint32_t)(10000 + at),
		.tcp = OUTCOME_OK,
		.subject = most,
		.issuer = most,
		.verify_text = most,
		.sans = make_text(arena, 1024),
		.detail = most };
	return (struct replica){ .host = make_host(arena, at),
		.port = (uint32_t)(10000 + at),
		.partitions = most,
		.end = end,
		.context = OUTCOME_REFUSED_BY_PEER,
		.server_agent = most,
		.server_version = most,
		.client_version = most,
		.error_code = most,
		.error_text = most,
		.detail = make_text(arena, 600) };
}

static struct measurement *
make_measurement(struct arena *arena, size_t replicas, size_t regions)
{
	struct measurement *seen = arena_alloc(arena, sizeof(*seen));

	seen->target = arena_alloc(arena, sizeof(struct target));
	seen->target->host = "contoso-eastus.documents.azure.com";
	seen->replicas = arena_array(arena, replicas, sizeof(struct replica));
	seen->replicas_count = replicas;
	for (size_t i = 0; i < replicas; i++)
		seen->replicas[i] = make_replica(arena, i);
	seen->feed = arena_alloc(arena, sizeof(struct feed));
	seen->feed->regions = arena_array(arena, regions, sizeof(struct gateway_region));
	seen->feed->regions_count = regions;
	for (size_t i = 0; i < regions; i++)
		seen->feed->regions[i] = (struct gateway_region){ .name = make_text(arena, 64),
			.host = make_host(arena, i),
			.v2_host = make_host(arena, i) };
	return seen;
}

static void
test_short_is_left_alone(void **state)
{
	struct arena       *arena = arena_new();
	struct measurement *seen = make_measurement(arena, 16, 2);
	struct wbuf         out;

	wbuf_init(&out);
	assert_true(record_fit(seen, SEGMENT_RECORD_MAX, arena, &out));
	assert_int_equal(strlen(seen->replicas[15].end->sans), 1024);
	wbuf_fini(&out);
	arena_free(arena);
}

static void
test_long_is_cut(void **state)
{
	struct arena       *arena = arena_new();
	struct measurement *seen = make_measurement(arena, REPLICAS, REGIONS);
	struct record      *read;
	struct wbuf         out;
	struct err          err;

	wbuf_init(&out);
	assert_true(record_fit(seen, SEGMENT_RECORD_MAX, arena, &out));
	assert_in_range(out.count, 1, SEGMENT_RECORD_MAX);
	read = decode_message(&record_desc, arena, out.bytes, out.count, &err);
	assert_non_null(read);
	assert_int_equal(read->measurement->replicas_count, REPLICAS);
	for (size_t i = 0; i < REPLICAS; i++) {
		const struct replica *replica = &read->measurement->replicas[i];

		assert_string_equal(replica->host, make_host(arena, i));
		assert_int_equal(replica->context, OUTCOME_REFUSED_BY_PEER);
		assert_in_range(strlen(replica->detail), 48, 255);
	}
	assert_int_equal(read->measurement->feed->regions_count, REGIONS);
	assert_string_equal(read->measurement->feed->regions[7].host, make_host(arena, 7));
	wbuf_fini(&out);
	arena_free(arena);
}

static void
test_hopeless_is_said(void **state)
{
	struct arena       *arena = arena_new();
	struct measurement *seen = make_measurement(arena, 2, 1);
	struct wbuf         out;

	wbuf_init(&out);
	assert_false(record_fit(seen, 100, arena, &out));
	assert_true(out.count > 100);
	wbuf_fini(&out);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_is_left_alone),
		cmocka_unit_test(test_long_is_cut),
		cmocka_unit_test(test_hopeless_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
