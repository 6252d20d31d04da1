#include "base/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct net_case {
	const char *net, *inside, *outside; /* NULL: the net is refused */
} net_cases[] = {
	{ "10.20.0.0/16", "10.20.255.1", "10.21.0.0" },
	{ "10.20.0.0/15", "10.21.255.255", "10.22.0.0" },
	{ "10.1.2.3", "10.1.2.3", "10.1.2.4" },
	{ "10.1.2.3/32", "10.1.2.3", "10.1.2.2" },
	{ "0.0.0.0/0", "255.0.0.1", "::1" },
	{ "fd00::/8", "fdff::1", "fe00::1" },
	{ "fd00:0:0:1::/64", "fd00:0:0:1::9", "fd00:0:0:2::9" },
	{ "10.20.0.1/16", NULL, NULL },
	{ "10.20.0.0/33", NULL, NULL },
	{ "10.20.0.0/", NULL, NULL },
	{ "10.20.0.0/-1", NULL, NULL },
	{ "10.20.0.0/ 8", NULL, NULL },
	{ "10.20.0.0:443/16", NULL, NULL },
	{ "10.20/16", NULL, NULL },
	{ "vnet-a", NULL, NULL },
	{ "", NULL, NULL },
};

static void
test_nets(void **state)
{
	for (size_t i = 0; i < sizeof(net_cases) / sizeof(net_cases[0]); i++) {
		const struct net_case *row = &net_cases[i];
		struct net             net;
		struct addr            addr;
		struct err             err = { .text = "" };

		if (net_parse(&net, row->net, &err) != (row->inside != NULL))
			fail_msg("'%s': %s", row->net, err.text);
		if (row->inside == NULL) {
			assert_true(err.text[0] != '\0');
			continue;
		}
		assert_true(addr_parse(&addr, row->inside, 0, NULL));
		if (!net_has(&net, &addr))
			fail_msg("%s: not %s", row->net, row->inside);
		assert_true(addr_parse(&addr, row->outside, 0, NULL));
		if (net_has(&net, &addr))
			fail_msg("%s: %s", row->net, row->outside);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
