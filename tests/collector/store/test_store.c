/* One contract, every backend; and of sqlite, that what was answered survives kill -9. */
#include "collector/store/store.h"

#include "base/arena.h"
#include "proto/encode.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCHES = 4, MOST = 1000 };

static char folder[64];

/* What a load found. */
struct found {
	unsigned agents, rows, findings, batches, open;
	int64_t  row_at_ms, last_seen_ms, first_seen_ms;
	uint64_t lost, agent_batches;
	uint32_t seqs[BATCHES];
	char     body[64], network[64], sentence[64], state[16], looks[16], mode[16];
	int64_t  confirmed_ms, looked_ms;
	size_t   vitals_count;
	unsigned documents;
	char     changes[512]; /* each version's id, change and bytes, in order */
	char     after[128];   /* the batch that each is behind */
	char     newest[64];
};

static void
on_agent(void *arg, const struct store_agent *agent)
{
	struct found *found = arg;

	found->agents++;
	found->lost = agent->lost_records;
	found->agent_batches = agent->batches;
	found->first_seen_ms = agent->first_seen_ms;
	found->last_seen_ms = agent->last_seen_ms;
	found->vitals_count = agent->vitals_bytes != NULL ? agent->vitals_count : 0;
	snprintf(found->network, sizeof(found->network), "%s", agent->network);
}

static void
on_row(void *arg, const char *agent, int64_t at_ms, int64_t received_ms, const uint8_t *bytes,
    size_t count)
{
	struct found *found = arg;

	found->rows++;
	found->row_at_ms = at_ms;
	assert_true(count > 0);
}

static void
on_finding(void *arg, const struct store_finding *finding)
{
	struct found *found = arg;

	found->findings++;
	found->open += finding->closed_ms == 0;
	snprintf(found->sentence, sizeof(found->sentence), "%s", finding->sentence);
	snprintf(found->state, sizeof(found->state), "%s", finding->state);
	snprintf(found->looks, sizeof(found->looks), "%s", finding->looks);
	snprintf(found->mode, sizeof(found->mode), "%s", finding->mode);
	found->confirmed_ms = finding->confirmed_ms;
	found->looked_ms = finding->looked_ms;
}

static void
on_batch(void *arg, const struct store_batch *batch)
{
	struct found *found = arg;

	if (found->batches < BATCHES)
		found->seqs[found->batches] = batch->seq;
	found->batches++;
	assert_true(batch->body_bytes < sizeof(found->body));
	memcpy(found->body, batch->body, batch->body_bytes);
	found->body[batch->body_bytes] = '\0';
}

static void
on_document(void *arg, const struct store_document *document)
{
	struct found *found = arg;
	size_t        used = strlen(found->changes);

	found->documents++;
	snprintf(found->changes + used, sizeof(found->changes) - used,
	    "%s %s %s %s %lld [%.*s];", document->id, document->kind, document->account,
	    document->change, (long long)document->seen_ms, (int)document->count,
	    document->count > 0 ? (const char *)document->bytes : "");
	used = strlen(found->after);
	snprintf(found->after + used, sizeof(found->after) - used, "%s/%u/%u;",
	    document->after.agent != NULL ? document->after.agent : "?",
	    (unsigned)document->after.epoch, document->after.seq);
}

static void
on_newest(void *arg, const struct store_mark *newest)
{
	struct found *found = arg;

	snprintf(found->newest, sizeof(found->newest), "%s/%u/%u", newest->agent,
	    (unsigned)newest->epoch, newest->seq);
}

static struct found
load(struct store *store)
{
	struct found        found = { 0 };
	struct store_reader reader = { on_agent, on_row, on_finding, on_batch, on_document,
		on_newest, &found };
	struct err          err;

	if (!store_load(store, &reader, &err))
		fail_msg("%s", err.text);
	return found;
}

/* A batch whose parts the caller may change. */
struct sample {
	struct store_batch batch;
	struct target      target;
	struct measurement seen;
	struct vitals      vitals;
	struct gap         gap;
	const struct gap  *gaps[1];
	struct store_row   row;
	struct wbuf        seen_bytes, vitals_bytes;
};

