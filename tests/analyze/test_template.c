#include "analyze/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID                                                                        \
	"/subscriptions/s/resourceGroups/rg-data/providers/Microsoft.DocumentDB/" \
	"databaseAccounts/contoso"

static struct account account = { .name = "contoso",
	.id = ID,
	.host = "contoso.documents.azure.com",
	.suffix = "documents.azure.com",
	.zone = "privatelink.documents.azure.com" };
static struct target  target = { .account = "contoso",
	 .region = "westeurope",
	 .host = "contoso-westeurope.documents.azure.com" };

static struct words
words_in(struct arena *arena)
{
	return (struct words){ .arena = arena,
		.account = &account,
		.target = &target,
		.names = "these names",
		.address = "10.1.0.4, 10.1.0.5",
		.first_address = "10.1.0.4",
		.resolver = "10.0.0.2",
		.first_resolver = "10.0.0.2",
		.port = 443 };
}

static void
test_sentence(void **state)
{
	struct arena *arena = arena_new();
	struct words  words = words_in(arena);

	words.detail = "it's {odd}";
	assert_string_equal(template_sentence(&words,
	                        "{names} of {account} in {region_name}: {address} port {port}, "
	                        "{detail} {x1} {"),
	    "these names of contoso in West Europe: 10.1.0.4, 10.1.0.5 port 443, it's {odd} "
	    "{x1} {");
	arena_free(arena);
}

static const struct fix_case {
	const char *text, *fix;
} fix_cases[] = {
	{ "dig {server} {host}", "dig @10.0.0.2 contoso-westeurope.documents.azure.com" },
	{ "show -g {group} -n {account}", "show -g rg-data -n contoso" },
	{ "x {record} {zone} {suffix}",
	    "x contoso-westeurope privatelink.documents.azure.com documents.azure.com" },
	{ "curl ::{peer} {account_id}", "curl ::10.1.0.4:443 " ID },
	{ "set -g $RG", "# $RG: resource group of the resource in that line\nset -g $RG" },
	{ "a $VNET_ID", "# $VNET_ID: resource id of this virtual network\na $VNET_ID" },
	{ "a $VNET", "# $VNET: this virtual network\na $VNET" },
	{ "a \"{b:c}\"", "a \"{b:c}\"" },
};

static void
test_fix(void **state)
{
	for (size_t i = 0; i < sizeof(fix_cases) / sizeof(fix_cases[0]); i++) {
		struct arena *arena = arena_new();
		struct words  words = words_in(arena);

		assert_string_equal(template_fix(&words, fix_cases[i].text), fix_cases[i].fix);
		arena_free(arena);
	}
}

static void
test_servers_and_peers(void **state)
{
	static const struct {
		const char *resolver, *address, *fix;
	} cases[] = {
		{ "10.0.0.2:5353", "fd00::4", "@10.0.0.2 -p 5353 [fd00::4]:443" },
		{ "fd00::2", "10.1.0.4", "@fd00::2 10.1.0.4:443" },
		/* What is no address is no argument either. */
		{ "x; reboot", "$(reboot)", " " },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *arena = arena_new();
		struct words  words = words_in(arena);

		words.first_resolver = cases[i].resolver;
		words.first_address = cases[i].address;
		assert_string_equal(template_fix(&words, "{server} {peer}"), cases[i].fix);
		arena_free(arena);
	}
}

/* A value in a comment stays in its comment. */
static void
test_control_characters(void **state)
{
	struct arena *arena = arena_new();
	struct words  words = words_in(arena);

	words.connection = "pe\nreboot\x1b[2J\x7f";
	assert_string_equal(template_fix(&words, "# {connection}\n-n $PE"),
	    "# $PE: this network's private endpoint for the account\n# 'pe?reboot?[2J?'\n-n "
	    "$PE");
	arena_free(arena);
}

/* The account's group is not known: the person fills it in. */
static void
test_without_an_id(void **state)
{
	struct arena  *arena = arena_new();
	struct account named = account;
	struct words   words = words_in(arena);

	named.id = "";
	words.account = &named;
	assert_string_equal(template_fix(&words, "-g {group} {account_id}"),
	    "# $RG: resource group of the resource in that line; $ACCOUNT_ID: resource id of "
	    "the "
	    "account\n"
	    "-g $RG $ACCOUNT_ID");
	arena_free(arena);
}

/* A shell makes of each value exactly one word, the value itself, whatever it holds. */
static void
test_values_are_one_word_of_a_shell(void **state)
{
	static const char *const values[] = { "pe-contoso", "", "a b", "x'; echo gone; '",
		"$(echo gone)", "`echo gone`", "$HOME", "a\"b", "-n", "it''s", "'", "*", "a\\b",
		"#x", "~" };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct arena *arena = arena_new();
		struct words  words = words_in(arena);
		char          said[256] = "";
		const char   *command;
		FILE         *shell;

		words.connection = values[i];
		command = template_fix(&words, "printf '%s|' {connection} end");
		shell = popen(command, "r");
		assert_non_null(shell);
		assert_non_null(fgets(said, sizeof(said), shell));
		assert_int_equal(pclose(shell), 0);
		assert_string_equal(said, arena_printf(arena, "%s|end|", values[i]));
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentence),
		cmocka_unit_test(test_fix),
		cmocka_unit_test(test_servers_and_peers),
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_without_an_id),
		cmocka_unit_test(test_values_are_one_word_of_a_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
