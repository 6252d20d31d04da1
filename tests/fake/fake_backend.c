/* fake_backend: a server that speaks as the parts of Cosmos DB do that a client meets, or wrongly
 * in named ways: a gateway (HTTP/1.1), replicas of Direct mode (RNTBD), and Gateway V2 (HTTP/2),
 * all over TLS.  For tests and the lab; binds to the addresses it is given and to nothing else.
 *
 *   fake_backend --listen IP:PORT... --cert PEM --key PEM [OPTION...]        see usage()
 *
 * Prints "listening IP:PORT" for each --listen and "listening PROTOCOL IP:PORT" for the others
 * (port 0 picks one), and ends on SIGTERM.  SNI is not looked at, only logged.
 */
#include "tests/fake/backend/fake_account.h"
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
	     "  --listen, --gateway, --rntbd, --thin IP:PORT    as often as wanted\n"
	     "  --cert PEM --key PEM                            of all\n"
	     "  --rntbd-cert, --rntbd-key, --thin-cert, --thin-key PEM    of these\n"
	     "  --account FILE.json        see tests/fake/README.md; else a small one of our "
	     "own\n"
	     "  --ready-file FILE          what is printed, as soon as it is all there\n"
	     "  --log FILE                 a line for each thing heard\n"
	     "  --answer NAME[=TEXT]       of the gateway, one of:");
	fake_answer_list(stdout);
	puts("  --rntbd-does NAME[=N]      as often as wanted, of:");
	fake_rntbd_list(stdout);
	puts("  --thin-does NAME[=N]       the same, of:");
	fake_thin_list(stdout);
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

static void
read_option(struct options *options, int option, char *value)
{
	struct err err;
	bool       ok = true;

	switch (option) {
	case 'l':
	case 'g':
		ok = fake_listeners_add(
		    options->listeners, FAKE_GATEWAY, value, option == 'l', &err);
		break;
	case 'r':
		ok = fake_listeners_add(options->listeners, FAKE_RNTBD, value, false, &err);
		break;
	case 't':
		ok = fake_listeners_add(options->listeners, FAKE_THIN, value, false, &err);
		break;
	case 'c': options->certificates[FAKE_GATEWAY].cert = value; break;
	case 'k': options->certificates[FAKE_GATEWAY].key = value; break;
	case 'C': options->certificates[FAKE_RNTBD].cert = value; break;
	case 'K': options->certificates[FAKE_RNTBD].key = value; break;
	case 'D': options->certificates[FAKE_THIN].cert = value; break;
	case 'L': options->certificates[FAKE_THIN].key = value; break;
	case 'A': options->account = value; break;
	case 'a': choose_answer(options, value); break;
	case 'R': ok = fake_rntbd_does(value, &err); break;
	case 'T': ok = fake_thin_does(value, &err); break;
	case 'y': options->ready = value; break;
	case 'o': options->log = value; break;
	case 'h': usage();
	default: exit(2);
	}
	if (!ok)
		die(value, err.text);
}

static void
read_options(struct options *options, int argc, char **argv)
{
	static const struct option known[] = { { "listen", required_argument, NULL, 'l' },
		{ "gateway", required_argument, NULL, 'g' },
		{ "rntbd", required_argument, NULL, 'r' },
		{ "thin", required_argument, NULL, 't' },
		{ "cert", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "rntbd-cert", required_argument, NULL, 'C' },
		{ "rntbd-key", required_argument, NULL, 'K' },
		{ "thin-cert", required_argument, NULL, 'D' },
		{ "thin-key", required_argument, NULL, 'L' },
		{ "account", required_argument, NULL, 'A' },
		{ "answer", required_argument, NULL, 'a' },
		{ "rntbd-does", required_argument, NULL, 'R' },
		{ "thin-does", required_argument, NULL, 'T' },
		{ "ready-file", required_argument, NULL, 'y' },
		{ "log", required_argument, NULL, 'o' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	int                        option;

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
	static void (*const serve[FAKE_PROTOCOLS])(
	    struct fake_talk *) = { fake_gateway_serve, fake_rntbd_serve, fake_thin_serve };
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
