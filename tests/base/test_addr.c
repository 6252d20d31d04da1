#include "base/addr.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static const struct parse_case {
	const char *text;
	const char *rendered; /* with port; NULL: refused */
} parse_cases[] = {
	{ "10.0.0.1", "10.0.0.1:53" },
	{ "10.0.0.1:5353", "10.0.0.1:5353" },
	{ "10.0.0.1:65535", "10.0.0.1:65535" },
	{ "::1", "[::1]:53" },
	{ "[::1]", "[::1]:53" },
	{ "[::1]:5353", "[::1]:5353" },
	{ "2001:DB8:0:0:0:0:0:1", "[2001:db8::1]:53" },
	{ "::ffff:10.0.0.1", "10.0.0.1:53" },
	{ "[::ffff:10.0.0.1]:80", "10.0.0.1:80" },
	{ "fe80::1%1", "[fe80::1%1]:53" },
	{ "fe80::1%lo", "[fe80::1%1]:53" },
	{ "", NULL },
	{ "10.0.0", NULL },
	{ "10.0.0.1.2", NULL },
	{ "10.0.0.256", NULL },
	{ "010.0.0.1", NULL },
	{ "10.0.0.1:", NULL },
	{ "10.0.0.1:0", NULL },
	{ "10.0.0.1:65536", NULL },
	{ "10.0.0.1:53x", NULL },
	{ "10.0.0.1:-1", NULL },
	{ "10.0.0.1:+1", NULL },
	{ "10.0.0.1: 1", NULL },
	{ "[10.0.0.1", NULL },
	{ "[::1]x", NULL },
	{ "[::1]:", NULL },
	{ "::1:53:", NULL },
	{ "host.example", NULL },
	{ "fe80::1%nosuchdevice", NULL },
	{ "fe80::1%1x", NULL },
	{ "fe80::1%", NULL },
	{ "10.0.0.1%1", NULL },
	{ "111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
	  "1",
	    NULL },
};

static void
test_parse(void **state)
{
	for (size_t i = 0; i < sizeof(parse_cases) / sizeof(parse_cases[0]); i++) {
		const struct parse_case *c = &parse_cases[i];
		char                     text[ADDR_TEXT];
		struct addr              addr;
		struct err               err = { .text = "" };
		bool                     good = addr_parse(&addr, c->text, 53, &err);

		if (good != (c->rendered != NULL))
			fail_msg("'%s' %s %s", c->text, good ? "taken" : "refused:", err.text);
		if (good)
			assert_string_equal(
			    addr_render_port(&addr, text, sizeof(text)), c->rendered);
		else
			assert_true(strlen(err.text) > 0);
	}
}

/* Port 0 is for those who listen only. */
static void
test_parse_listen(void **state)
{
	struct addr addr;
	struct err  err;

	assert_true(addr_parse_listen(&addr, "127.0.0.1:0", 8643, &err));
	assert_int_equal(addr.port, 0);
	assert_true(addr_parse_listen(&addr, "[::]:0", 8643, &err));
	assert_int_equal(addr.port, 0);
	assert_true(addr_parse_listen(&addr, "0.0.0.0", 8643, &err));
	assert_int_equal(addr.port, 8643);
	assert_false(addr_parse_listen(&addr, "127.0.0.1:", 8643, &err));
	assert_string_equal(err.text, "port '': a number from 0 to 65535 wanted");
	assert_false(addr_parse(&addr, "127.0.0.1:0", 8643, &err));
	assert_string_equal(err.text, "port '0': a number from 1 to 65535 wanted");
}

static void
test_render(void **state)
{
	struct addr none = { 0 };
	char        text[ADDR_TEXT];

	assert_string_equal(addr_render(&none, text, sizeof(text)), "-");
	none = addr_from_bytes("\x7f\0\0\1", 4, 8);
	assert_string_equal(addr_render(&none, text, sizeof(text)), "127.0.0.1");
	none = addr_from_bytes("12345", 5, 8);
	assert_int_equal(none.family, 0);
}

