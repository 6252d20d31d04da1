#include "tests/support/support_front.h"

#include <openssl/ssl.h>
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

enum { BELOW_MS = 5000 };

/* What one probe is to show where the dialogue never began. */
struct below {
	const char  *name;
	enum outcome tcp, tls;
	const char  *words; /* of detail; "" for any */
};

/* Frees the run. */
static const char *
judge_below(struct arena *arena, struct support_probe *run, const struct below *want)
{
	const struct endpoint *end = &run->endpoint;
	const char            *detail = end->detail != NULL ? end->detail : "";
	const struct greeting *greeting = end->greeting;
	const char            *words = NULL;

	if (run->overs != 1)
		words = arena_printf(arena, "%s: ended %u times", want->name, run->overs);
	else if (end->tcp != want->tcp || end->tls != want->tls)
		words = arena_printf(arena, "%s: tcp %s, tls %s", want->name,
		    outcome_name(end->tcp), outcome_name(end->tls));
	else if (strstr(detail, want->words) == NULL)
		words = arena_printf(
		    arena, "%s: '%s' does not say '%s'", want->name, detail, want->words);
	else if (greeting == NULL || greeting->outcome != OUTCOME_NOT_RUN ||
	    greeting->detail != NULL)
		words = arena_printf(arena, "%s: somebody spoke", want->name);
	support_probe_free(run);
	return words;
}

/* Nothing is said to whom the certificate does not prove. */
static const char *
try_other_name(
    const struct support_front *front, const struct support_tls *tls, struct arena *arena)
{
	struct support_certs *other = support_front_leaf(front, "*.other.example");
	struct support_tls    used = *tls;
	struct support_probe *run;

	used.certs = other;
	run = support_front_ask_tls(front, &used, BELOW_MS);
	support_certs_free(other);
	return judge_below(arena, run,
	    &(struct below){ "another name", OUTCOME_OK, OUTCOME_TLS_REJECTED,
	        arena_printf(arena, "wanted %s", front->host) });
}

const char *
support_front_below(const struct support_front *front,
    void (*talk)(struct ssl_st *ssl, void *arg), void *arg, struct arena *arena)
{
	struct support_tls tls = { .talk = talk, .arg = arg };
	const char        *words = try_other_name(front, &tls, arena);

	tls.most_version = TLS1_1_VERSION;
	if (words == NULL)
		words = judge_below(arena, support_front_ask_tls(front, &tls, BELOW_MS),
		    &(struct below){ "old TLS", OUTCOME_OK, OUTCOME_TLS_FAILED, "" });
	if (words == NULL)
		words = judge_below(arena,
		    support_front_ask_peer(front, support_peer_reset, NULL, BELOW_MS),
		    &(struct below){ "a reset", OUTCOME_OK, OUTCOME_RESET, "" });
	if (words == NULL)
		words = judge_below(arena,
		    support_front_ask_peer(front, support_peer_says,
		        (void *)"HTTP/1.1 400 Bad Request\r\n\r\n", BELOW_MS),
		    &(struct below){ "plain HTTP", OUTCOME_OK, OUTCOME_NOT_TLS, "" });
	return words;
}
