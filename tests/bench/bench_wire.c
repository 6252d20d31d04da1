/* bench_wire: what a record costs on the wire, beside msgpack-c alone.
 *
 * One batch of measurements as a VM makes them; each step is repeated for a bounded time of the
 * processor, so that neighbours on the machine count less, and the median of the rounds counts.  Prints one line a step: ns for a record, and how that compares with
 * plain msgpack_unpack_next() of the same bytes.
 */
#include "base/clock.h"
#include "proto/decode.h"
#include "proto/encode.h"

#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RECORDS = 100, ROUNDS = 15 };

static const int64_t round_us = 10 * US_PER_MS;

struct work {
	struct batch *batch;
	struct wbuf   bytes; /* of the batch */
	struct wbuf   out;
};

static struct dns      one_dns;
static struct endpoint one_endpoint;
static struct target   one_target;
static struct hop      hops[2];
static struct rdata    address;

static void
fill_samples(void)
{
	hops[0] = (struct hop){ "contoso-westeurope.documents.azure.com",
		"contoso-westeurope.privatelink.documents.azure.com", 300 };
	hops[1] = (struct hop){ "contoso-westeurope.privatelink.documents.azure.com",
		"contoso-westeurope.documents.example", 10 };
	address = (struct rdata){ "10.1.2.37", 10 };
	one_dns = (struct dns){ .resolver = "168.63.129.16",
		.outcome = OUTCOME_OK,
		.transport = TRANSPORT_UDP,
		.took_us = 1834,
		.aaaa_outcome = OUTCOME_NODATA,
		.tries = 1,
		.hops = hops,
		.hops_count = 2,
		.addresses = &address,
		.addresses_count = 1 };
	one_endpoint = (struct endpoint){ .address = "10.1.2.37",
		.port = 443,
		.local = "10.1.0.4",
		.tcp = OUTCOME_OK,
		.tcp_us = 1210,
		.tls = OUTCOME_OK,
		.tls_us = 4821,
		.tls_version = "TLSv1.3",
		.subject = "CN=*.documents.azure.com",
		.sans = "*.documents.azure.com *.privatelink.documents.azure.com",
		.issuer = "CN=Microsoft Azure RSA TLS Issuing CA 08",
		.not_before_ms = 1780000000000,
		.not_after_ms = 1805000000000,
		.chain_length = 3,
		.http = OUTCOME_OK,
		.http_status = 401,
		.http_total_us = 9120,
		.server = "Microsoft-HTTPAPI/2.0",
		.activity_id = "6f0c5a9e-52f4-4d0a-b1f0-3d8a5c2f9a11" };
	one_target = (struct target){ .account = "contoso",
		.region = "westeurope",
		.host = "contoso-westeurope.documents.azure.com",
		.port = 443 };
}

static struct batch *
make_batch(struct arena *arena)
{
	struct batch *batch = arena_alloc(arena, sizeof(*batch));

	fill_samples();
	*batch = (struct batch){ .v = PROTO_VERSION,
		.agent = "vm-1",
		.epoch = UINT64_C(0x1122334455667788),
		.seq = 7,
		.network = "vnet-a/default",
		.records = arena_array(arena, RECORDS, sizeof(struct record)),
		.records_count = RECORDS };
	for (size_t i = 0; i < RECORDS; i++) {
		struct measurement *one = arena_alloc(arena, sizeof(*one));

		*one = (struct measurement){ .target = &one_target,
			.started_ms = 1795468085678 + (int64_t)i,
			.took_us = 10431,
			.dns = &one_dns,
			.dns_count = 1,
			.endpoints = &one_endpoint,
			.endpoints_count = 1 };
		batch->records[i].measurement = one;
	}
	return batch;
}

static void
must(bool done)
{
	if (!done) {
		fprintf(stderr, "bench_wire: a step failed\n");
		exit(1);
	}
}

static void
step_unpack(struct work *work)
{
	msgpack_unpacked tree;
	size_t           at = 0;

	msgpack_unpacked_init(&tree);
	must(msgpack_unpack_next(&tree, (const char *)work->bytes.bytes, work->bytes.count,
	         &at) == MSGPACK_UNPACK_SUCCESS);
	msgpack_unpacked_destroy(&tree);
}

static void
step_check(struct work *work)
{
	must(decode_check(work->bytes.bytes, work->bytes.count, NULL));
}

static void
step_decode(struct work *work)
{
	struct arena *arena = arena_new();

	must(decode_message(&batch_desc, arena, work->bytes.bytes, work->bytes.count, NULL) !=
	    NULL);
	arena_free(arena);
}

static void
step_encode(struct work *work)
{
	wbuf_clear(&work->out);
	encode_message(&batch_desc, work->batch, &work->out);
	must(work->out.count == work->bytes.count);
}

static int
compare(const void *left, const void *right)
{
	double one = *(const double *)left, other = *(const double *)right;

	return (one > other) - (one < other);
}

static int64_t
get_cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

/* ns for a record: the median of the rounds. */
static double
measure(void (*step)(struct work *work), struct work *work)
{
	double ns[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		int64_t  begun_us = get_cpu_us(), spent_us;
		uint64_t times = 0;

		do {
			step(work);
			times++;
			spent_us = get_cpu_us() - begun_us;
		} while (spent_us < round_us);
		ns[round] = (double)spent_us * 1000 / (double)(times * RECORDS);
	}
	qsort(ns, ROUNDS, sizeof(ns[0]), compare);
	return ns[ROUNDS / 2];
}

int
main(void)
{
	static const struct {
		const char *name;
		void (*step)(struct work *work);
	} steps[] = { { "msgpack-c unpack", step_unpack }, { "validate", step_check },
		{ "decode", step_decode }, { "encode", step_encode } };
	struct arena *arena = arena_new();
	struct work   work = { .batch = make_batch(arena) };
	double        plain_ns = 0;

	encode_message(&batch_desc, work.batch, &work.bytes);
	printf("wire: %zu bytes a record (batch of %d)\n", work.bytes.count / RECORDS, RECORDS);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		double ns = measure(steps[i].step, &work);

		plain_ns = i == 0 ? ns : plain_ns;
		printf("wire: %-17s %7.0f ns a record  %5.2f x unpack\n", steps[i].name, ns,
		    ns / plain_ns);
	}
	wbuf_fini(&work.bytes);
	wbuf_fini(&work.out);
	arena_free(arena);
	return 0;
}