static const struct class_case {
	const char *text;
	enum addr_class class;
} class_cases[] = {
	{ "9.255.255.255", ADDR_PUBLIC },
	{ "10.0.0.0", ADDR_PRIVATE },
	{ "10.255.255.255", ADDR_PRIVATE },
	{ "11.0.0.0", ADDR_PUBLIC },
	{ "172.15.255.255", ADDR_PUBLIC },
	{ "172.16.0.0", ADDR_PRIVATE },
	{ "172.31.255.255", ADDR_PRIVATE },
	{ "172.32.0.0", ADDR_PUBLIC },
	{ "192.167.255.255", ADDR_PUBLIC },
	{ "192.168.0.1", ADDR_PRIVATE },
	{ "192.169.0.0", ADDR_PUBLIC },
	{ "100.63.255.255", ADDR_PUBLIC },
	{ "100.64.0.0", ADDR_SHARED },
	{ "100.127.255.255", ADDR_SHARED },
	{ "100.128.0.0", ADDR_PUBLIC },
	{ "127.255.255.255", ADDR_LOOPBACK },
	{ "169.254.169.254", ADDR_LINK_LOCAL },
	{ "168.63.129.16", ADDR_PUBLIC },
	{ "223.255.255.255", ADDR_PUBLIC },
	{ "224.0.0.1", ADDR_MULTICAST },
	{ "239.255.255.255", ADDR_MULTICAST },
	{ "240.0.0.0", ADDR_RESERVED },
	{ "255.255.255.255", ADDR_RESERVED },
	{ "0.0.0.0", ADDR_RESERVED },
	{ "192.0.2.1", ADDR_RESERVED },
	{ "198.18.0.1", ADDR_RESERVED },
	{ "198.19.255.255", ADDR_RESERVED },
	{ "198.20.0.0", ADDR_PUBLIC },
	{ "203.0.113.9", ADDR_RESERVED },
	{ "::", ADDR_RESERVED },
	{ "::1", ADDR_LOOPBACK },
	{ "::2", ADDR_RESERVED },
	{ "fc00::1", ADDR_PRIVATE },
	{ "fdff::1", ADDR_PRIVATE },
	{ "fe00::1", ADDR_PUBLIC },
	{ "fe80::1", ADDR_LINK_LOCAL },
	{ "febf::1", ADDR_LINK_LOCAL },
	{ "fec0::1", ADDR_PUBLIC },
	{ "ff02::1", ADDR_MULTICAST },
	{ "2001:db8::1", ADDR_RESERVED },
	{ "2603:1030::1", ADDR_PUBLIC },
	{ "::ffff:10.1.2.3", ADDR_PRIVATE },
};

static const struct public_case {
	const char *text;
	bool        is_public;
} public_cases[] = {
	{ "20.50.1.1", true },
	{ "2603:1030::1", true },
	{ "64:ff9b::1432:101", true }, /* 20.50.1.1 */
	{ "2002:1432:101::1", true },  /* likewise */
	{ "10.0.0.1", false },
	{ "100.64.0.1", false },
	{ "169.254.169.254", false },
	{ "127.0.0.1", false },
	{ "203.0.113.9", false },
	{ "fd00::1", false },
	{ "64:ff9b::a00:1", false },     /* 10.0.0.1 */
	{ "64:ff9b::a9fe:a9fe", false }, /* 169.254.169.254 */
	{ "2002:a00:1::1", false },      /* 10.0.0.1 */
	{ "::a00:1", false },            /* likewise */
	{ "::ffff:10.0.0.1", false },
};

static void
test_is_public(void **state)
{
	struct addr addr;

	for (size_t i = 0; i < sizeof(public_cases) / sizeof(public_cases[0]); i++) {
		assert_true(addr_parse(&addr, public_cases[i].text, 0, NULL));
		if (addr_is_public(&addr) != public_cases[i].is_public)
			fail_msg("%s: %d", public_cases[i].text, !public_cases[i].is_public);
	}
}

static void
test_class(void **state)
{
	struct addr addr;

	for (size_t i = 0; i < sizeof(class_cases) / sizeof(class_cases[0]); i++) {
		assert_true(addr_parse(&addr, class_cases[i].text, 0, NULL));
		if (addr_class(&addr) != class_cases[i].class)
			fail_msg("%s is %s", class_cases[i].text,
			    addr_class_name(addr_class(&addr)));
	}
	addr.family = 0;
	assert_int_equal(addr_class(&addr), ADDR_RESERVED);
	assert_string_equal(addr_class_name(ADDR_LINK_LOCAL), "link-local");
}

/* To the kernel's form and back, nothing is lost. */
static void
test_sockaddr(void **state)
{
	static const char *const texts[] = { "10.1.2.3:443", "[2001:db8::7]:53",
		"[fe80::1%1]:9" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct sockaddr_storage room;
		struct addr             addr, back;
		char                    text[ADDR_TEXT];

		assert_true(addr_parse(&addr, texts[i], 0, NULL));
		assert_int_equal(addr_to_sockaddr(&addr, &room),
		    addr.family == 4 ? sizeof(struct sockaddr_in)
		                     : sizeof(struct sockaddr_in6));
		back = addr_from_sockaddr((struct sockaddr *)&room);
		assert_string_equal(addr_render_port(&back, text, sizeof(text)), texts[i]);
		assert_true(addr_equal(&addr, &back));
	}
}

static void
test_compare(void **state)
{
	struct addr one, other;

	assert_true(addr_parse(&one, "10.0.0.1:1", 0, NULL));
	assert_true(addr_parse(&other, "10.0.0.1:2", 0, NULL));
	assert_true(addr_equal(&one, &other)); /* ports do not count */
	assert_true(addr_parse(&other, "10.0.0.2", 0, NULL));
	assert_true(addr_compare(&one, &other) < 0);
	assert_true(addr_compare(&other, &one) > 0);
	assert_true(addr_parse(&other, "::1", 0, NULL));
	assert_true(addr_compare(&one, &other) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_listen),
		cmocka_unit_test(test_render),
		cmocka_unit_test(test_class),
		cmocka_unit_test(test_is_public),
		cmocka_unit_test(test_sockaddr),
		cmocka_unit_test(test_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
