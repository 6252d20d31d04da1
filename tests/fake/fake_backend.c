/* fake_backend: a server that speaks as the parts of Cosmos DB do that a client meets, or wrongly
 * in named ways: a gateway (HTTP/1.1), replicas of Direct mode (RNTBD), Gateway V2 (HTTP/2), and
 * the front ends of the other APIs, all over TLS.  For tests and the lab; binds to the addresses
 * it is given and to nothing else.
 *
 *   fake_backend --listen IP:PORT... --cert PEM --key PEM [OPTION...]        see usage()
 *
 * Prints "listening IP:PORT" for each --listen and "listening PROTOCOL IP:PORT" for the others
 * (port 0 picks one), and ends on SIGTERM.  SNI is logged; of all, the front end of MongoDB alone
 * looks at it.
 */
#include "tests/fake/backend/fake_account.h"
#include "tests/fake/backend/fake_front.h"
#include "tests/fake/backend/fake_gateway.h"
#include "tests/fake/backend/fake_rntbd.h"
#include "tests/fake/backend/fake_thin.h"

#include <errno.h>
#include <getopt.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct certificate {
	const char *cert, *key;
};

struct options {
	struct fake_listeners *listeners;
	struct certificate certificates[FAKE_PROTOCOLS]; /* that of the gateway is the rest's */
	const struct fake_answer *answer;
	const char               *argument; /* behind the "=" of --answer; NULL: none */
	const char               *account, *ready, *log;
};

static void __attribute__((__noreturn__)) die(const char *what, const char *why)
{
	fprintf(stderr, "fake_backend: %s: %s\n", what, why);
	exit(2);
}

static void __attribute__((__noreturn__)) usage(void)
{
	puts("fake_backend OPTION...\n"
	     "  --listen, --gateway, --rntbd, --thin, --mongo, --cassandra, --gremlin,\n"
	     "  --table IP:PORT                                 as often as wanted\n"
	     "  --cert PEM --key PEM                            of all\n"
	     "  --PROTOCOL-cert, --PROTOCOL-key PEM             of one, but for the gateway's\n"
	     "  --account FILE.json        see tests/fake/README.md; else a small one of our "
	     "own\n"
	     "  --ready-file FILE          what is printed, as soon as it is all there\n"
	     "  --log FILE                 a line for each thing heard\n"
	     "  --mongo-hosts TEXT         what it hands out, HOST:PORT, space between\n"
	     "  --answer NAME[=TEXT]       of the gateway, one of:");
	fake_answer_list(stdout);
	puts("  --rntbd-does NAME[=N]      as often as wanted, of:");
	fake_rntbd_list(stdout);
	puts("  --thin-does NAME[=N]       the same, of:");
	fake_thin_list(stdout);
	for (enum fake_protocol i = FAKE_MONGO; i < FAKE_PROTOCOLS; i++) {
		printf("  --%s-does NAME, one of:\n", fake_protocol_names[i]);
		fake_front_list(i, stdout);
	}
	exit(0);
}

