/* `plprobe check` of other APIs than NoSQL, all of it real but the service: NSD, the fake front
 * ends, each on an address and port of its own, in a network of our own. */
#include "agent/check.h"

#include "base/file.h"
#include "base/json.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_child.h"
#include "tests/support/support_dir.h"
#include "tests/support/support_dns.h"
#include "tests/support/support_etc.h"

#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { CHILD_NO_RIGHTS = 77, OUTPUT_MAX = 1 << 20, ARGS_MAX = 16 };

#define SOA "@ 60 IN SOA ns hostmaster 1 3600 600 86400 5\n@ 60 IN NS ns\nns IN A 127.0.0.1\n"
/* A name of an API, behind the alias of its zone; and with a record there. */
#define ALIAS(api, name) name "." api " 60 IN CNAME " name ".privatelink." api "\n"
#define NAMED(api, name, address) \
	ALIAS(api, name) name ".privatelink." api " 10 IN A " address "\n"

/* The record of one region of MongoDB is missing. */
static const struct support_dns_zone zone = { "azure.com",
	SOA NAMED("mongo.cosmos", "contoso", "127.0.1.1") NAMED("mongo.cosmos",
	    "contoso-westeurope", "127.0.1.2") ALIAS("mongo.cosmos", "contoso-northeurope")
	    NAMED("cassandra.cosmos", "fabrikam", "127.0.2.1")
	        NAMED("cassandra.cosmos", "fabrikam-westeurope", "127.0.2.2")
	            NAMED("gremlin.cosmos", "graph", "127.0.3.1")
	                NAMED("gremlin.cosmos", "graph-westeurope", "127.0.3.2")
	                    NAMED("table.cosmos", "tables", "127.0.4.1")
	                        NAMED("table.cosmos", "tables-westeurope", "127.0.4.2") };

static char               *folder;
static struct support_dns *server;