static void
make_sample(struct sample *sample, uint32_t seq, const char *body)
{
	*sample = (struct sample){
		.target = { .account = "contoso",
		    .region = "eastus",
		    .host = "h",
		    .port = 443 },
		.vitals = { .at_ms = 5, .version = "0.1.0", .host = "vm" },
		.gap = { .epoch = 9,
		    .first_seq = 1,
		    .last_seq = 2,
		    .records = 7,
		    .reason = "spool-age" },
	};
	sample->seen = (struct measurement){
		.target = &sample->target, .started_ms = 1000 + seq, .detail = "it's"
	};
	sample->gaps[0] = &sample->gap;
	wbuf_init(&sample->seen_bytes);
	wbuf_init(&sample->vitals_bytes);
	encode_message(&measurement_desc, &sample->seen, &sample->seen_bytes);
	encode_message(&vitals_desc, &sample->vitals, &sample->vitals_bytes);
	sample->row = (struct store_row){ "key", 1000 + seq, &sample->seen,
		sample->seen_bytes.bytes, sample->seen_bytes.count };
	sample->batch = (struct store_batch){ .agent = "vm-a",
		.network = "vnet-a",
		.epoch = UINT64_MAX - 3,
		.seq = seq,
		.received_ms = 2000 + seq,
		.created_ms = 1000,
		.body = (const uint8_t *)body,
		.body_bytes = strlen(body),
		.rows = &sample->row,
		.row_count = 1 };
	digest_sha256(body, strlen(body), sample->batch.digest);
}

static void
free_sample(struct sample *sample)
{
	wbuf_fini(&sample->seen_bytes);
	wbuf_fini(&sample->vitals_bytes);
}

static enum store_answer
append(struct store *store, const struct sample *sample)
{
	const struct store_batch *batch = &sample->batch;
	enum store_answer         answer = STORE_CONFLICT;
	struct err                err;

	if (!store_append(store, &batch, 1, &answer, &err))
		fail_msg("%s", err.text);
	return answer;
}

static void
check_identity(struct store *store)
{
	struct sample first, other;
	struct found  found;

	make_sample(&first, 1, "body one");
	make_sample(&other, 1, "body two");
	assert_int_equal(append(store, &first), STORE_STORED);
	assert_int_equal(append(store, &first), STORE_DUPLICATE);
	assert_int_equal(append(store, &other), STORE_CONFLICT);
	found = load(store);
	assert_int_equal(found.batches, 1);
	assert_int_equal(found.agent_batches, 1);
	assert_string_equal(found.body, "body one");
	other.batch.epoch--;
	assert_int_equal(append(store, &other), STORE_STORED);
	other.batch.agent = "vm-b";
	assert_int_equal(append(store, &other), STORE_STORED);
	assert_int_equal(load(store).batches, 3);
	assert_int_equal(load(store).agents, 2);
	free_sample(&first);
	free_sample(&other);
}

static void
check_group(struct store *store)
{
	struct sample             one, two;
	const struct store_batch *batches[3];
	enum store_answer         answers[3];
	struct err                err;

	make_sample(&one, 1, "one");
	make_sample(&two, 2, "two");
	batches[0] = &two.batch;
	batches[1] = &one.batch;
	batches[2] = &two.batch;
	assert_true(store_append(store, batches, 3, answers, &err));
	assert_int_equal(answers[0], STORE_STORED);
	assert_int_equal(answers[1], STORE_STORED);
	assert_int_equal(answers[2], STORE_DUPLICATE);
	assert_int_equal(load(store).batches, 2);
	assert_int_equal(load(store).seqs[0], 2);
	assert_int_equal(load(store).seqs[1], 1);
	free_sample(&one);
	free_sample(&two);
}

/* The newest measurement of a target stays, in whatever order they come. */
static void
check_rows(struct store *store)
{
	struct sample sample;

	for (uint32_t seq = 1; seq <= 3; seq++) {
		static const int64_t at_ms[] = { 0, 50, 70, 60 };

		make_sample(&sample, seq, "x");
		sample.row.at_ms = at_ms[seq];
		assert_int_equal(append(store, &sample), STORE_STORED);
		free_sample(&sample);
	}
	assert_int_equal(load(store).rows, 1);
	assert_int_equal(load(store).row_at_ms, 70);
	make_sample(&sample, 4, "x");
	sample.row.key = "other";
	assert_int_equal(append(store, &sample), STORE_STORED);
	assert_int_equal(load(store).rows, 2);
	free_sample(&sample);
}

/* The file of batch 7 failed while it was written: batch 8 has its records.  Should 7 come back,
 * it is a repeat; what has the number in another epoch, or of another agent, is not. */
