#include "agent/proxy_env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define HOST  "contoso.documents.azure.com"
#define PROXY "http://p.example:3128"

static const struct proxy_case {
	const char *name;
	const char *environment[5];
	const char *file, *host, *wanted;
} cases[] = {
	{ "nothing", { NULL }, NULL, HOST, "" },
	{ "others", { "PATH=/bin", "xhttps_proxy=http://x", "https_proxyx=http://x" }, NULL,
	    HOST, "" },
	{ "small letters", { "https_proxy=" PROXY }, NULL, HOST, PROXY },
	{ "capitals", { "HTTPS_PROXY=" PROXY }, NULL, HOST, PROXY },
	{ "small letters first", { "HTTPS_PROXY=http://x", "https_proxy=" PROXY }, NULL, HOST,
	    PROXY },
	{ "set to nothing", { "https_proxy=", "HTTPS_PROXY=" PROXY }, NULL, HOST, PROXY },
	{ "of http alone", { "http_proxy=" PROXY, "HTTP_PROXY=" PROXY }, NULL, HOST, "" },
	{ "all", { "ALL_PROXY=socks5://s:1080" }, NULL, HOST, "socks5://s:1080" },
	{ "all comes after", { "all_proxy=http://x", "HTTPS_PROXY=" PROXY }, NULL, HOST,
	    PROXY },
	{ "without scheme", { "https_proxy=p.example:3128" }, NULL, HOST, "p.example:3128" },

	{ "password", { "https_proxy=http://me:s3cret@p.example:3128" }, NULL, HOST, PROXY },
	{ "password without scheme", { "https_proxy=me:s3cret@p:1" }, NULL, HOST, "p:1" },
	{ "password with @", { "https_proxy=http://me:s3@cret@p.example:3128/" }, NULL, HOST,
	    PROXY },
	{ "password with /", { "https_proxy=http://me:s3cret/x@p:1" }, NULL, HOST,
	    "http://...p:1" },
	{ "password with @ and /", { "https_proxy=http://me:s3@cr/et@p:1" }, NULL, HOST,
	    "http://...p:1" },
	{ "password with ://", { "https_proxy=me:s3cret://x@p:1" }, NULL, HOST, "...p:1" },
	{ "path", { "https_proxy=" PROXY "/a?s3cret" }, NULL, HOST, PROXY },
	{ "control", { "https_proxy=http://p\x1b[1m:1" }, NULL, HOST, "http://p?[1m:1" },

	{ "exempt", { "https_proxy=" PROXY, "no_proxy=" HOST }, NULL, HOST, "" },
	{ "exempt in capitals", { "https_proxy=" PROXY, "NO_PROXY=a, " HOST }, NULL, HOST, "" },
	{ "suffix", { "https_proxy=" PROXY, "no_proxy=x,documents.azure.com" }, NULL, HOST,
	    "" },
	{ "suffix with dot", { "https_proxy=" PROXY, "no_proxy=.azure.com" }, NULL, HOST, "" },
	{ "dots behind", { "https_proxy=" PROXY, "no_proxy=azure.com." }, NULL, HOST ".", "" },
	{ "case", { "https_proxy=" PROXY, "no_proxy=AZURE.com" }, NULL, HOST, "" },
	{ "blanks between", { "https_proxy=" PROXY, "no_proxy=a b azure.com" }, NULL, HOST,
	    "" },
	{ "half a label", { "https_proxy=" PROXY, "no_proxy=zure.com" }, NULL, HOST, PROXY },
	{ "longer", { "https_proxy=" PROXY, "no_proxy=x." HOST }, NULL, HOST, PROXY },
	{ "dot alone", { "https_proxy=" PROXY, "no_proxy=." }, NULL, HOST, PROXY },
	{ "commas alone", { "https_proxy=" PROXY, "no_proxy=,, ," }, NULL, HOST, PROXY },
	{ "star", { "https_proxy=" PROXY, "no_proxy=*" }, NULL, HOST, "" },
	{ "star among others", { "https_proxy=" PROXY, "no_proxy=a,*" }, NULL, HOST, PROXY },
	{ "star in a name", { "https_proxy=" PROXY, "no_proxy=*.azure.com" }, NULL, HOST,
	    PROXY },
	{ "small letters first there too",
	    { "https_proxy=" PROXY, "no_proxy=x", "NO_PROXY=azure.com" }, NULL, HOST, PROXY },

	{ "address", { "https_proxy=" PROXY, "no_proxy=10.1.0.5" }, NULL, "10.1.0.5", "" },
	{ "net", { "https_proxy=" PROXY, "no_proxy=10.0.0.0/8" }, NULL, "10.1.0.5", "" },
	{ "odd net", { "https_proxy=" PROXY, "no_proxy=10.1.0.4/30" }, NULL, "10.1.0.5", "" },
	{ "outside", { "https_proxy=" PROXY, "no_proxy=10.1.0.8/30" }, NULL, "10.1.0.5",
	    PROXY },
	{ "all addresses", { "https_proxy=" PROXY, "no_proxy=0.0.0.0/0" }, NULL, "10.1.0.5",
	    "" },
	{ "too many bits", { "https_proxy=" PROXY, "no_proxy=10.1.0.5/33" }, NULL, "10.1.0.5",
	    PROXY },
	{ "no bits", { "https_proxy=" PROXY, "no_proxy=10.1.0.5/" }, NULL, "10.1.0.5", PROXY },
	{ "IPv6", { "https_proxy=" PROXY, "no_proxy=fd00::/8" }, NULL, "fd00::5", "" },
	{ "a net is no suffix", { "https_proxy=" PROXY, "no_proxy=0.5" }, NULL, "10.1.0.5",
	    PROXY },

	{ "file", { NULL }, "PATH=/bin\nhttps_proxy=" PROXY "\n", HOST, PROXY },
	{ "file, quotes", { NULL }, "export HTTPS_PROXY=\"" PROXY "\"\r\n", HOST, PROXY },
	{ "file, last line", { NULL }, "https_proxy=x\nhttps_proxy='" PROXY "'", HOST, PROXY },
	{ "file, comment", { NULL }, "#https_proxy=" PROXY "\n", HOST, "" },
	{ "environment first", { "HTTPS_PROXY=" PROXY }, "https_proxy=http://x\n", HOST,
	    PROXY },
	{ "exempt by the file", { "HTTPS_PROXY=" PROXY }, "no_proxy=azure.com\n", HOST, "" },
	{ "empty file", { NULL }, "", HOST, "" },
};

static void
test_cases(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct proxy_case *c = &cases[i];
		struct arena            *arena = arena_new();
		struct proxy_env         env = proxy_env_read(arena, c->environment, c->file);
		const char              *found = proxy_env_find(arena, &env, c->host);

		if (strcmp(found, c->wanted) != 0)
			fail_msg("%s: '%s'", c->name, found);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
