/* What the kernel says of a connection, caused for real: routes and firewalls in a network
 * namespace of our own, where nothing leaves the machine. */
#include "probe/conn_socket.h"

#include "tests/support/support_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool alone; /* in a namespace of our own, with what set_scene says */

static const char scene[] =
    "ip link set lo up && ip route add 10.0.0.0/24 dev lo &&"
    "ip route add prohibit 10.1.0.0/24 && ip route add blackhole 10.2.0.0/24 &&"
    "ip route add unreachable 10.3.0.0/24 && ip -6 route add prohibit fd00:1::/64 &&"
    "nft -f - <<'RULES'\n"
    "table inet scene {\n"
    "	chain in {\n"
    "		type filter hook input priority 0\n"
    "		tcp dport 1001 reject with icmp type admin-prohibited\n"
    "		tcp dport 1002 reject with icmp type port-unreachable\n"
    "		tcp dport 1003 reject with tcp reset\n"
    "		tcp dport 1004 drop\n"
    "		tcp dport 1005 reject with icmp type host-unreachable\n"
    "		tcp dport 1006 reject with icmp type net-prohibited\n"
    "		tcp dport 1007 reject with icmpv6 type admin-prohibited\n"
    "		tcp dport 1008 reject with icmpv6 type port-unreachable\n"
    "	}\n"
    "}\n"
    "RULES\n";

static bool
write_file(const char *path, const char *text)
{
	int  fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* Root of a user namespace, so that it works for anybody; before there is a second thread. */
static bool
go_alone(void)
{
	char map[64];

	snprintf(map, sizeof(map), "0 %u 1", geteuid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	return write_file("/proc/self/uid_map", map) && system(scene) == 0;
}

static const struct cause_case {
	const char  *name, *address;
	uint16_t     port;
	enum outcome tcp;
	int          error;
	const char  *words;
} cause_cases[] = {
	{ "RST of a closed port", "127.0.0.1", 1, OUTCOME_REFUSED, ECONNREFUSED,
	    "connect: Connection refused" },
	{ "RST of a firewall", "127.0.0.1", 1003, OUTCOME_REFUSED, ECONNREFUSED,
	    "connect: Connection refused" },
	{ "ICMP port unreachable", "127.0.0.1", 1002, OUTCOME_REFUSED, ECONNREFUSED,
	    "by ICMP port unreachable (3/3) from 127.0.0.1" },
	{ "ICMP prohibited", "127.0.0.1", 1001, OUTCOME_UNREACHABLE, EHOSTUNREACH,
	    "by ICMP administratively prohibited (3/13) from 127.0.0.1" },
	{ "ICMP host unreachable", "127.0.0.1", 1005, OUTCOME_UNREACHABLE, EHOSTUNREACH,
	    "by ICMP host unreachable (3/1) from 127.0.0.1" },
	{ "ICMP network prohibited", "127.0.0.1", 1006, OUTCOME_UNREACHABLE, ENETUNREACH,
	    "by ICMP network prohibited (3/9) from 127.0.0.1" },
	{ "drop", "127.0.0.1", 1004, OUTCOME_TIMEOUT, 0, "no answer to our SYN" },
	{ "no route", "192.0.2.1", 443, OUTCOME_UNREACHABLE, ENETUNREACH,
	    "connect: Network is unreachable" },
	{ "prohibit route", "10.1.0.1", 443, OUTCOME_UNREACHABLE, EACCES, "Permission denied" },
	{ "blackhole route", "10.2.0.1", 443, OUTCOME_UNREACHABLE, EINVAL, "Invalid argument" },
	{ "unreachable route", "10.3.0.1", 443, OUTCOME_UNREACHABLE, EHOSTUNREACH,
	    "No route to host" },
	{ "ICMPv6 prohibited", "::1", 1007, OUTCOME_UNREACHABLE, EACCES,
	    "by ICMP administratively prohibited (1/1) from ::1" },
	{ "ICMPv6 port unreachable", "::1", 1008, OUTCOME_REFUSED, ECONNREFUSED,
	    "by ICMP port unreachable (1/4) from ::1" },
	{ "IPv6 prohibit route", "fd00:1::1", 443, OUTCOME_UNREACHABLE, EACCES,
	    "Permission denied" },
};

static void
test_causes(void **state)
{
	if (!alone)
		skip();
	for (size_t i = 0; i < sizeof(cause_cases) / sizeof(cause_cases[0]); i++) {
		const struct cause_case *c = &cause_cases[i];
		struct probe_options     options = { .in_flight_max = 1 };
		struct probe_ask         ask = { .kind = "tcp" };
		struct support_probe    *run;

		print_message("%s\n", c->name);
		ask.limit_ms = c->tcp == OUTCOME_TIMEOUT ? 300 : 5000;
		assert_true(addr_parse(&ask.peer, c->address, c->port, NULL));
		run = support_probe_run(&options, &ask);
		assert_int_equal(run->endpoint.tcp, c->tcp);
		assert_int_equal(run->endpoint.os_errno, c->error);
		if (strstr(run->endpoint.detail, c->words) == NULL)
			fail_msg("'%s' does not say '%s'", run->endpoint.detail, c->words);
		support_probe_free(run);
	}
}

static void
test_outcomes(void **state)
{
	assert_int_equal(conn_socket_outcome(ECONNRESET), OUTCOME_RESET);
	assert_int_equal(conn_socket_outcome(ETIMEDOUT), OUTCOME_TIMEOUT);
	assert_int_equal(conn_socket_outcome(EMFILE), OUTCOME_LOCAL);
	assert_int_equal(conn_socket_outcome(EADDRNOTAVAIL), OUTCOME_LOCAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_outcomes),
	};

	alone = go_alone();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