static void
check_moved(struct store *store)
{
	struct sample sample;

	make_sample(&sample, 8, "has it all");
	sample.gap = (struct gap){
		.epoch = sample.batch.epoch, .first_seq = 7, .last_seq = 7, .reason = GAP_MOVED
	};
	sample.batch.gaps = sample.gaps;
	sample.batch.gap_count = 1;
	assert_int_equal(append(store, &sample), STORE_STORED);
	assert_int_equal(append(store, &sample), STORE_DUPLICATE);
	free_sample(&sample);
	make_sample(&sample, 7, "has the beginning");
	assert_int_equal(append(store, &sample), STORE_DUPLICATE);
	assert_int_equal(load(store).batches, 1);
	assert_int_equal(load(store).lost, 0);
	sample.batch.epoch--;
	assert_int_equal(append(store, &sample), STORE_STORED);
	sample.batch.epoch++;
	sample.batch.agent = "vm-b";
	assert_int_equal(append(store, &sample), STORE_STORED);
	sample.batch.agent = "vm-a";
	sample.batch.seq = 6;
	assert_int_equal(append(store, &sample), STORE_STORED);
	free_sample(&sample);
}

static void
check_agents(struct store *store)
{
	struct sample sample;
	struct found  found;

	make_sample(&sample, 1, "x");
	sample.batch.vitals = &sample.vitals;
	sample.batch.vitals_bytes = sample.vitals_bytes.bytes;
	sample.batch.vitals_count = sample.vitals_bytes.count;
	sample.batch.gaps = sample.gaps;
	sample.batch.gap_count = 1;
	assert_int_equal(append(store, &sample), STORE_STORED);
	assert_int_equal(append(store, &sample), STORE_DUPLICATE);
	sample.batch.seq = 2;
	sample.batch.received_ms = 1500; /* the clock was set back */
	sample.batch.network = "vnet-b";
	sample.batch.vitals = NULL;
	sample.batch.vitals_bytes = NULL;
	sample.batch.vitals_count = 0;
	assert_int_equal(append(store, &sample), STORE_STORED);
	found = load(store);
	assert_int_equal(found.agents, 1);
	assert_int_equal(found.agent_batches, 2);
	assert_int_equal(found.lost, 14);
	assert_int_equal(found.first_seen_ms, 2001);
	assert_int_equal(found.last_seen_ms, 2001);
	assert_string_equal(found.network, "vnet-b");
	assert_int_equal(found.vitals_count, sample.vitals_bytes.count);
	free_sample(&sample);
}

static void
check_findings(struct store *store)
{
	struct store_finding finding = { "vm-a", "contoso", "eastus", "PLP-1", "h", "vnet",
		"critical", "dns", "first", "'; DROP TABLE findings; --", "", 100, 100, 0,
		"opened", "!", "gateway", 0, 100 };
	struct found         found;
	struct err           err;

	assert_true(store_put(store, &finding, 1, &err));
	found = load(store);
	assert_string_equal(found.state, "opened");
	assert_int_equal(found.confirmed_ms, 0);
	finding.sentence = "second";
	finding.closed_ms = 200;
	finding.state = "closed";
	finding.looks = "!!.";
	finding.mode = "direct";
	finding.confirmed_ms = 150;
	finding.looked_ms = 190;
	assert_true(store_put(store, &finding, 1, &err));
	found = load(store);
	assert_string_equal(found.state, "closed");
	assert_string_equal(found.looks, "!!.");
	assert_string_equal(found.mode, "direct");
	assert_int_equal(found.confirmed_ms, 150);
	assert_int_equal(found.looked_ms, 190);
	assert_int_equal(load(store).findings, 1);
	assert_int_equal(load(store).open, 0);
	assert_string_equal(load(store).sentence, "second");
	finding.opened_ms = 300;
	finding.closed_ms = 0;
	assert_true(store_put(store, &finding, 1, &err));
	assert_int_equal(load(store).findings, 2);
	assert_int_equal(load(store).open, 1);
}