static SSL_CTX *
make_tls(const struct options *options, enum fake_protocol protocol)
{
	const struct certificate *own = &options->certificates[protocol];
	const struct certificate *all = &options->certificates[FAKE_GATEWAY];
	const char               *cert = own->cert != NULL ? own->cert : all->cert;
	const char               *key = own->key != NULL ? own->key : all->key;
	SSL_CTX                  *tls = SSL_CTX_new(TLS_server_method());

	if (cert == NULL || key == NULL)
		die("--cert, --key", "wanted");
	if (SSL_CTX_use_certificate_chain_file(tls, cert) != 1)
		die(cert, "no certificate chain");
	if (SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
		die(key, "no key, or not the certificate's");
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	return tls;
}

static void
set_up(const struct options *options)
{
	SSL_CTX   *tls = make_tls(options, FAKE_GATEWAY);
	struct err err;

	if (strcmp(options->answer->name, "want-certificate") == 0)
		SSL_CTX_set_verify(
		    tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	fake_gateway_setup(tls, options->answer, options->argument);
	fake_rntbd_setup(make_tls(options, FAKE_RNTBD));
	fake_thin_setup(make_tls(options, FAKE_THIN));
	for (enum fake_protocol i = FAKE_MONGO; i < FAKE_PROTOCOLS; i++)
		fake_front_setup(i, make_tls(options, i));
	if (options->log != NULL && !fake_log_open(options->log, &err))
		die("--log", err.text);
	if (!fake_accounts_read(options->account, options->listeners, &err))
		die("--account", err.text);
}

static void
choose_answer(struct options *options, char *text)
{
	char *equals = strchr(text, '=');

	if (equals != NULL) {
		*equals = '\0';
		options->argument = equals + 1;
	}
	options->answer = fake_answer_find(text);
	if (options->answer == NULL)
		die(text, "no such answer; --help lists them");
}

/* Options that each protocol has, as numbers: one of these, and the protocol. */
enum { LISTEN = 0x100, CERT = 0x200, KEY = 0x300, DOES = 0x400, KINDS = 0xff00 };

static bool
read_does(enum fake_protocol protocol, const char *value, struct err *err)
{
	switch (protocol) {
	case FAKE_RNTBD: return fake_rntbd_does(value, err);
	case FAKE_THIN: return fake_thin_does(value, err);
	default: return fake_front_does(protocol, value, err);
	}
}

/* Of one protocol; whether it is one of those options. */
static bool
read_own_option(struct options *options, int option, char *value)
{
	enum fake_protocol protocol = (enum fake_protocol)(option & 0xff);
	struct err         err;
	bool               ok = true;

	switch (option & KINDS) {
	case LISTEN:
		ok = fake_listeners_add(options->listeners, protocol, value, false, &err);
		break;
	case CERT: options->certificates[protocol].cert = value; break;
	case KEY: options->certificates[protocol].key = value; break;
	case DOES: ok = read_does(protocol, value, &err); break;
	default: return false;
	}
	if (!ok)
		die(value, err.text);
	return true;
}

static void
read_option(struct options *options, int option, char *value)
{
	struct err err;

	if (read_own_option(options, option, value))
		return;
	switch (option) {
	case 'l':
		if (!fake_listeners_add(options->listeners, FAKE_GATEWAY, value, true, &err))
			die(value, err.text);
		break;
	case 'A': options->account = value; break;
	case 'a': choose_answer(options, value); break;
	case 'm': fake_front_hand_out(value); break;
	case 'y': options->ready = value; break;
	case 'o': options->log = value; break;
	case 'h': usage();
	default: exit(2);
	}
}

/* clang-format off */
#define WANTS(name, option) { name, required_argument, NULL, option }
#define OF_PROTOCOL(name, protocol)                                           \
	WANTS(name, LISTEN + (protocol)), WANTS(name "-cert", CERT + (protocol)), \
	WANTS(name "-key", KEY + (protocol)), WANTS(name "-does", DOES + (protocol))

static const struct option known[] = {
	WANTS("listen", 'l'), WANTS("gateway", LISTEN + FAKE_GATEWAY),
	WANTS("cert", CERT + FAKE_GATEWAY), WANTS("key", KEY + FAKE_GATEWAY),
	OF_PROTOCOL("rntbd", FAKE_RNTBD), OF_PROTOCOL("thin", FAKE_THIN),
	OF_PROTOCOL("mongo", FAKE_MONGO), OF_PROTOCOL("cassandra", FAKE_CASSANDRA),
	OF_PROTOCOL("gremlin", FAKE_GREMLIN), OF_PROTOCOL("table", FAKE_TABLE),
	WANTS("account", 'A'), WANTS("answer", 'a'), WANTS("mongo-hosts", 'm'),
	WANTS("ready-file", 'y'), WANTS("log", 'o'),
	{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
};
/* clang-format on */

static void
read_options(struct options *options, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		read_option(options, option, optarg);
	if (optind < argc)
		die(argv[optind], "not an option");
}

/* The ready file appears when all of it is written. */
static void
tell_ready(const struct options *options)
{
	char  part[4096];
	FILE *file;

	fake_listeners_print(options->listeners, stdout);
	if (options->ready == NULL)
		return;
	snprintf(part, sizeof(part), "%s.part", options->ready);
	file = fopen(part, "w");
	if (file == NULL)
		die(part, strerror(errno));
	fake_listeners_print(options->listeners, file);
	if (fclose(file) != 0 || rename(part, options->ready) != 0)
		die(options->ready, strerror(errno));
}

static void
on_term(int number)
{
	_exit(0);
}

int
main(int argc, char **argv)
{
	static void (*const serve[FAKE_PROTOCOLS])(struct fake_talk *) = { fake_gateway_serve,
		fake_rntbd_serve, fake_thin_serve, fake_mongo_serve, fake_cassandra_serve,
		fake_gremlin_serve, fake_table_serve };
	struct options options = { .listeners = fake_listeners_new(),
		.answer = fake_answer_find("account") };

	read_options(&options, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_term);
	signal(SIGINT, on_term);
	set_up(&options);
	tell_ready(&options);
	fake_listeners_run(options.listeners, serve);
}
