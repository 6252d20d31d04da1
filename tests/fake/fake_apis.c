/* fake_apis: front ends of the APIs for MongoDB and Cassandra, right or wrong in named ways.  For
 * tests; binds to the addresses it is given and to nothing else.
 *
 *   fake_apis [--mongo IP:PORT] [--cassandra IP:PORT] --cert PEM --key PEM [--does NAME]
 *
 * Prints "listening PROTOCOL IP:PORT" for each address (port 0 picks one) and ends on SIGTERM.
 * A thread per connection.
 */
#include "base/addr.h"
#include "tests/fake/backend/cassandra.h"
#include "tests/fake/backend/mongo.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IDLE_S = 60 };
enum protocol { MONGO, CASSANDRA, PROTOCOLS };

static const char *const protocol_names[PROTOCOLS] = { "mongo", "cassandra" };

struct options {
	const char *listen[PROTOCOLS]; /* NULL: not at all */
	const char *cert, *key, *does;
};

static struct {
	SSL_CTX                       *tls;
	const struct mongo_manner     *mongo;
	const struct cassandra_manner *cassandra;
} server;

struct talk {
	int           fd; /* owned */
	enum protocol protocol;
};

static void __attribute__((__noreturn__)) PRINTF_LIKE(1, 2) die(const char *format, ...)
{
	va_list args;

	fputs("fake_apis: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

static void *
run_talk(void *arg)
{
	struct talk *talk = arg;
	SSL         *ssl = SSL_new(server.tls);

	SSL_set_fd(ssl, talk->fd);
	if (SSL_accept(ssl) == 1) {
		if (talk->protocol == MONGO)
			mongo_serve(ssl, server.mongo);
		else
			cassandra_serve(ssl, server.cassandra);
	}
	SSL_free(ssl);
	close(talk->fd);
	free(talk);
	return NULL;
}

static void
take_connection(int listener, enum protocol protocol)
{
	struct timeval idle = { .tv_sec = IDLE_S };
	struct talk   *talk;
	pthread_t      thread;
	int            yes = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &idle, sizeof(idle));
	talk = malloc(sizeof(*talk));
	if (talk == NULL)
		die("no memory");
	*talk = (struct talk){ fd, protocol };
	if (pthread_create(&thread, NULL, run_talk, talk) != 0)
		die("no thread");
	pthread_detach(thread);
}

static int
listen_on(enum protocol protocol, const char *text)
{
	struct sockaddr_storage at;
	struct addr             addr;
	struct err              err;
	socklen_t               count;
	char                    name[ADDR_TEXT];
	int                     yes = 1, fd;

	if (!addr_parse_listen(&addr, text, 0, &err))
		die("--%s %s: %s", protocol_names[protocol], text, err.text);
	count = addr_to_sockaddr(&addr, &at);
	fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, count) != 0 || listen(fd, 64) != 0)
		die("%s: %s", text, strerror(errno));
	count = sizeof(at);
	getsockname(fd, (struct sockaddr *)&at, &count);
	addr = addr_from_sockaddr((struct sockaddr *)&at);
	printf("listening %s %s\n", protocol_names[protocol],
	    addr_render_port(&addr, name, sizeof(name)));
	fflush(stdout);
	return fd;
}

static SSL_CTX *
make_tls(const struct options *options)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	if (options->cert == NULL || options->key == NULL)
		die("--cert and --key are wanted");
	SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
	if (SSL_CTX_use_certificate_chain_file(tls, options->cert) != 1)
		die("%s: no certificate chain", options->cert);
	if (SSL_CTX_use_PrivateKey_file(tls, options->key, SSL_FILETYPE_PEM) != 1)
		die("%s: no key, or not the certificate's", options->key);
	return tls;
}

/* A name of one protocol leaves the other good. */
static void
choose_manners(const char *name)
{
	server.mongo = mongo_manner_find(name);
	server.cassandra = cassandra_manner_find(name);
	if (server.mongo == NULL && server.cassandra == NULL) {
		for (const struct mongo_manner *m = mongo_manners; m->name != NULL; m++)
			fprintf(stderr, "mongo %s\n", m->name);
		for (const struct cassandra_manner *c = cassandra_manners; c->name != NULL; c++)
			fprintf(stderr, "cassandra %s\n", c->name);
		die("--does %s: no such name", name);
	}
	if (server.mongo == NULL)
		server.mongo = mongo_manners;
	if (server.cassandra == NULL)
		server.cassandra = cassandra_manners;
}

static void
read_options(struct options *options, int argc, char **argv)
{
	static const struct option known[] = { { "mongo", required_argument, NULL, 'm' },
		{ "cassandra", required_argument, NULL, 'c' },
		{ "cert", required_argument, NULL, 'C' },
		{ "key", required_argument, NULL, 'K' },
		{ "does", required_argument, NULL, 'd' }, { NULL, 0, NULL, 0 } };

	*options = (struct options){ .does = "good" };
	for (int key; (key = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		switch (key) {
		case 'm': options->listen[MONGO] = optarg; break;
		case 'c': options->listen[CASSANDRA] = optarg; break;
		case 'C': options->cert = optarg; break;
		case 'K': options->key = optarg; break;
		case 'd': options->does = optarg; break;
		default: exit(2);
		}
	}
	if (optind < argc)
		die("%s: not an option", argv[optind]);
}

static void
on_term(int number)
{
	_exit(0);
}

int
main(int argc, char **argv)
{
	struct options options;
	struct pollfd  fds[PROTOCOLS];

	read_options(&options, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_term);
	signal(SIGINT, on_term);
	choose_manners(options.does);
	server.tls = make_tls(&options);
	for (int i = 0; i < PROTOCOLS; i++)
		fds[i] = (struct pollfd){
			.fd = options.listen[i] != NULL ? listen_on(i, options.listen[i]) : -1,
			.events = POLLIN
		};
	for (;;) {
		if (poll(fds, PROTOCOLS, -1) < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		for (int i = 0; i < PROTOCOLS; i++) {
			if (fds[i].revents & POLLIN)
				take_connection(fds[i].fd, i);
		}
	}
}
