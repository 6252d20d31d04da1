#include "tests/collector/board_fixture.h"

#include "collector/metrics.h"

static const struct said well = { "vm\"a", "contoso", "", false, T0_MS };
static const struct said missing = { "vm\"a", "contoso", "eastus", true, T0_MS };

static void
write_page(struct fixture *fixture, int64_t now_ms, struct wbuf *out)
{
	wbuf_init(out);
	metrics_board(fixture->board, now_ms, out);
}

static void
assert_line(struct wbuf *out, const char *line)
{
	char *whole = mem_printf("\n%s\n", line);

	if (strstr(wbuf_text(out), whole) == NULL)
		fail_msg("no line %s in:\n%s", line, wbuf_text(out));
	free(whole);
}

static void
test_values(void **state)
{
	struct fixture fixture;
	struct wbuf    out;

	fixture_init(&fixture);
	fixture_say(&fixture, &well);
	fixture_say(&fixture, &missing);
	write_page(&fixture, T0_MS, &out);
	assert_line(
	    &out, "probe_success{account=\"contoso\",region=\"global\",agent=\"vm\\\"a\"} 1");
	/* A failed probe is a 0, not a missing series. */
	assert_line(
	    &out, "probe_success{account=\"contoso\",region=\"eastus\",agent=\"vm\\\"a\"} 0");
	assert_line(&out,
	    "probe_http_duration_seconds{account=\"contoso\",region=\"global\",agent="
	    "\"vm\\\"a\","
	    "phase=\"transfer\"} 0.001");
	assert_line(&out,
	    "probe_dns_lookup_time_seconds{account=\"contoso\",region=\"eastus\",agent="
	    "\"vm\\\"a\"} "
	    "0.0015");
	assert_line(&out,
	    "plprobe_finding{account=\"contoso\",region=\"eastus\",agent=\"vm\\\"a\",code="
	    "\"PLP-101-"
	    "REGION-NAME-MISSING\",severity=\"critical\"} 1");
	assert_line(&out, "plprobe_agent_up{agent=\"vm\\\"a\",network=\"vnet-a\"} 1");
	assert_null(strstr(wbuf_text(&out), "10.0.0."));
	wbuf_fini(&out);
	fixture_fini(&fixture);
}

/* Each mode has its own series, and the gateway's have no label for it. */
static void
test_modes(void **state)
{
	const struct said east = { "vm-b", "contoso", "eastus", false, T0_MS };
	struct fixture    fixture;
	struct wbuf       out;

	fixture_init(&fixture);
	fixture_say(&fixture, &east);
	fixture_say_in(&fixture, &east, MODE_DIRECT);
	write_page(&fixture, T0_MS, &out);
	assert_line(
	    &out, "probe_success{account=\"contoso\",region=\"eastus\",agent=\"vm-b\"} 1");
	assert_line(&out,
	    "probe_success{account=\"contoso\",region=\"eastus\",agent=\"vm-b\",mode="
	    "\"direct\"} "
	    "1");
	wbuf_fini(&out);
	fixture_fini(&fixture);
}

/* Each API likewise; what was not asked in HTTP has no status of it. */
static void
test_apis(void **state)
{
	const struct said east = { "vm-b", "contoso", "eastus", false, T0_MS };
	struct fixture    fixture;
	struct wbuf       out;

	fixture_init(&fixture);
	fixture_say(&fixture, &east);
	fixture_say_of(&fixture, &east, API_CASSANDRA, MODE_GATEWAY);
	write_page(&fixture, T0_MS, &out);
	assert_line(
	    &out, "probe_success{account=\"contoso\",region=\"eastus\",agent=\"vm-b\"} 1");
	assert_line(&out,
	    "probe_success{account=\"contoso\",region=\"eastus\",agent=\"vm-b\",api="
	    "\"cassandra\"} 1");
	assert_line(&out,
	    "probe_http_status_code{account=\"contoso\",region=\"eastus\",agent=\"vm-b\"} "
	    "401");
	assert_null(strstr(wbuf_text(&out),
	    "probe_http_status_code{account=\"contoso\",region=\"eastus\",agent=\"vm-b\",api"));
	wbuf_fini(&out);
	fixture_fini(&fixture);
}

