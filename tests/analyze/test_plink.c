/* The account's side of Private Link in documents of its own, as az and REST write them. */
#include "analyze/plink.h"

#include "analyze/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define FOLDER "tests/analyze/document/"

static struct account_list *
read_file(struct arena *arena, const char *path)
{
	struct err           err;
	struct account_list *list = account_read(arena, path, &err);

	if (list == NULL)
		fail_msg("%s", err.text);
	return list;
}

static void
test_shapes(void **state)
{
	static const char *const files[] = { FOLDER "plink_rest.json", FOLDER "plink_az.json" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct arena                  *arena = arena_new();
		const struct plink_list       *list = &read_file(arena, files[i])->plinks;
		const struct plink_connection *connection = &list->connections[0];
		const struct plink_resource   *resource = plink_find(list, "contoso", "SQL");

		assert_int_equal(list->connection_count, 1);
		assert_string_equal(connection->account, "contoso");
		assert_string_equal(connection->connection.name, "pe-contoso");
		assert_string_equal(connection->connection.group, "Sql");
		assert_string_equal(connection->connection.status, "Rejected");
		assert_string_equal(connection->connection.description, "not ours");
		assert_string_equal(connection->connection.actions_required, "None");
		assert_string_equal(connection->connection.provisioning_state, "Succeeded");
		assert_string_equal(connection->connection.source, files[i]);
		assert_non_null(resource);
		assert_int_equal(resource->member_count, 2);
		assert_string_equal(resource->members[0], "contoso-westeurope");
		assert_string_equal(resource->members[1], "contoso");
		assert_int_equal(resource->zone_count, 1);
		assert_string_equal(resource->zones[0], "privatelink.documents.azure.com");
		assert_null(plink_find(list, "contoso", "MongoDB"));
		assert_null(plink_find(list, "fabrikam", "Sql"));
		arena_free(arena);
	}
	assert_null(plink_find(NULL, "contoso", "Sql"));
}

/* The sum of documents has an account's connections together, and leaves the parts as they were. */
static void
test_joined(void **state)
{
	struct arena              *arena = arena_new();
	const struct account_list *lists[] = { read_file(arena, FOLDER "plink_rest.json"), NULL,
		read_file(arena, FOLDER "rest.json") };
	const struct account      *before = lists[2]->accounts[0];
	size_t                     own = before->connection_count;
	const struct account      *joined = account_list_sum(arena, lists, 3)->accounts[0];
	bool                       found = false;

	assert_string_equal(before->name, "contoso");
	assert_int_equal(before->connection_count, own);
	assert_true(joined->connection_count >= own);
	for (size_t i = 0; i < joined->connection_count; i++) {
		const struct connection *connection = &joined->connections[i];

		if (strcmp(connection->name, "pe-contoso") != 0)
			continue;
		assert_false(found);
		found = true;
		assert_string_equal(connection->description, "not ours");
	}
	assert_true(found);

	/* Nothing to add: the account itself. */
	assert_ptr_equal(account_list_sum(arena, &lists[2], 1)->accounts[0], before);
	arena_free(arena);
}

static const struct refused_case {
	const char *name, *text, *words;
} refused_cases[] = {
	{ "no account in the id", "{\"id\":\"/x\",\"requiredMembers\":[]}",
	    "in.json: id: '.../databaseAccounts/<account>/...' wanted" },
	{ "a connection of nobody", "{\"privateLinkServiceConnectionState\":{}}",
	    "in.json: id: '.../databaseAccounts/<account>/...' wanted" },
	{ "an odd state",
	    "{\"id\":\"/databaseAccounts/contoso/x\",\"privateLinkServiceConnectionState\":1}",
	    "in.json: privateLinkServiceConnectionState: an object wanted" },
	{ "an odd status",
	    "{\"id\":\"/databaseAccounts/contoso/x\",\"privateLinkServiceConnectionState\":{"
	    "\"status\":1}}",
	    "in.json: privateLinkServiceConnectionState.status: a text wanted" },
	{ "odd members", "{\"id\":\"/databaseAccounts/contoso/x\",\"requiredMembers\":[1]}",
	    "in.json: requiredMembers: texts wanted" },
	{ "members that are none",
	    "{\"id\":\"/databaseAccounts/contoso/x\",\"requiredMembers\":{}}",
	    "in.json: requiredMembers: an array wanted" },
};

static void
test_refused(void **state)
{
	for (size_t i = 0; i < sizeof(refused_cases) / sizeof(refused_cases[0]); i++) {
		const struct refused_case *row = &refused_cases[i];
		struct arena              *arena = arena_new();
		struct err                 err = { .text = "" };

		print_message("%s\n", row->name);
		assert_null(
		    account_parse(arena, row->text, strlen(row->text), "in.json", &err));
		assert_string_equal(err.text, row->words);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_joined),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