static void
check_expiry(struct store *store)
{
	struct store_finding open = { .agent = "vm-a",
		.account = "a",
		.region = "",
		.code = "C",
		.host = "h",
		.opened_ms = 1,
		.last_seen_ms = 1 };
	struct store_finding closed = open;
	struct sample        sample;
	struct found         found;
	struct err           err;
	size_t               removed = 0;

	closed.code = "D";
	closed.closed_ms = 2;
	for (uint32_t seq = 1; seq <= 4; seq++) {
		make_sample(&sample, seq, "x");
		sample.batch.agent = seq <= 2 ? "old" : "young";
		sample.batch.gaps = sample.gaps;
		sample.batch.gap_count = 1;
		assert_int_equal(append(store, &sample), STORE_STORED);
		free_sample(&sample);
	}
	assert_true(store_put(store, &open, 1, &err));
	assert_true(store_put(store, &closed, 1, &err));
	assert_true(store_expire(store, 2003, 1, &removed, &err));
	assert_int_equal(removed, 5); /* one batch, row, agent, gap and finding */
	assert_true(store_expire(store, 2003, MOST, &removed, &err));
	assert_int_equal(removed, 2); /* the other batch and gap */
	assert_true(store_expire(store, 2003, MOST, &removed, &err));
	assert_int_equal(removed, 0);
	found = load(store);
	assert_int_equal(found.batches, 2);
	assert_int_equal(found.rows, 1);
	assert_int_equal(found.agents, 1);
	assert_int_equal(found.lost, 14);
	assert_int_equal(found.findings, 1);
	assert_int_equal(found.open, 1);
}

static void
keep(struct store *store, const char *id, const char *text, int64_t seen_ms)
{
	struct store_document document = { .id = id,
		.kind = "account",
		.account = "contoso",
		.change = text != NULL ? "other" : "gone",
		.seen_ms = seen_ms,
		.bytes = (const uint8_t *)text,
		.count = text != NULL ? strlen(text) : 0 };
	struct err            err;

	if (text != NULL)
		digest_sha256(text, document.count, document.digest);
	if (!store_keep(store, &document, 1, &err))
		fail_msg("%s", err.text);
}

/* The same again is no version; what comes back is one; one that was replaced long ago goes. */
static void
check_documents(struct store *store)
{
	size_t     removed;
	struct err err;

	keep(store, "a.json", "one", 10);
	keep(store, "a.json", "one", 20);
	keep(store, "b.json", "two", 20);
	keep(store, "a.json", "three", 30);
	keep(store, "a.json", "one", 40);
	assert_string_equal(load(store).changes,
	    "a.json account contoso other 10 [one];b.json account contoso other 20 [two];"
	    "a.json account contoso other 30 [three];a.json account contoso other 40 [one];");

	/* What was in force at the time is kept, and so is the newest, however old. */
	assert_true(store_expire(store, 35, MOST, &removed, &err));
	assert_int_equal(removed, 1);
	assert_string_equal(load(store).changes,
	    "b.json account contoso other 20 [two];a.json account contoso other 30 [three];"
	    "a.json account contoso other 40 [one];");
	assert_true(store_expire(store, 1000, MOST, &removed, &err));
	assert_int_equal(load(store).documents, 2);

	keep(store, "b.json", NULL, 50);
	keep(store, "b.json", NULL, 60);
	assert_string_equal(load(store).changes,
	    "b.json account contoso other 20 [two];a.json account contoso other 40 [one];"
	    "b.json account contoso gone 50 [];");
	/* What is gone, and was for long, leaves nothing behind: in one step or in two. */
	assert_true(store_expire(store, 50, MOST, &removed, &err));
	assert_int_equal(removed, 0);
	assert_true(store_expire(store, 51, 1, &removed, &err));
	assert_true(store_expire(store, 51, 1, &removed, &err));
	assert_string_equal(load(store).changes, "a.json account contoso other 40 [one];");
}

/* A version is behind the batch that is named, or behind all that there are. */
static void
check_order(struct store *store)
{
	struct sample         sample;
	struct store_document document = { .id = "a.json",
		.kind = "",
		.account = "",
		.change = "",
		.after = { "vm-z", 9, 8 } };
	struct err            err;

	assert_string_equal(load(store).newest, "");
	keep(store, "b.json", "one", 10);
	make_sample(&sample, 1, "first");
	assert_int_equal(append(store, &sample), STORE_STORED);
	keep(store, "b.json", "two", 20);
	document.digest[0] = 1;
	assert_true(store_keep(store, &document, 1, &err));
	document.digest[0] = 2;
	document.after = (struct store_mark){ "", 0, 0 };
	assert_true(store_keep(store, &document, 1, &err));
	assert_string_equal(load(store).after, "/0/0;vm-a/4294967292/1;vm-z/9/8;/0/0;");
	assert_string_equal(load(store).newest, "vm-a/4294967292/1");
	free_sample(&sample);
}

