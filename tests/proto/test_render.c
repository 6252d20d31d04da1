#include "proto/render.h"

#include "base/json.h"
#include "tests/support/support_records.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct hop         hop = { .owner = "a \"b\"", .target = NULL, .ttl_s = 0 };
static struct rdata       rdata = { .address = "10.0.0.4", .ttl_s = 60 };
static struct dns         dns = { .resolver = "10.0.0.1",
	        .outcome = OUTCOME_NXDOMAIN,
	        .transport = 77,
	        .truncated = true,
	        .hops = &hop,
	        .hops_count = 1,
	        .addresses = &rdata,
	        .addresses_count = 1 };
static struct measurement measurement = {
	.started_ms = 1795468085678, .took_us = 12, .dns = &dns, .dns_count = 1
};

static void
test_json(void **state)
{
	struct wbuf out;

	wbuf_init(&out);
	render_json_text(&measurement_desc, &measurement, false, 0, &out);
	assert_string_equal(wbuf_text(&out),
	    "{\"started_ms\":1795468085678,\"took_us\":12,\"dns\":[{\"resolver\":\"10.0.0.1\","
	    "\"outcome\":\"nxdomain\",\"transport\":\"unknown(77)\",\"truncated\":true,"
	    "\"hops\":[{\"owner\":\"a \\\"b\\\"\"}],"
	    "\"addresses\":[{\"address\":\"10.0.0.4\",\"ttl_s\":60}]}]}");
	wbuf_clear(&out);
	render_json_text(&hop_desc, &hop, true, 0, &out);
	assert_string_equal(
	    wbuf_text(&out), "{\"owner\":\"a \\\"b\\\"\",\"target\":\"\",\"ttl_s\":0}");
	wbuf_fini(&out);
}

static void
test_json_u64(void **state)
{
	struct gap  gap = { .epoch = UINT64_MAX, .records = INT64_MAX };
	struct wbuf out;

	wbuf_init(&out);
	render_json_text(&gap_desc, &gap, false, 0, &out);
	assert_string_equal(wbuf_text(&out),
	    "{\"epoch\":\"18446744073709551615\",\"records\":9223372036854775807}");
	wbuf_fini(&out);
}

/* Whatever is in a record, its JSON can be read, and with `all` has every field. */
static void
test_json_of_random_records(void **state)
{
	struct support_random random = support_random_new();
	struct wbuf           out;
	struct err            err;

	wbuf_init(&out);
	for (int round = 0; round < 200; round++) {
		struct arena              *arena = arena_new();
		const struct message_desc *desc = message_descs[(unsigned)round % 10];
		json_t                    *got;

		wbuf_clear(&out);
		render_json_text(desc, support_records_make(desc, arena, &random, 3),
		    round % 2 != 0, (unsigned)round % 5, &out);
		got = json_read(wbuf_text(&out), out.count, "rendered", &err);
		if (got == NULL)
			fail_msg("%s", err.text);
		if (round % 2 != 0)
			assert_int_equal(json_object_size(got), desc->field_count);
		json_decref(got);
		arena_free(arena);
	}
	wbuf_fini(&out);
}

static void
test_text(void **state)
{
	struct wbuf out;

	wbuf_init(&out);
	render_text(&measurement_desc, &measurement, &out);
	assert_string_equal(wbuf_text(&out),
	    "started_ms: 1795468085678 (2026-11-23T21:08:05.678Z)\n"
	    "took_us: 12\n"
	    "dns[0]:\n"
	    "  resolver: 10.0.0.1\n"
	    "  outcome: nxdomain\n"
	    "  transport: unknown(77)\n"
	    "  truncated: yes\n"
	    "  hops[0]:\n"
	    "    owner: a \"b\"\n"
	    "  addresses[0]:\n"
	    "    address: 10.0.0.4\n"
	    "    ttl_s: 60\n");
	wbuf_fini(&out);
}

static void
test_text_of_every_type(void **state)
{
	struct gap    gap = { .epoch = UINT64_MAX, .at_ms = -1, .reason = "spool-age" };
	struct vitals vitals = { .at_ms = 0, .boot_ns = 7, .version = NULL };
	struct record records[] = { { .gap = &gap }, { .vitals = &vitals } };
	struct batch  batch = { .v = 1, .records = records, .records_count = 2 };
	struct wbuf   out;

	wbuf_init(&out);
	render_text(&batch_desc, &batch, &out);
	assert_string_equal(wbuf_text(&out),
	    "v: 1\n"
	    "records[0]:\n"
	    "  gap:\n"
	    "    epoch: 18446744073709551615\n"
	    "    reason: spool-age\n"
	    "    at_ms: -1 (1969-12-31T23:59:59.999Z)\n"
	    "records[1]:\n"
	    "  vitals:\n"
	    "    boot_ns: 7\n");
	wbuf_fini(&out);
}

struct binder {
	sqlite3_stmt *insert;
	int           at;
};

