/* floor: the least that a collector could do: the same TLS, HTTP, and one row a batch.
 *
 *	floor --port N --certificate FILE --key FILE --ca FILE --store FILE
 *
 * libevent's HTTP server over OpenSSL, asking for certificates as the collector does; the body of a
 * POST goes into a table of one column, committed with others within 2 ms, synchronous=FULL, and is
 * answered after.  It knows nobody, decodes nothing and judges nothing: what the collector costs
 * more than this is its own.  No code of the project is in it.
 */
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <getopt.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

enum { PARKED_MAX = 4096 };

struct floor {
	const char            *port, *certificate, *key, *ca, *store;
	struct event_base     *base;
	struct event          *commit;
	SSL_CTX               *tls;
	sqlite3               *db;
	sqlite3_stmt          *insert;
	struct evhttp_request *parked[PARKED_MAX];
	size_t                 count;
};

static void
die(const char *why)
{
	fprintf(stderr, "floor: %s\n", why);
	exit(1);
}

static void
run_sql(struct floor *floor, const char *sql)
{
	if (sqlite3_exec(floor->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(sqlite3_errmsg(floor->db));
}

static void
on_commit(evutil_socket_t fd, short what, void *arg)
{
	struct floor *floor = arg;

	run_sql(floor, "COMMIT");
	for (size_t i = 0; i < floor->count; i++) {
		struct evbuffer *body = evbuffer_new();

		evbuffer_add_printf(body, "{\"status\":\"stored\"}");
		evhttp_send_reply(floor->parked[i], 200, "OK", body);
		evbuffer_free(body);
	}
	floor->count = 0;
}

static void
on_request(struct evhttp_request *request, void *arg)
{
	static const struct timeval soon = { .tv_usec = 2000 };
	struct floor               *floor = arg;
	struct evbuffer            *body = evhttp_request_get_input_buffer(request);
	size_t                      bytes = evbuffer_get_length(body);

	if (evhttp_request_get_command(request) != EVHTTP_REQ_POST ||
	    floor->count == PARKED_MAX) {
		evhttp_send_reply(request, floor->count == PARKED_MAX ? 503 : 304, "", NULL);
		return;
	}
	if (floor->count == 0) {
		run_sql(floor, "BEGIN IMMEDIATE");
		event_add(floor->commit, &soon);
	}
	sqlite3_bind_blob64(
	    floor->insert, 1, evbuffer_pullup(body, -1), (sqlite3_uint64)bytes, SQLITE_STATIC);
	if (sqlite3_step(floor->insert) != SQLITE_DONE)
		die(sqlite3_errmsg(floor->db));
	sqlite3_reset(floor->insert);
	floor->parked[floor->count++] = request;
}

static struct bufferevent *
make_stream(struct event_base *base, void *arg)
{
	struct floor       *floor = arg;
	struct bufferevent *stream = bufferevent_openssl_socket_new(
	    base, -1, SSL_new(floor->tls), BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);

	bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
	return stream;
}

static void
open_tls(struct floor *floor)
{
	floor->tls = SSL_CTX_new(TLS_server_method());
	if (SSL_CTX_use_certificate_chain_file(floor->tls, floor->certificate) != 1 ||
	    SSL_CTX_use_PrivateKey_file(floor->tls, floor->key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_load_verify_locations(floor->tls, floor->ca, NULL) != 1)
		die("certificate, key or authority");
	SSL_CTX_set_client_CA_list(floor->tls, SSL_load_client_CA_file(floor->ca));
	SSL_CTX_set_verify(floor->tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_options(floor->tls, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(floor->tls, 0);
	SSL_CTX_set_session_cache_mode(floor->tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(floor->tls, SSL_MODE_RELEASE_BUFFERS);
}

static void
open_store(struct floor *floor)
{
	if (sqlite3_open(floor->store, &floor->db) != SQLITE_OK)
		die("store");
	run_sql(floor,
	    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	    "CREATE TABLE bodies(id INTEGER PRIMARY KEY, body BLOB) STRICT");
	if (sqlite3_prepare_v2(floor->db, "INSERT INTO bodies(body) VALUES(?)", -1,
	        &floor->insert, NULL) != SQLITE_OK)
		die(sqlite3_errmsg(floor->db));
}

static void
open_listener(struct floor *floor)
{
	struct evhttp *http = evhttp_new(floor->base);

	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
	evhttp_set_gencb(http, on_request, floor);
	evhttp_set_bevcb(http, make_stream, floor);
	if (evhttp_bind_socket(http, "0.0.0.0", (ev_uint16_t)atoi(floor->port)) != 0)
		die("port");
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "port", 1, NULL, 'p' },
		{ "certificate", 1, NULL, 'c' }, { "key", 1, NULL, 'k' },
		{ "ca", 1, NULL, 'a' }, { "store", 1, NULL, 's' }, { 0 } };
	struct floor               floor = { 0 };
	int                        option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p': floor.port = optarg; break;
		case 'c': floor.certificate = optarg; break;
		case 'k': floor.key = optarg; break;
		case 'a': floor.ca = optarg; break;
		case 's': floor.store = optarg; break;
		default: exit(2);
		}
	}
	if (!floor.port || !floor.certificate || !floor.key || !floor.ca || !floor.store)
		die("see the head of tests/sim/floor.c");
	signal(SIGPIPE, SIG_IGN);
	floor.base = event_base_new();
	floor.commit = event_new(floor.base, -1, 0, on_commit, &floor);
	open_tls(&floor);
	open_store(&floor);
	open_listener(&floor);
	printf("ready\n");
	fflush(stdout);
	return event_base_dispatch(floor.base);
}