static void
check_wholeness(struct store *store)
{
	struct sample sample;
	struct err    err;

	make_sample(&sample, 1, "as received");
	assert_int_equal(append(store, &sample), STORE_STORED);
	assert_true(store_check(store, &err));
	sample.batch.seq = 2;
	sample.batch.digest[0] ^= 1;
	assert_int_equal(append(store, &sample), STORE_STORED);
	assert_false(store_check(store, &err));
	assert_non_null(strstr(err.text, "batch 2 of vm-a"));
	free_sample(&sample);
}

static const struct contract_case {
	const char *name;
	void (*check)(struct store *store);
} contract[] = {
	{ "identity", check_identity },
	{ "group", check_group },
	{ "rows", check_rows },
	{ "moved", check_moved },
	{ "agents", check_agents },
	{ "findings", check_findings },
	{ "expiry", check_expiry },
	{ "documents", check_documents },
	{ "order of versions", check_order },
	{ "wholeness", check_wholeness },
};

static struct store *
open_store(const char *url)
{
	struct err    err = { 0 };
	struct store *store = store_open(url, false, &err);

	if (store == NULL)
		fail_msg("%s: %s", url, err.text);
	return store;
}

static void
run_contract(const char *scheme)
{
	for (size_t i = 0; i < sizeof(contract) / sizeof(contract[0]); i++) {
		char         *url = mem_printf("%s:%s%s%s", scheme,
                    strcmp(scheme, "memory") == 0 ? "" : folder,
                    strcmp(scheme, "memory") == 0 ? "" : "/",
                    strcmp(scheme, "memory") == 0 ? "" : contract[i].name);
		struct store *store = open_store(url);

		print_message("%s: %s\n", scheme, contract[i].name);
		contract[i].check(store);
		store_close(store);
		free(url);
	}
}

static void
test_contract(void **state)
{
	for (size_t i = 0; store_backends[i] != NULL; i++)
		run_contract(store_backends[i]->scheme);
}

static void
test_sqlite_keeps(void **state)
{
	char         *url = mem_printf("sqlite:%s/kept", folder);
	struct store *store = open_store(url), *reader;
	struct sample sample;
	struct err    err;

	make_sample(&sample, 1, "kept");
	assert_int_equal(append(store, &sample), STORE_STORED);
	assert_null(store_open(url, false, &err));
	assert_non_null(strstr(err.text, "another plprobe-collector"));
	reader = store_open(url, true, &err);
	assert_non_null(reader);
	assert_int_equal(load(reader).batches, 1);
	sample.batch.seq = 2;
	assert_false(store_put(reader, &(struct store_finding){ .agent = "a" }, 1, &err));
	store_close(reader);
	store_close(store);
	store = open_store(url);
	sample.batch.seq = 1;
	assert_int_equal(append(store, &sample), STORE_DUPLICATE);
	store_close(store);
	free_sample(&sample);
	free(url);
}

static void
test_urls(void **state)
{
	struct err err;

	assert_null(store_open("oracle:x", false, &err));
	assert_non_null(strstr(err.text, "sqlite:PATH"));
	assert_null(store_open("memory:x", false, &err));
	assert_null(store_open("sqlite:/no/such/folder/db", false, &err));
	assert_non_null(strstr(err.text, "/no/such/folder"));
}

static void
test_newer_schema(void **state)
{
	char *path = mem_printf("%s/newer", folder), *url = mem_printf("sqlite:%s", path);
	unsigned char version[4] = { 0, 0, 0, 99 };
	struct err    err;
	FILE         *file;

	store_close(open_store(url));
	file = fopen(path, "r+b");
	assert_non_null(file);
	assert_int_equal(fseek(file, 60, SEEK_SET), 0); /* user_version [sqlite-format 1.3] */
	assert_int_equal(fwrite(version, 1, 4, file), 4);
	fclose(file);
	assert_null(store_open(url, false, &err));
	assert_non_null(strstr(err.text, "newer"));
	free(path);
	free(url);
}

static void
run_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

#define WITHOUT_AFTER                                                                       \
	"ALTER TABLE documents DROP COLUMN after_agent; ALTER TABLE documents DROP COLUMN " \
	"after_epoch; ALTER TABLE documents DROP COLUMN after_seq;"