static void
bind_one(void *arg, const char *text, int64_t number)
{
	struct binder *binder = arg;

	if (text != NULL)
		sqlite3_bind_text(binder->insert, ++binder->at, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_int64(binder->insert, ++binder->at, number);
}

static void
run_sql(sqlite3 *db, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
}

static void
insert_row(sqlite3 *db, const struct message_desc *desc, const void *from)
{
	struct binder binder = { 0 };
	struct wbuf   sql;
	size_t        scalars = 0;

	wbuf_init(&sql);
	for (size_t i = 0; i < desc->field_count; i++)
		scalars += desc->fields[i].type != FIELD_LIST &&
		    desc->fields[i].type != FIELD_SUB;
	wbuf_printf(&sql, "INSERT INTO t_%s (", desc->name);
	render_sql_names(desc, "x_", &sql);
	wbuf_puts(&sql, ") VALUES (");
	for (size_t i = 0; i < scalars; i++)
		wbuf_puts(&sql, i != 0 ? ", ?" : "?");
	wbuf_puts(&sql, ")");
	if (sqlite3_prepare_v2(db, wbuf_text(&sql), -1, &binder.insert, NULL) != SQLITE_OK)
		fail_msg("%s: %s", wbuf_text(&sql), sqlite3_errmsg(db));
	render_sql_values(desc, from, bind_one, &binder);
	assert_int_equal(binder.at, scalars);
	assert_int_equal(sqlite3_step(binder.insert), SQLITE_DONE);
	sqlite3_finalize(binder.insert);
	wbuf_fini(&sql);
}

static void
assert_column(sqlite3_stmt *row, const struct field_desc *field, int column, const void *from)
{
	const void *member = (const char *)from + field->at;
	int64_t     number = sqlite3_column_int64(row, column);

	switch (field->type) {
	case FIELD_TEXT:
		assert_string_equal((const char *)sqlite3_column_text(row, column),
		    *(const char *const *)member);
		break;
	case FIELD_U64: assert_true(number == (int64_t) * (const uint64_t *)member); break;
	case FIELD_I64: assert_true(number == *(const int64_t *)member); break;
	case FIELD_BOOL: assert_true(number == *(const bool *)member); break;
	default: assert_true(number == *(const uint32_t *)member); break;
	}
}

static void
assert_row(sqlite3 *db, const struct message_desc *desc, const void *from)
{
	sqlite3_stmt *row;
	char          sql[100];
	int           column = 0;

	snprintf(sql, sizeof(sql), "SELECT * FROM t_%s", desc->name);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	for (size_t i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[i];

		if (field->type == FIELD_LIST || field->type == FIELD_SUB)
			continue;
		assert_column(row, field, column++, from);
	}
	assert_int_equal(sqlite3_column_count(row), column);
	sqlite3_finalize(row);
}

/* A real database takes the columns, and gives every value back under the name it was put. */
static void
test_sql(void **state)
{
	struct support_random random = support_random_new();
	struct arena         *arena = arena_new();
	struct wbuf           sql;
	sqlite3              *db;

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	wbuf_init(&sql);
	for (size_t i = 0; message_descs[i] != NULL; i++) {
		const struct message_desc *desc = message_descs[i];
		const void                *from = support_records_make(desc, arena, &random, 1);

		wbuf_clear(&sql);
		render_sql_columns(desc, "x_", &sql);
		if (sql.count == 0)
			continue; /* nothing but lists and messages */
		wbuf_clear(&sql);
		wbuf_printf(&sql, "CREATE TABLE t_%s (", desc->name);
		render_sql_columns(desc, "x_", &sql);
		wbuf_puts(&sql, ")");
		run_sql(db, wbuf_text(&sql));
		insert_row(db, desc, from);
		assert_row(db, desc, from);
	}
	wbuf_fini(&sql);
	sqlite3_close(db);
	arena_free(arena);
}

static void
test_sql_text(void **state)
{
	struct wbuf out;

	wbuf_init(&out);
	render_sql_columns(&rdata_desc, "", &out);
	assert_string_equal(wbuf_text(&out),
	    "address TEXT NOT NULL DEFAULT '', ttl_s INTEGER NOT NULL DEFAULT 0");
	wbuf_clear(&out);
	render_sql_names(&rdata_desc, "r_", &out);
	assert_string_equal(wbuf_text(&out), "r_address, r_ttl_s");
	wbuf_fini(&out);
}

static void
test_fields_md(void **state)
{
	struct wbuf out;
	char        line[200];

	wbuf_init(&out);
	render_fields_md(&out);
	for (size_t i = 0; message_descs[i] != NULL; i++) {
		snprintf(line, sizeof(line), "\n## %s\n", message_descs[i]->name);
		assert_non_null(strstr(wbuf_text(&out), line));
	}
	assert_non_null(
	    strstr(wbuf_text(&out), "| 21 | addresses | up to 32 [rdata](#rdata) |"));
	assert_non_null(strstr(wbuf_text(&out), "| 2 | timeout | nothing came"));
	assert_non_null(strstr(wbuf_text(&out), "| 3 | private-endpoint |"));
	assert_null(strstr(wbuf_text(&out), "unknown |"));
	wbuf_fini(&out);
}

static void
test_words(void **state)
{
	uint32_t value = 0;

	assert_string_equal(field_word(FIELD_PATH, PATH_SERVICE_ENDPOINT), "service-endpoint");
	assert_string_equal(field_word(FIELD_MODE, MODE_COUNT), "unknown");
	assert_null(field_word(FIELD_U32, 0));
	assert_null(field_word(FIELD_SUB, 0));
	assert_true(field_word_parse(FIELD_OUTCOME, "not-tls", &value));
	assert_int_equal(value, OUTCOME_NOT_TLS);
	assert_false(field_word_parse(FIELD_OUTCOME, "unknown", &value));
	assert_false(field_word_parse(FIELD_TEXT, "x", &value));
	assert_string_equal(api_name(API_CASSANDRA), "cassandra");
	assert_string_equal(mode_name(MODE_DIRECT), "direct");
	for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
		assert_non_null(outcome_name(i)); /* a number that was skipped has no word */
		assert_non_null(outcome_meaning(i));
	}
	assert_string_equal(outcome_name(OUTCOME_COUNT), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_u64),
		cmocka_unit_test(test_json_of_random_records),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_of_every_type),
		cmocka_unit_test(test_sql),
		cmocka_unit_test(test_sql_text),
		cmocka_unit_test(test_fields_md),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