/* Only what is proof of either has a series. */
static void
test_public_address(void **state)
{
	static const char name[] =
	    "plprobe_public_address_refused{account=\"contoso\",region=\"global\",agent="
	    "\"vm\\\"a\"}";
	struct rdata    address = { "20.50.1.1", 60 };
	struct dns      dns = { .resolver = "9.9.9.9",
		     .source = SOURCE_OUTSIDE,
		     .outcome = OUTCOME_OK,
		     .addresses = &address,
		     .addresses_count = 1 };
	struct endpoint end = { .address = "20.50.1.1",
		.port = 443,
		.tcp = OUTCOME_OK,
		.tls = OUTCOME_OK,
		.http = OUTCOME_HTTP_OTHER,
		.http_status = 403,
		.path = PATH_PUBLIC_INTERNET };
	struct outside  outside = {
		 .dns = &dns, .dns_count = 1, .endpoints = &end, .endpoints_count = 1
	};
	struct said    again = well;
	struct fixture fixture;
	struct wbuf    out;
	char           line[128];

	fixture_init(&fixture);
	fixture_say(&fixture, &well);
	write_page(&fixture, T0_MS, &out);
	assert_null(strstr(wbuf_text(&out), name));
	wbuf_fini(&out);
	fixture.outside = &outside;
	again.at_ms += 1000;
	fixture_say(&fixture, &again);
	write_page(&fixture, again.at_ms, &out);
	snprintf(line, sizeof(line), "%s 1", name);
	assert_line(&out, line);
	wbuf_fini(&out);
	end.http = OUTCOME_OK;
	end.http_status = 401;
	again.at_ms += 1000;
	fixture_say(&fixture, &again);
	write_page(&fixture, again.at_ms, &out);
	snprintf(line, sizeof(line), "%s 0", name);
	assert_line(&out, line);
	assert_non_null(strstr(wbuf_text(&out), "PLP-511-PUBLIC-ADDRESS-OPEN"));
	wbuf_fini(&out);
	end.tcp = OUTCOME_TIMEOUT;
	again.at_ms += 1000;
	fixture_say(&fixture, &again);
	write_page(&fixture, again.at_ms, &out);
	assert_null(strstr(wbuf_text(&out), name));
	wbuf_fini(&out);
	fixture_fini(&fixture);
}

/* Nobody is called for what one look showed, nor for what is not as of now. */
static void
test_alarms(void **state)
{
	static const char line[] =
	    "plprobe_finding{account=\"contoso\",region=\"eastus\",agent=\"vm\\\"a\",code="
	    "\"PLP-101-REGION-NAME-MISSING\",severity=\"critical\"} 1";
	struct fixture fixture;
	struct wbuf    out;
	struct said    again = missing;

	fixture_init(&fixture);
	fixture.rules.critical = (struct hysteresis){ 2, 3, 2 };
	board_free(fixture.board);
	fixture.board = fixture_board(&fixture);
	fixture_say(&fixture, &missing);
	write_page(&fixture, T0_MS, &out);
	assert_null(strstr(wbuf_text(&out), "plprobe_finding{"));
	assert_line(&out, "plprobe_findings_unconfirmed 1");
	wbuf_fini(&out);
	again.at_ms += 60000;
	fixture_say(&fixture, &again);
	write_page(&fixture, again.at_ms, &out);
	assert_line(&out, line);
	assert_line(&out, "plprobe_findings_unconfirmed 0");
	wbuf_fini(&out);
	write_page(&fixture, again.at_ms + SILENT_MS + 1, &out);
	assert_null(strstr(wbuf_text(&out), "plprobe_finding{"));
	wbuf_fini(&out);
	fixture_fini(&fixture);
}

/* A silent agent is not a broken account: its samples go, and one says why. */
static void
test_silence(void **state)
{
	struct fixture fixture;
	struct wbuf    out;

	fixture_init(&fixture);
	fixture_say(&fixture, &well);
	write_page(&fixture, T0_MS + SILENT_MS + 1, &out);
	assert_null(strstr(wbuf_text(&out), "probe_success{"));
	assert_line(&out, "plprobe_agent_up{agent=\"vm\\\"a\",network=\"vnet-a\"} 0");
	assert_non_null(strstr(wbuf_text(&out), "plprobe_agent_last_seen_timestamp_seconds{"));
	wbuf_fini(&out);
	fixture_fini(&fixture);
}

/* Prometheus' own checker has nothing to say. */
static void
test_promtool(void **state)
{
	struct fixture fixture;
	struct wbuf    out;
	FILE          *tool;

	if (system("command -v promtool >/dev/null") != 0) {
		print_message("promtool is not installed (package prometheus)\n");
		skip();
	}
	fixture_init(&fixture);
	fixture_say(&fixture, &well);
	fixture_say(&fixture, &missing);
	write_page(&fixture, T0_MS, &out);
	tool = popen("promtool check metrics", "w");
	assert_non_null(tool);
	assert_int_equal(fwrite(out.bytes, 1, out.count, tool), out.count);
	assert_int_equal(pclose(tool), 0);
	wbuf_fini(&out);
	fixture_fini(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_apis),
		cmocka_unit_test(test_public_address),
		cmocka_unit_test(test_alarms),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_promtool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
