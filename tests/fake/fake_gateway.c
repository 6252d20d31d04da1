/* fake_gateway: a server that speaks TLS and HTTP as a Cosmos DB gateway does, or wrongly in named
 * ways.  For tests and the lab; binds to the addresses it is given and to nothing else.
 *
 *   fake_gateway --listen IP:PORT... --cert PEM --key PEM [--answer NAME[=TEXT]]
 *                [--ready-file FILE] [--log FILE]
 *
 * Prints "listening IP:PORT" for each address (port 0 picks one) and ends on SIGTERM.  SNI is
 * not looked at, only logged: one certificate for all names.  A thread per connection: one that
 * drips or is silent must not hold up the others.
 */
#include "base/addr.h"
#include "base/arena.h"
#include "base/text.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LISTENERS_MAX = 64, REQUEST_MAX = 16 * 1024, STACK_BYTES = 256 * 1024, IDLE_S = 60 };

#define AUTHORIZATION_MISSING                        \
	"Required Header authorization is missing. " \
	"Ensure a valid Authorization token is passed."
#define BLOCKED "This is blocked by your Cosmos DB account firewall settings."

struct talk;

/* One way to behave.  With `code` an error of the service: in its message "%s" is the argument of
 * --answer, or else the address from which the request came.  With a function no HTTP answer at
 * all, from that point on. */
struct answer {
	const char *name;
	unsigned    status;
	const char *reason;
	const char *code, *message;
	const char *type, *body;
	const char *headers; /* further ones, each with its line end */
	void (*before_tls)(struct talk *talk);
	void (*after_tls)(struct talk *talk);
	void (*after_request)(struct talk *talk);
};

/* One connection. */
struct talk {
	int         fd;
	SSL        *ssl; /* NULL before the handshake */
	struct addr peer, local;
	char        request[REQUEST_MAX + 1];
};

static struct {
	const struct answer *answer;
	const char          *argument; /* behind the "=" of --answer; NULL: none */
	SSL_CTX             *tls;
	FILE                *log;
	pthread_mutex_t      log_lock;
} server = { .log_lock = PTHREAD_MUTEX_INITIALIZER };

