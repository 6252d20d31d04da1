/* fake_web: front ends of the Gremlin and the Table API, good ones or wrong in named ways.
 *
 *   fake_web [--gremlin IP:PORT] [--table IP:PORT] --cert PEM --key PEM [--does NAME]
 *
 * Prints "listening PROTOCOL IP:PORT" for each address (port 0 picks one) and ends on SIGTERM.  A
 * thread per connection: one that is silent must not hold up the others.
 */
#include "base/addr.h"
#include "base/arena.h"
#include "base/text.h"
#include "tests/fake/backend/gremlin.h"
#include "tests/fake/backend/tables.h"

#include <errno.h>
#include <getopt.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LISTENERS_MAX = 8, IDLE_S = 60, STACK_BYTES = 512 * 1024 };

static struct {
	SSL_CTX                     *tls;
	const struct gremlin_manner *gremlin;
	const struct tables_manner  *tables;
} server = { .gremlin = gremlin_manners, .tables = tables_manners };

struct listener {
	const char *protocol, *at;
	int         fd;
	void (*serve)(SSL *ssl);
};

struct talk {
	int fd;
	void (*serve)(SSL *ssl);
};

static void __attribute__((__noreturn__, __format__(__printf__, 1, 2)))
die(const char *format, ...)
{
	va_list args;

	fputs("fake_web: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void
serve_gremlin(SSL *ssl)
{
	gremlin_serve(ssl, server.gremlin);
}

static void
serve_tables(SSL *ssl)
{
	tables_serve(ssl, server.tables);
}

static void *
run_talk(void *arg)
{
	struct talk *talk = arg;
	SSL         *ssl = SSL_new(server.tls);

	SSL_set_fd(ssl, talk->fd);
	if (SSL_accept(ssl) == 1)
		talk->serve(ssl);
	SSL_free(ssl);
	ERR_clear_error();
	close(talk->fd);
	free(talk);
	return NULL;
}

static void
take_connection(const struct listener *listener)
{
	struct timeval idle = { .tv_sec = IDLE_S };
	struct talk   *talk;
	pthread_attr_t attributes;
	pthread_t      thread;
	int            fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle));
	talk = mem_alloc(sizeof(*talk));
	*talk = (struct talk){ fd, listener->serve };
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attributes, run_talk, talk) != 0) {
		close(fd);
		free(talk);
	}
	pthread_attr_destroy(&attributes);
}

static void
open_listener(struct listener *listener)
{
	struct sockaddr_storage storage;
	socklen_t               length;
	struct addr             addr;
	struct err              err;
	char                    name[ADDR_TEXT];
	bool any = text_ends_nocase(listener->at, ":0"); /* addr_parse() wants a port */
	int  yes = 1;

	snprintf(name, sizeof(name), "%.*s", (int)(strlen(listener->at) - (any ? 2 : 0)),
	    listener->at);
	if (!addr_parse(&addr, name, any ? 0 : 443, &err))
		die("%s: %s", listener->at, err.text);
	length = addr_to_sockaddr(&addr, &storage);
	listener->fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listener->fd, (struct sockaddr *)&storage, length) != 0 ||
	    listen(listener->fd, 128) != 0)
		die("%s: %s", listener->at, strerror(errno));
	length = sizeof(storage);
	getsockname(listener->fd, (struct sockaddr *)&storage, &length);
	addr = addr_from_sockaddr((struct sockaddr *)&storage);
	printf("listening %s %s\n", listener->protocol,
	    addr_render_port(&addr, name, sizeof(name)));
}

static void
choose_manner(const char *name)
{
	const struct gremlin_manner *gremlin = gremlin_manner_find(name);
	const struct tables_manner  *tables = tables_manner_find(name);

	if (gremlin == NULL && tables == NULL)
		die("--does %s: nobody does so", name);
	if (gremlin != NULL)
		server.gremlin = gremlin;
	if (tables != NULL)
		server.tables = tables;
}

static SSL_CTX *
make_tls(const char *cert, const char *key)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	if (cert == NULL || key == NULL)
		die("--cert and --key are wanted");
	if (SSL_CTX_use_certificate_chain_file(tls, cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
		die("%s, %s: not a certificate and its key", cert, key);
	return tls;
}

static size_t
read_options(struct listener *listeners, int argc, char **argv)
{
	static const struct option known[] = {
		{ "gremlin", required_argument, NULL, 'g' },
		{ "table", required_argument, NULL, 't' },
		{ "cert", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "does", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	const char *cert = NULL, *key = NULL;
	size_t      count = 0;
	int         option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if ((option == 'g' || option == 't') && count == LISTENERS_MAX)
			die("more than %d addresses", LISTENERS_MAX);
		switch (option) {
		case 'g':
			listeners[count++] = (struct listener){ "gremlin", optarg, -1,
				serve_gremlin };
			break;
		case 't':
			listeners[count++] = (struct listener){ "table", optarg, -1,
				serve_tables };
			break;
		case 'c': cert = optarg; break;
		case 'k': key = optarg; break;
		case 'd': choose_manner(optarg); break;
		default: exit(2);
		}
	}
	if (count == 0)
		die("--gremlin IP:PORT or --table IP:PORT is wanted");
	server.tls = make_tls(cert, key);
	return count;
}

static void
on_term(int number)
{
	_exit(0);
}

int
main(int argc, char **argv)
{
	struct listener listeners[LISTENERS_MAX];
	struct pollfd   fds[LISTENERS_MAX];
	size_t          count = read_options(listeners, argc, argv);

	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_term);
	signal(SIGINT, on_term);
	for (size_t i = 0; i < count; i++) {
		open_listener(&listeners[i]);
		fds[i] = (struct pollfd){ .fd = listeners[i].fd, .events = POLLIN };
	}
	fflush(stdout);
	for (;;) {
		if (poll(fds, count, -1) < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		for (size_t i = 0; i < count; i++) {
			if (fds[i].revents & POLLIN)
				take_connection(&listeners[i]);
		}
	}
}
