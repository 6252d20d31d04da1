#include "tests/support/support_front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct support_front {
	const char           *kind, *host; /* borrowed */
	struct support_certs *root, *leaf; /* owned */
	char                  ca_file[64]; /* removed with us */
};

struct support_certs *
support_front_leaf(const struct support_front *front, const char *name)
{
	const char *const names[] = { name, NULL };

	return support_certs_new(&(struct support_certs_plan){
	    .subject = front->host, .names = names, .issuer = front->root });
}

struct support_front *
support_front_new(const char *kind, const char *host, const char *name)
{
	struct support_front *front = mem_alloc(sizeof(*front));
	int                   fd;

	front->kind = kind;
	front->host = host;
	strcpy(front->ca_file, "/tmp/support_front_ca_XXXXXX");
	fd = mkstemp(front->ca_file);
	if (fd < 0)
		abort();
	close(fd);
	front->root = support_certs_new(
	    &(struct support_certs_plan){ .subject = "Test Root", .authority = true });
	support_certs_write(front->root, front->ca_file, NULL);
	front->leaf = support_front_leaf(front, name);
	return front;
}

void
support_front_free(struct support_front *front)
{
	if (front == NULL)
		return;
	support_certs_free(front->leaf);
	support_certs_free(front->root);
	unlink(front->ca_file);
	free(front);
}

struct support_probe *
support_front_ask_peer(const struct support_front *front, void (*serve)(int fd, void *arg),
    void *arg, int64_t limit_ms)
{
	struct support_peer  *peer = support_peer_start(serve, arg);
	struct probe_options  options = { .ca_file = front->ca_file };
	struct probe_ask      ask = { .kind = front->kind,
		     .host = front->host,
		     .peer = support_peer_addr(peer),
		     .limit_ms = limit_ms };
	struct support_probe *run = support_probe_run(&options, &ask);

	support_peer_stop(peer);
	return run;
}

struct support_probe *
support_front_ask_tls(
    const struct support_front *front, const struct support_tls *tls, int64_t limit_ms)
{
	struct support_tls used = *tls;

	if (used.certs == NULL)
		used.certs = front->leaf;
	return support_front_ask_peer(front, support_tls_serve, &used, limit_ms);
}

struct support_probe *
support_front_ask(const struct support_front *front,
    void (*talk)(struct ssl_st *ssl, void *arg), void *arg, int64_t limit_ms)
{
	struct support_tls tls = { .talk = talk, .arg = arg };

	return support_front_ask_tls(front, &tls, limit_ms);
}