static const char *
path_of(const char *name)
{
	static char paths[4][300];
	static int  next;
	char       *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void
make_certs(void)
{
	static const char *const  names[] = { "*.mongo.cosmos.azure.com",
		 "*.cassandra.cosmos.azure.com", "*.gremlin.cosmos.azure.com",
		 "*.table.cosmos.azure.com", NULL };
	struct support_certs_plan plan = { .subject = "root", .authority = true };
	struct support_certs     *root = support_certs_new(&plan), *leaf;

	plan = (struct support_certs_plan){ .subject = "leaf", .names = names, .issuer = root };
	leaf = support_certs_new(&plan);
	support_certs_write(root, path_of("root.pem"), NULL);
	support_certs_write(leaf, path_of("cert.pem"), path_of("key.pem"));
	support_certs_free(leaf);
	support_certs_free(root);
}

/* One front end at both names of its account. */
static struct support_child *
start_front(const char *protocol, const char *address, const char *does)
{
	char        listen[32], doing[32];
	const char *args[] = { listen, address, "--cert", path_of("cert.pem"), "--key",
		path_of("key.pem"), doing, does, NULL };

	snprintf(listen, sizeof(listen), "--%s", protocol);
	snprintf(doing, sizeof(doing), "--%s-does", protocol);
	return support_child_start("fake_backend", args, 1);
}

static void
write_document(const char *name, const char *members, const char *group)
{
	static const char form[] =
	    "{\"name\":\"%s\",%s,"
	    "\"documentEndpoint\":\"https://%s.documents.azure.com:443/\","
	    "\"privateEndpointConnections\":[{\"name\":\"pe\",\"groupId\":\"%s\","
	    "\"privateLinkServiceConnectionState\":{\"status\":\"Approved\"}}],"
	    "\"locations\":[{\"locationName\":\"West Europe\",\"failoverPriority\":0,"
	    "\"documentEndpoint\":\"https://%s-westeurope.documents.azure.com:443/\"}]}";
	char       text[1024];
	struct err err;

	snprintf(text, sizeof(text), form, name, members, name, group, name);
	if (!file_replace(path_of("account.json"), text, strlen(text), 0600, &err))
		exit(99);
}

/* In a process of its own, since it owns stdout, signals and getopt. */
static void
run_line(int argc, char **argv)
{
	pid_t child = fork();
	int   how;

	if (child == 0) {
		if (freopen(path_of("out"), "w", stdout) == NULL)
			_exit(99);
		check_main(argc, argv);
		fflush(stdout);
		_exit(0);
	}
	if (waitpid(child, &how, 0) != child || !WIFEXITED(how) || WEXITSTATUS(how) != 0)
		exit(99);
}

/* What `plprobe check` says of the account, as JSON. */
static json_t *
run_check(struct arena *arena, const char *api)
{
	const char *argv[] = { "check", "-o", "json", "--no-sweep", "-t", "2s", "-r", "",
		"--ca-file", path_of("root.pem"), "-e", path_of("account.json"), "--api", api,
		NULL };
	char       *args[ARGS_MAX];
	char        at[24];
	int         argc = 0;
	struct err  err;
	json_t     *root;
	char       *out;
	size_t      count;

	snprintf(at, sizeof(at), "127.0.0.1:%u", support_dns_port(server));
	argv[7] = at;
	for (; argv[argc] != NULL; argc++)
		args[argc] = arena_strdup(arena, argv[argc]);
	args[argc] = NULL;
	run_line(argc, args);
	out = file_read(arena, path_of("out"), OUTPUT_MAX, &count, &err);
	root = out == NULL ? NULL : json_read(out, count, "stdout", &err);
	if (root == NULL) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	return json_array_get(json_object_get(root, "accounts"), 0);
}

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

static void
check_text(const char *seen, const char *wanted)
{
	if (strcmp(seen, wanted) == 0)
		return;
	fprintf(stderr, "'%s', want '%s'\n", seen, wanted);
	exit(1);
}

/* The one place of the region. */
static const json_t *
find_place(const json_t *account, const char *region)
{
	size_t  at;
	json_t *place;

	json_array_foreach (json_object_get(account, "places"), at, place) {
		if (strcmp(text_of(place, "region"), region) == 0)
			return place;
	}
	fprintf(stderr, "no place '%s'\n", region);
	exit(1);
}

static void
check_place(const json_t *account, const char *region, const char *state, const char *words)
{
	const json_t *place = find_place(account, region);

	check_text(text_of(place, "words"), words);
	check_text(text_of(place, "state"), state);
}

/* The document knows one region; the front end hands out two, and one does not exist. */
static void
body_mongo(struct arena *arena)
{
	struct support_child *front = start_front("mongo", "0.0.0.0:10255", "many-hosts");
	const json_t         *account, *finding;

	write_document("contoso",
	    "\"kind\":\"MongoDB\",\"apiProperties\":{\"serverVersion\":\"4.2\"}", "MongoDB");
	account = run_check(arena, "mongodb");
	check_place(account, "", "ok", "front end asks for login, wire 18 (6.1 generation)");
	check_place(
	    account, "westeurope", "ok", "front end asks for login, wire 18 (6.1 generation)");
	check_place(account, "northeurope", "critical", "host for drivers is missing");
	finding = json_array_get(json_object_get(account, "findings"), 0);
	check_text(text_of(finding, "code"), "PLP-705-MONGO-HOST-MISSING");
	check_text(text_of(finding, "host"), "contoso-northeurope.mongo.cosmos.azure.com");
	support_child_stop(front);
}

static void
body_cassandra(struct arena *arena)
{
	struct support_child *front = start_front("cassandra", "0.0.0.0:10350", "good");
	const json_t         *account;

	write_document(
	    "fabrikam", "\"capabilities\":[{\"name\":\"EnableCassandra\"}]", "Cassandra");
	account = run_check(arena, "cassandra");
	check_text(text_of(account, "state"), "ok");
	check_place(account, "", "ok", "front end asks for login");
	check_place(account, "westeurope", "ok", "front end asks for login");
	support_child_stop(front);
}

static void
body_gremlin(struct arena *arena)
{
	struct support_child *front = start_front("gremlin", "0.0.0.0:443", "good");
	const json_t         *account;

	write_document("graph", "\"EnabledApiTypes\":\"Gremlin, Sql\"", "Gremlin");
	account = run_check(arena, "gremlin");
	check_text(text_of(account, "state"), "ok");
	check_place(account, "westeurope", "ok", "front end asks for login");
	support_child_stop(front);
}

/* Gremlin's front end in the place of that of Table. */
static void
body_table(struct arena *arena)
{
	struct support_child *front = start_front("gremlin", "0.0.0.0:443", "good");
	const json_t         *account;

	write_document("tables", "\"capabilities\":[{\"name\":\"EnableTable\"}]", "Table");
	account = run_check(arena, "table");
	check_text(text_of(account, "state"), "critical");
	check_text(text_of(json_array_get(json_object_get(account, "findings"), 0), "code"),
	    "PLP-708-API-ANSWERS-OTHER");
	support_child_stop(front);
}

/* Each way in which a front end can be wrong, and whose words it finds. */
static const struct manner {
	const char *protocol, *address, *does, *api;
	const char *account, *members, *group;
	const char *code; /* of the first finding; "": all is well */
} manners[] = {
#define MONGO                                                                            \
	"contoso", "\"kind\":\"MongoDB\",\"apiProperties\":{\"serverVersion\":\"4.2\"}", \
	    "MongoDB"
#define CASSANDRA "fabrikam", "\"capabilities\":[{\"name\":\"EnableCassandra\"}]", "Cassandra"
#define TABLE     "tables", "\"capabilities\":[{\"name\":\"EnableTable\"}]", "Table"
	{ "mongo", "0.0.0.0:10255", "old", "mongodb", MONGO, "" },
	{ "mongo", "0.0.0.0:10255", "dirty-hosts", "mongodb", MONGO, "" },
	{ "mongo", "0.0.0.0:10255", "blocked-public", "mongodb", MONGO,
	    "PLP-402-FIREWALL-PUBLIC" },
	{ "mongo", "0.0.0.0:10255", "blocked-service-endpoint", "mongodb", MONGO,
	    "PLP-403-FIREWALL-SERVICE-ENDPOINT" },
	{ "mongo", "0.0.0.0:10255", "blocked-private-endpoint", "mongodb", MONGO,
	    "PLP-404-FIREWALL-PRIVATE-ENDPOINT" },
	{ "mongo", "0.0.0.0:10255", "no-account", "mongodb", MONGO, "PLP-710-API-REFUSES" },
	{ "mongo", "0.0.0.0:10255", "throttled", "mongodb", MONGO, "PLP-710-API-REFUSES" },
	{ "mongo", "0.0.0.0:10255", "silent", "mongodb", MONGO, "PLP-709-API-SILENT" },
	{ "mongo", "0.0.0.0:10255", "resets", "mongodb", MONGO, "PLP-709-API-SILENT" },
	{ "mongo", "0.0.0.0:10255", "http", "mongodb", MONGO, "PLP-708-API-ANSWERS-OTHER" },
	{ "cassandra", "0.0.0.0:10350", "overloaded", "cassandra", CASSANDRA,
	    "PLP-710-API-REFUSES" },
	{ "cassandra", "0.0.0.0:10350", "blocked", "cassandra", CASSANDRA,
	    "PLP-404-FIREWALL-PRIVATE-ENDPOINT" },
	{ "cassandra", "0.0.0.0:10350", "garbage", "cassandra", CASSANDRA,
	    "PLP-708-API-ANSWERS-OTHER" },
	{ "table", "0.0.0.0:443", "bad-request", "table", TABLE, "" },
	{ "table", "0.0.0.0:443", "firewall-service-endpoint", "table", TABLE,
	    "PLP-403-FIREWALL-SERVICE-ENDPOINT" },
	{ "table", "0.0.0.0:443", "storage", "table", TABLE, "PLP-708-API-ANSWERS-OTHER" },
#undef MONGO
#undef CASSANDRA
#undef TABLE
};

static void
body_manners(struct arena *arena)
{
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
		const struct manner  *manner = &manners[i];
		struct support_child *front = start_front(
		    manner->protocol, manner->address, manner->does);
		const json_t *account;

		fprintf(stderr, "%s\n", manner->does);
		write_document(manner->account, manner->members, manner->group);
		account = run_check(arena, manner->api);
		check_text(
		    text_of(json_array_get(json_object_get(account, "findings"), 0), "code"),
		    manner->code);
		check_text(text_of(account, "state"),
		    *manner->code == '\0' ? "ok"
		        : strcmp(manner->does, "throttled") == 0 ||
		            strcmp(manner->does, "overloaded") == 0
		        ? "warning"
		        : "critical");
		support_child_stop(front);
	}
}

static void
in_network(void (*body)(struct arena *arena))
{
	struct support_etc etc = { .hosts = "127.0.0.1 localhost\n",
		.resolv = "nameserver 127.0.0.1\n" };
	char              *files = support_dir_new();
	pid_t              child = fork();
	int                how;

	folder = files;
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!support_etc_enter(&etc, files))
			_exit(CHILD_NO_RIGHTS);
		make_certs();
		server = support_dns_nsd(&zone, 1);
		body(arena_new());
		support_dns_free(server);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &how, 0), child);
	support_dir_free(files);
	assert_true(WIFEXITED(how));
	if (WEXITSTATUS(how) == CHILD_NO_RIGHTS) {
		print_message("no mounts and network of our own: skipped\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(how), 0);
}

static void
test_mongo(void **state)
{
	in_network(body_mongo);
}

static void
test_cassandra(void **state)
{
	in_network(body_cassandra);
}

static void
test_gremlin(void **state)
{
	in_network(body_gremlin);
}

static void
test_table(void **state)
{
	in_network(body_table);
}

static void
test_manners(void **state)
{
	in_network(body_manners);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mongo),
		cmocka_unit_test(test_cassandra),
		cmocka_unit_test(test_gremlin),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_manners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