/* Findings of before there were states: open ones had counted from the first look on. */
static void
test_older_schema(void **state)
{
	char *path = mem_printf("%s/older", folder), *url = mem_printf("sqlite:%s", path);
	struct store *store;
	struct found  found;
	struct err    err;

	store_close(open_store(url));
	run_sql(path,
	    "ALTER TABLE findings DROP COLUMN state; ALTER TABLE findings DROP COLUMN looks;"
	    "ALTER TABLE findings DROP COLUMN mode;"
	    "ALTER TABLE findings DROP COLUMN confirmed_ms;"
	    "ALTER TABLE findings DROP COLUMN looked_ms; " WITHOUT_AFTER
	    "PRAGMA user_version = 2;"
	    "INSERT INTO findings VALUES('vm-a', 'a', '', 'C', 'h', 5, 9, 0, '', '', '', 'of "
	    "old', '', '');");
	assert_null(store_open(url, true, &err));
	assert_non_null(strstr(err.text, "plprobe-collector run"));
	store = open_store(url);
	found = load(store);
	assert_int_equal(found.findings, 1);
	assert_string_equal(found.sentence, "of old");
	assert_string_equal(found.state, "confirmed");
	assert_string_equal(found.looks, "!");
	assert_int_equal(found.confirmed_ms, 5);
	assert_int_equal(found.looked_ms, 9);
	store_close(store);
	store = store_open(url, true, &err);
	assert_non_null(store);
	store_close(store);
	free(path);
	free(url);
}

/* Versions of documents of before it was written down which batch they are behind. */
static void
test_older_documents(void **state)
{
	char *path = mem_printf("%s/unmarked", folder), *url = mem_printf("sqlite:%s", path);
	struct store *store = open_store(url);
	struct err    err;

	keep(store, "a.json", "one", 10);
	store_close(store);
	run_sql(path, WITHOUT_AFTER "PRAGMA user_version = 3;");
	assert_null(store_open(url, true, &err));
	store = open_store(url);
	keep(store, "a.json", "two", 20);
	assert_string_equal(load(store).changes,
	    "a.json account contoso other 10 [one];a.json account contoso other 20 [two];");
	assert_string_equal(load(store).after, "?/0/0;/0/0;");
	store_close(store);
	free(path);
	free(url);
}

/* Stores batch after batch, and writes each number to the pipe once the store has answered. */
static void
store_for_ever(const char *url, int pipe_fd)
{
	struct store *store = store_open(url, false, NULL);
	struct sample sample;

	for (uint32_t seq = 1; store != NULL; seq++) {
		const struct store_batch *batch = &sample.batch;
		enum store_answer         answer;

		make_sample(&sample, seq, "durable");
		if (!store_append(store, &batch, 1, &answer, NULL) ||
		    write(pipe_fd, &seq, sizeof(seq)) != sizeof(seq))
			break;
		free_sample(&sample);
	}
	_exit(1);
}

static void
test_sqlite_survives_kill(void **state)
{
	for (int round = 0; round < 5; round++) {
		char         *url = mem_printf("sqlite:%s/kill%d", folder, round);
		uint32_t      seq = 0, answered = 0;
		int           fds[2], status;
		pid_t         child;
		struct store *store;
		struct err    err;

		assert_int_equal(pipe(fds), 0);
		child = fork();
		if (child == 0)
			store_for_ever(url, fds[1]);
		close(fds[1]);
		while (answered < 20u + (unsigned)round * 7 &&
		    read(fds[0], &seq, sizeof(seq)) == sizeof(seq))
			answered = seq;
		kill(child, SIGKILL);
		while (read(fds[0], &seq, sizeof(seq)) == sizeof(seq))
			answered = seq;
		waitpid(child, &status, 0);
		close(fds[0]);
		assert_true(WIFSIGNALED(status));
		store = open_store(url);
		assert_in_range(load(store).batches, answered, answered + 1);
		if (!store_check(store, &err))
			fail_msg("%s", err.text);
		store_close(store);
		free(url);
	}
}

static int
make_folder(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/plprobe-store-XXXXXX");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
remove_folder(void **state)
{
	char *command = mem_printf("rm -rf %s", folder);
	int   code = system(command);

	free(command);
	return code;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contract),
		cmocka_unit_test(test_sqlite_keeps),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_newer_schema),
		cmocka_unit_test(test_older_schema),
		cmocka_unit_test(test_older_documents),
		cmocka_unit_test(test_sqlite_survives_kill),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
