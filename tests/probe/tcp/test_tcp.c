#include "tests/support/support_peer.h"
#include "tests/support/support_probe.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct support_probe *
ask_address(const char *text, uint16_t port, const struct probe_options *options)
{
	struct probe_ask      ask = { .kind = "tcp", .limit_ms = 5000 };
	struct support_probe *run;

	assert_true(addr_parse(&ask.peer, text, port, NULL));
	run = support_probe_run(options, &ask);
	assert_int_equal(run->overs, 1);
	return run;
}

static void
test_connected(void **state)
{
	struct support_peer  *peer = support_peer_start(support_peer_silent, NULL);
	struct probe_options  options = { .in_flight_max = 0 };
	struct support_probe *run;

	run = ask_address("127.0.0.1", support_peer_addr(peer).port, &options);
	assert_int_equal(run->endpoint.tcp, OUTCOME_OK);
	assert_in_range(run->endpoint.tcp_us, 1, 1000000);
	assert_string_equal(run->endpoint.local, "127.0.0.1");
	assert_int_equal(run->endpoint.os_errno, 0);
	/* What is another kind's stays as it was. */
	assert_int_equal(run->endpoint.tls, OUTCOME_NOT_RUN);
	assert_null(run->endpoint.tls_version);
	assert_null(run->endpoint.detail);
	support_probe_free(run);

	options.source = addr_from_bytes("\x7f\0\0\x09", 4, 0);
	run = ask_address("127.0.0.1", support_peer_addr(peer).port, &options);
	assert_int_equal(run->endpoint.tcp, OUTCOME_OK);
	assert_string_equal(run->endpoint.local, "127.0.0.9");
	support_probe_free(run);
	support_peer_stop(peer);
}

static void
test_over_ipv6(void **state)
{
	struct sockaddr_storage at;
	struct addr             addr;
	socklen_t               count;
	int                     fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct support_probe   *run;

	assert_true(addr_parse(&addr, "::1", 0, NULL));
	count = addr_to_sockaddr(&addr, &at);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, count) != 0) {
		close(fd);
		skip(); /* this machine has no IPv6 */
	}
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &count), 0);
	addr = addr_from_sockaddr((struct sockaddr *)&at);
	run = ask_address("::1", addr.port, &(struct probe_options){ .in_flight_max = 1 });
	assert_int_equal(run->endpoint.tcp, OUTCOME_OK);
	assert_string_equal(run->endpoint.local, "::1");
	support_probe_free(run);
	close(fd);
}

static bool
allow_nothing(void *arg, const struct addr *peer)
{
	*(struct addr *)arg = *peer;
	return false;
}

static void
test_policy(void **state)
{
	struct addr           asked;
	struct probe_options  options = { .allows = allow_nothing, .allows_arg = &asked };
	struct support_probe *run = ask_address("127.0.0.1", 7, &options);

	assert_int_equal(run->endpoint.tcp, OUTCOME_POLICY);
	assert_string_equal(run->endpoint.local, "");
	assert_int_equal(asked.family, 4);
	assert_int_equal(asked.port, 7);
	assert_non_null(strstr(run->endpoint.detail, "policy"));
	support_probe_free(run);

	/* Behind the other notation is the same address. */
	run = ask_address("::ffff:127.0.0.1", 7, &options);
	assert_int_equal(run->endpoint.tcp, OUTCOME_POLICY);
	assert_int_equal(asked.family, 4);
	support_probe_free(run);
}

static void
test_unreachable(void **state)
{
	struct probe_options  options = { .in_flight_max = 0 };
	struct support_probe *run = ask_address("127.255.255.255", 443, &options);

	assert_int_equal(run->endpoint.tcp, OUTCOME_UNREACHABLE);
	assert_int_equal(run->endpoint.os_errno, ENETUNREACH);
	assert_int_equal(run->endpoint.tcp_us, 0);
	support_probe_free(run);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connected),
		cmocka_unit_test(test_over_ipv6),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_unreachable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
