#include "probe/refusal.h"

#include "proto/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define BLOCKED "This is blocked by your Cosmos DB account firewall settings."

/* As recorded, and as documented [cosmos-forbidden]. */
static const struct words_case {
	const char *name, *words;
	uint32_t    path;
	const char *client;
	bool        firewall;
	const char *activity_id;
} words_cases[] = {
	{ "public internet",
	    "Request originated from IP 20.1.2.3 through public internet. " BLOCKED
	    "\r\nActivityId: 0f1e2d3c-0000-4000-8000-123456789abc, Microsoft",
	    PATH_PUBLIC_INTERNET, "20.1.2.3", true, "0f1e2d3c-0000-4000-8000-123456789abc" },
	{ "as documented",
	    "Request originated from client IP {20.1.2.3} through public internet.",
	    PATH_PUBLIC_INTERNET, "20.1.2.3", true, "" },
	{ "ends a sentence", "originated from IP 2001:DB8::1: public internet",
	    PATH_PUBLIC_INTERNET, "2001:db8::1", true, "" },
	{ "service endpoint", "Request originated from VNET through service endpoint. " BLOCKED,
	    PATH_SERVICE_ENDPOINT, "", true, "" },
	{ "private endpoint", "REQUEST ORIGINATED FROM client VNET THROUGH PRIVATE ENDPOINT.",
	    PATH_PRIVATE_ENDPOINT, "", true, "" },
	{ "MongoDB",
	    "Error=13, Details='Request originated from IP 4.5.6.7 through public internet. "
	    "This is blocked by your CosmosDB account firewall settings.",
	    PATH_PUBLIC_INTERNET, "4.5.6.7", true, "" },
	{ "way not told",
	    "Request is blocked. Please check your authorization token and Cosmos DB account "
	    "firewall settings.",
	    PATH_NOT_TOLD, "", true, "" },
	{ "way in the wrong order", "private endpoint, originated from nowhere", PATH_NOT_TOLD,
	    "", false, "" },
	{ "no address behind IP", "the IP range of 300.1.2.3, IP dead.beef.", PATH_NOT_TOLD, "",
	    false, "" },
	{ "second IP counts", "IP address: IP 10.0.0.5", PATH_NOT_TOLD, "10.0.0.5", false, "" },
	{ "not a refusal of ours", "command find requires authentication", PATH_NOT_TOLD, "",
	    false, "" },
	{ "id cut at our limit",
	    "ActivityId: 00000000000000000000000000000000000000000000000000000000000000001",
	    PATH_NOT_TOLD, "", false,
	    "0000000000000000000000000000000000000000000000000000000000000000" },
	{ "nothing", "", PATH_NOT_TOLD, "", false, "" },
};

static void
test_words(void **state)
{
	struct arena *arena = arena_new();

	for (size_t i = 0; i < sizeof(words_cases) / sizeof(words_cases[0]); i++) {
		const struct words_case *c = &words_cases[i];

		print_message("%s\n", c->name);
		assert_int_equal(refusal_path(c->words), c->path);
		assert_string_equal(refusal_client(c->words, arena), c->client);
		assert_int_equal(refusal_is_of_firewall(c->words), c->firewall);
		assert_string_equal(refusal_activity_id(c->words, arena), c->activity_id);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