static void __attribute__((__noreturn__, __format__(__printf__, 1, 2)))
die(const char *format, ...)
{
	va_list args;

	fputs("fake_gateway: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

static bool
send_all(struct talk *talk, const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t sent = talk->ssl != NULL ? SSL_write(talk->ssl, bytes, (int)count)
		                                 : send(talk->fd, bytes, count, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		bytes += sent;
		count -= (size_t)sent;
	}
	return true;
}

static bool
send_text(struct talk *talk, const char *text)
{
	return send_all(talk, text, strlen(text));
}

/* Until the peer goes. */
static void
be_silent(struct talk *talk)
{
	char bytes[512];

	while (recv(talk->fd, bytes, sizeof(bytes), 0) > 0)
		continue;
}

/* Hears the ClientHello: a close with bytes unread would be a reset of our kernel's. */
static bool
hear_hello(struct talk *talk)
{
	char bytes[4096];

	return recv(talk->fd, bytes, sizeof(bytes), 0) > 0;
}

/* The close that follows sends RST. */
static void
be_reset(struct talk *talk)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(talk->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void
be_closed(struct talk *talk)
{
}

static void
reset_hello(struct talk *talk)
{
	if (hear_hello(talk))
		be_reset(talk);
}

static void
close_hello(struct talk *talk)
{
	hear_hello(talk);
}

static void
say_plain(struct talk *talk, const char *text)
{
	send_text(talk, text);
	shutdown(talk->fd, SHUT_WR);
	be_silent(talk);
}

static void
send_plain_http(struct talk *talk)
{
	if (hear_hello(talk))
		say_plain(talk,
		    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
		    "Connection: close\r\n\r\n");
}

static void
send_banner(struct talk *talk)
{
	say_plain(talk, "SSH-2.0-OpenSSH_9.2\r\n");
}

static void
send_garbage(struct talk *talk)
{
	unsigned char bytes[600];

	RAND_bytes(bytes, sizeof(bytes));
	bytes[0] = 1; /* never "HTTP/" */
	send_all(talk, (char *)bytes, sizeof(bytes));
}

static void
send_dripping(struct talk *talk)
{
	struct timespec pause = { .tv_nsec = 200 * 1000 * 1000 };

	if (!send_text(talk, "HTTP/1.1 401 Unauthorized\r\nX-Slow: "))
		return;
	while (send_text(talk, "a"))
		nanosleep(&pause, NULL);
}

static void
send_endless_headers(struct talk *talk)
{
	char line[128];

	send_text(talk, "HTTP/1.1 401 Unauthorized\r\n");
	for (unsigned i = 0;; i++) {
		snprintf(line, sizeof(line), "X-Filler-%u: %080u\r\n", i, i);
		if (!send_text(talk, line))
			return;
	}
}

static void
send_endless(struct talk *talk, const char *start, char filler)
{
	char bytes[4096];

	memset(bytes, filler, sizeof(bytes));
	send_text(talk, start);
	while (send_all(talk, bytes, sizeof(bytes)))
		continue;
}

static void
send_endless_line(struct talk *talk)
{
	send_endless(talk, "HTTP/1.1 401 Unauthorized\r\nX-Filler: ", 'a');
}

static void
send_endless_body(struct talk *talk)
{
	send_endless(
	    talk, "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n\r\n{", ' ');
}

static void
send_endless_interim(struct talk *talk)
{
	while (send_text(talk, "HTTP/1.1 102 Processing\r\n\r\n"))
		continue;
}

static void
send_half(struct talk *talk)
{
	send_text(talk, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 500\r\n\r\n{\"code\":");
	SSL_shutdown(talk->ssl);
}

static void
send_bad_chunk(struct talk *talk)
{
	send_text(
	    talk, "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
	be_silent(talk);
}

static const struct answer answers[] = {
	{ .name = "unauthorized",
	    .status = 401,
	    .reason = "Unauthorized",
	    .code = "Unauthorized",
	    .message = AUTHORIZATION_MISSING },
	{ .name = "forbidden-public",
	    .status = 403,
	    .reason = "Forbidden",
	    .code = "Forbidden",
	    .message = "Request originated from IP %s through public internet. " BLOCKED
	               " More info: https://aka.ms/cosmosdb-tsg-forbidden" },
	{ .name = "forbidden-service-endpoint",
	    .status = 403,
	    .reason = "Forbidden",
	    .code = "Forbidden",
	    .message = "Request originated from VNET through service endpoint. " BLOCKED },
	{ .name = "forbidden-private-endpoint",
	    .status = 403,
	    .reason = "Forbidden",
	    .code = "Forbidden",
	    .message =
	        "Request originated from client VNET through private endpoint. " BLOCKED },
	{ .name = "forbidden-blocked",
	    .status = 403,
	    .reason = "Forbidden",
	    .code = "Forbidden",
	    .message = "Request is blocked. Please check your authorization token and Cosmos "
	               "DB account firewall settings." },
	{ .name = "local-auth-disabled",
	    .status = 401,
	    .reason = "Unauthorized",
	    .code = "Unauthorized",
	    .headers = "x-ms-substatus: 5202\r\n",
	    .message = "Local Authorization is disabled. Use an AAD token to authorize all "
	               "requests." },
	{ .name = "throttled",
	    .status = 429,
	    .reason = "Too Many Requests",
	    .code = "TooManyRequests",
	    .headers = "x-ms-retry-after-ms: 1000\r\n",
	    .message = "Request rate is large." },
	{ .name = "ok",
	    .status = 200,
	    .reason = "OK",
	    .type = "application/json",
	    .body = "{\"_self\":\"\",\"id\":\"a\",\"_rid\":\"a.documents.azure.com\","
	            "\"writableLocations\":[],\"readableLocations\":[]}" },
	/* Those of others. */
	{ .name = "html",
	    .status = 200,
	    .reason = "OK",
	    .type = "text/html",
	    .body = "<!DOCTYPE html><html><head><title>Sign in</title></head>"
	            "<body>Accept the terms of use to go on.</body></html>" },
	{ .name = "redirect",
	    .status = 302,
	    .reason = "Found",
	    .headers = "Location: https://login.example.net/portal\r\n" },
	{ .name = "notfound", .status = 404, .reason = "Not Found" },
	{ .name = "unavailable",
	    .status = 503,
	    .reason = "Service Unavailable",
	    .type = "text/html",
	    .body = "<h1>Service Unavailable</h1>" },
	{ .name = "proxy",
	    .status = 407,
	    .reason = "Proxy Authentication Required",
	    .headers = "Proxy-Authenticate: Basic realm=\"proxy\"\r\n" },
	{ .name = "unauthorized-elsewhere",
	    .status = 401,
	    .reason = "Unauthorized",
	    .type = "application/json",
	    .body = "{\"code\":\"Unauthorized\",\"message\":\"" AUTHORIZATION_MISSING "\"}" },
	/* No whole HTTP answer. */
	{ .name = "silence-after-accept", .before_tls = be_silent },
	{ .name = "reset", .before_tls = reset_hello },
	{ .name = "close", .before_tls = close_hello },
	{ .name = "plain-http", .before_tls = send_plain_http },
	{ .name = "banner", .before_tls = send_banner },
	{ .name = "silence-after-tls", .after_tls = be_silent },
	{ .name = "reset-after-request", .after_request = be_reset },
	{ .name = "close-after-request", .after_request = be_closed },
	{ .name = "garbage", .after_request = send_garbage },
	{ .name = "drip", .after_request = send_dripping },
	{ .name = "endless-headers", .after_request = send_endless_headers },
	{ .name = "endless-line", .after_request = send_endless_line },
	{ .name = "endless-interim", .after_request = send_endless_interim },
	{ .name = "endless-body", .after_request = send_endless_body },
	{ .name = "half", .after_request = send_half },
	{ .name = "bad-chunk", .after_request = send_bad_chunk },
	/* The handshake asks for a certificate of the client's. */
	{ .name = "want-certificate", .status = 401, .reason = "Unauthorized" },
	{ .name = NULL },
};

static void
make_guid(char *text, size_t room)
{
	unsigned char b[16];

	RAND_bytes(b, sizeof(b));
	snprintf(text, room,
	    "%02x%02x%02x%02x-%02x%02x-4%x%02x-a%x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
	    b[2], b[3], b[4], b[5], b[6] & 15, b[7], b[8] & 15, b[9], b[10], b[11], b[12],
	    b[13], b[14], b[15]);
}

static void
make_date(char *text, size_t room)
{
	time_t    now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, room, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

static void
fill_message(char *text, size_t room, const char *message, const char *argument)
{
	const char *at = strstr(message, "%s");

	if (at == NULL)
		snprintf(text, room, "%s", message);
	else
		snprintf(
		    text, room, "%.*s%s%s", (int)(at - message), message, argument, at + 2);
}

/* As a gateway does it: headers of the service, the body in one chunk. */
static bool
send_service_error(struct talk *talk, const struct answer *answer)
{
	char guid[40], date[40], from[ADDR_TEXT], message[600], body[900], text[2000];

	make_guid(guid, sizeof(guid));
	make_date(date, sizeof(date));
	addr_render(&talk->peer, from, sizeof(from));
	fill_message(message, sizeof(message), answer->message,
	    server.argument != NULL ? server.argument : from);
	snprintf(body, sizeof(body),
	    "{\"code\":\"%s\",\"message\":\"%s\\r\\nActivityId: %s, "
	    "Microsoft.Azure.Documents.Common/2.14.0\"}",
	    answer->code, message, guid);
	snprintf(text, sizeof(text),
	    "HTTP/1.1 %u %s\r\n"
	    "Transfer-Encoding: chunked\r\n"
	    "Content-Type: application/json\r\n"
	    "Server: Microsoft-HTTPAPI/2.0\r\n"
	    "x-ms-activity-id: %s\r\n"
	    "Strict-Transport-Security: max-age=31536000\r\n"
	    "x-ms-gatewayversion: version=2.14.0\r\n"
	    "%s"
	    "Date: %s\r\n\r\n"
	    "%zX\r\n%s\r\n0\r\n\r\n",
	    answer->status, answer->reason, guid,
	    answer->headers != NULL ? answer->headers : "", date, strlen(body), body);
	return send_text(talk, text);
}

static bool
send_other(struct talk *talk, const struct answer *answer)
{
	const char *body = answer->body != NULL ? answer->body : "";
	char        date[40], type[100] = "", text[2000];

	make_date(date, sizeof(date));
	if (answer->type != NULL)
		snprintf(type, sizeof(type), "Content-Type: %s\r\n", answer->type);
	snprintf(text, sizeof(text),
	    "HTTP/1.1 %u %s\r\nContent-Length: %zu\r\n%s%sDate: %s\r\n\r\n%s", answer->status,
	    answer->reason, strlen(body), type, answer->headers != NULL ? answer->headers : "",
	    date, body);
	return send_text(talk, text);
}

static void
write_log(const struct talk *talk)
{
	const char *sni = SSL_get_servername(talk->ssl, TLSEXT_NAMETYPE_host_name);
	char        peer[ADDR_TEXT], local[ADDR_TEXT];

	if (server.log == NULL)
		return;
	pthread_mutex_lock(&server.log_lock);
	fprintf(server.log, "%s %s sni=%s %.*s\n",
	    addr_render_port(&talk->peer, peer, sizeof(peer)),
	    addr_render_port(&talk->local, local, sizeof(local)), sni != NULL ? sni : "",
	    (int)strcspn(talk->request, "\r\n"), talk->request);
	fflush(server.log);
	pthread_mutex_unlock(&server.log_lock);
}

/* One request's head; these requests have no body. */
static bool
hear_request(struct talk *talk)
{
	size_t count = 0;

	while (count < REQUEST_MAX) {
		int got = SSL_read(
		    talk->ssl, talk->request + count, (int)(REQUEST_MAX - count));

		if (got <= 0)
			return false;
		count += (size_t)got;
		talk->request[count] = '\0';
		if (strstr(talk->request, "\r\n\r\n") != NULL)
			return true;
	}
	return false;
}

static bool
answer_request(struct talk *talk)
{
	static const struct answer bad_path = { .status = 400,
		.reason = "Bad Request",
		.code = "BadRequest",
		.message = "Request url is invalid." };
	const struct answer       *answer = server.answer;

	if (answer->code != NULL && strncmp(talk->request, "GET / ", 6) != 0)
		answer = &bad_path;
	return answer->code != NULL ? send_service_error(talk, answer)
	                            : send_other(talk, answer);
}

static void
talk_http(struct talk *talk)
{
	while (hear_request(talk)) {
		write_log(talk);
		if (server.answer->after_request != NULL) {
			server.answer->after_request(talk);
			return;
		}
		if (!answer_request(talk) ||
		    text_find_nocase(talk->request, "\r\nconnection: close") != NULL)
			break;
	}
	SSL_shutdown(talk->ssl);
}

static void
talk_tls(struct talk *talk)
{
	talk->ssl = SSL_new(server.tls);
	SSL_set_fd(talk->ssl, talk->fd);
	if (SSL_accept(talk->ssl) == 1) {
		if (server.answer->after_tls != NULL)
			server.answer->after_tls(talk);
		else
			talk_http(talk);
	} else {
		/* The alert must not be overtaken by a reset for what the peer said since. */
		shutdown(talk->fd, SHUT_WR);
		be_silent(talk);
	}
	SSL_free(talk->ssl);
	ERR_clear_error();
}

static void *
run_talk(void *arg)
{
	struct talk *talk = arg;

	if (server.answer->before_tls != NULL)
		server.answer->before_tls(talk);
	else
		talk_tls(talk);
	close(talk->fd);
	free(talk);
	return NULL;
}

static struct addr
name_socket(int fd)
{
	struct sockaddr_storage storage;
	socklen_t               length = sizeof(storage);

	getsockname(fd, (struct sockaddr *)&storage, &length);
	return addr_from_sockaddr((struct sockaddr *)&storage);
}

static void
start_talk(struct talk *talk)
{
	pthread_attr_t attributes;
	pthread_t      thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attributes, run_talk, talk) != 0) {
		close(talk->fd);
		free(talk);
	}
	pthread_attr_destroy(&attributes);
}

static void
take_connection(int listener)
{
	struct sockaddr_storage storage;
	socklen_t               length = sizeof(storage);
	struct timeval          idle = { .tv_sec = IDLE_S };
	int                     yes = 1;
	struct talk            *talk;
	int fd = accept4(listener, (struct sockaddr *)&storage, &length, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &idle, sizeof(idle));
	talk = mem_alloc(sizeof(*talk));
	talk->fd = fd;
	talk->peer = addr_from_sockaddr((struct sockaddr *)&storage);
	talk->local = name_socket(fd);
	start_talk(talk);
}

static int
listen_on(const char *text, FILE *ready)
{
	struct sockaddr_storage storage;
	socklen_t               length;
	struct addr             addr;
	struct err              err;
	char                    name[ADDR_TEXT];
	bool any = text_ends_nocase(text, ":0"); /* addr_parse() wants a port */
	int  yes = 1, fd;

	snprintf(name, sizeof(name), "%.*s", (int)(strlen(text) - (any ? 2 : 0)), text);
	if (!addr_parse(&addr, name, any ? 0 : 443, &err))
		die("--listen %s: %s", text, err.text);
	length = addr_to_sockaddr(&addr, &storage);
	fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&storage, length) != 0 || listen(fd, 512) != 0)
		die("%s: %s", text, strerror(errno));
	addr = name_socket(fd);
	addr_render_port(&addr, name, sizeof(name));
	printf("listening %s\n", name);
	if (ready != NULL)
		fprintf(ready, "listening %s\n", name);
	return fd;
}

static SSL_CTX *
make_tls(const char *cert, const char *key)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	if (cert == NULL || key == NULL)
		die("--cert and --key are wanted");
	if (SSL_CTX_use_certificate_chain_file(tls, cert) != 1)
		die("%s: no certificate chain", cert);
	if (SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
		die("%s: no key, or not the certificate's", key);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	if (strcmp(server.answer->name, "want-certificate") == 0)
		SSL_CTX_set_verify(
		    tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return tls;
}

static void
choose_answer(char *text)
{
	char *equals = strchr(text, '=');

	if (equals != NULL) {
		*equals = '\0';
		server.argument = equals + 1;
	}
	for (server.answer = answers; server.answer->name != NULL; server.answer++) {
		if (strcmp(server.answer->name, text) == 0)
			return;
	}
	fprintf(stderr, "fake_gateway: no answer \"%s\"; there are:\n", text);
	for (server.answer = answers; server.answer->name != NULL; server.answer++)
		fprintf(stderr, "  %s\n", server.answer->name);
	exit(2);
}

struct options {
	const char *listen[LISTENERS_MAX];
	unsigned    listen_count;
	const char *cert, *key, *ready, *log;
};

static void
add_listener(struct options *options, const char *text)
{
	if (options->listen_count == LISTENERS_MAX)
		die("more than %d addresses", LISTENERS_MAX);
	options->listen[options->listen_count++] = text;
}

static void
read_options(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "cert", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "ready-file", required_argument, NULL, 'r' },
		{ "answer", required_argument, NULL, 'a' },
		{ "log", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	server.answer = answers;
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'l': add_listener(options, optarg); break;
		case 'c': options->cert = optarg; break;
		case 'k': options->key = optarg; break;
		case 'r': options->ready = optarg; break;
		case 'a': choose_answer(optarg); break;
		case 'o': options->log = optarg; break;
		default: exit(2);
		}
	}
	if (options->listen_count == 0)
		die("--listen IP:PORT is wanted");
	if (optind < argc)
		die("%s: not an option", argv[optind]);
}

static void
on_term(int number)
{
	_exit(0);
}

/* The ready file appears when all of it is written. */
static void
open_listeners(const struct options *options, struct pollfd *fds)
{
	char  part[4096] = "";
	FILE *ready = NULL;

	if (options->ready != NULL) {
		snprintf(part, sizeof(part), "%s.part", options->ready);
		ready = fopen(part, "w");
		if (ready == NULL)
			die("%s: %s", part, strerror(errno));
	}
	for (unsigned i = 0; i < options->listen_count; i++)
		fds[i] = (struct pollfd){ .fd = listen_on(options->listen[i], ready),
			.events = POLLIN };
	fflush(stdout);
	if (ready != NULL && (fclose(ready) != 0 || rename(part, options->ready) != 0))
		die("%s: %s", options->ready, strerror(errno));
}

int
main(int argc, char **argv)
{
	struct options options = { 0 };
	struct pollfd  fds[LISTENERS_MAX];

	read_options(&options, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_term);
	signal(SIGINT, on_term);
	server.tls = make_tls(options.cert, options.key);
	if (options.log != NULL && (server.log = fopen(options.log, "a")) == NULL)
		die("%s: %s", options.log, strerror(errno));
	open_listeners(&options, fds);
	for (;;) {
		if (poll(fds, options.listen_count, -1) < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		for (unsigned i = 0; i < options.listen_count; i++) {
			if (fds[i].revents & POLLIN)
				take_connection(fds[i].fd);
		}
	}
}
