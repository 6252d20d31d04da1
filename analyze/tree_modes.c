#include "analyze/tree_modes.h"

#include "base/text.h"

#include <string.h>

enum { REPLICAS_DRAWN = 12 };

static const char *
name_peer(struct arena *arena, const char *host, unsigned port)
{
	return arena_printf(arena, "%s:%u", text_is_said(host) ? host : "?", port);
}

static const char *
join(struct arena *arena, const char *text, const char *more)
{
	return text_is_said(more) ? arena_printf(arena, "%s, %s", text, more) : text;
}

static const char *
describe_time(struct arena *arena, uint32_t took_us)
{
	return took_us == 0 ? "" : arena_printf(arena, " in %.1f ms", took_us / 1000.0);
}

static void
add_stage(struct arena *arena, struct node *under, const char *name, unsigned outcome,
    uint32_t took_us, const char *more)
{
	if (outcome == OUTCOME_NOT_RUN)
		return;
	tree_draw_add(arena, under, name, tree_draw_ink(outcome), outcome_name(outcome),
	    join(arena, describe_time(arena, took_us), more));
}

/* Version where it went well, the reason where not, and whose certificate it is. */
static const char *
describe_handshake(struct arena *arena, const struct endpoint *end)
{
	bool        well = end->tls == OUTCOME_OK;
	const char *words[] = { well ? end->tls_version : end->verify_text,
		well ? "" : end->detail,
		text_is_said(end->issuer) ? arena_printf(arena, "issued by %s", end->issuer)
		                          : "" };
	const char *text = "";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (text_is_said(words[i]))
			text = *text == '\0' ? words[i] : join(arena, text, words[i]);
	}
	return text;
}

static void
add_connection(struct arena *arena, struct node *under, const struct endpoint *end)
{
	if (end == NULL)
		return;
	add_stage(arena, under, "tcp: ", end->tcp, end->tcp_us,
	    end->tcp == OUTCOME_OK ? "" : end->detail);
	add_stage(arena, under, "tls: ", end->tls, end->tls_us, describe_handshake(arena, end));
}

static void
add_context(struct arena *arena, struct node *under, const struct replica *replica)
{
	const char *text = describe_time(arena, replica->context_us);
	bool        refused = replica->status >= 400;

	if (replica->context == OUTCOME_NOT_RUN)
		return;
	if (replica->status != 0)
		text = arena_printf(arena, "%s, status %u", text, replica->status);
	text = join(arena, text, replica->server_agent);
	text = join(arena, text, replica->server_version);
	text = join(arena, text, replica->error_code);
	text = join(arena, text, replica->error_text);
	text = join(arena, text, replica->detail);
	tree_draw_add(arena, under, "context: ",
	    refused ? tree_draw_ink(OUTCOME_BROKE_PROTOCOL) : tree_draw_ink(replica->context),
	    refused ? "refused" : outcome_name(replica->context), text);
}

/* "replica contoso-westeurope...:21226 at 10.1.1.6, primary of 0", and its stages. */
static void
add_replica(struct arena *arena, struct node *root, const struct replica *replica)
{
	const char  *partitions = text_is_said(replica->partitions)
	     ? arena_printf(arena, ", %s of %s", replica->primary ? "primary" : "replica",
	           replica->partitions)
	     : "";
	const char  *address = replica->end != NULL && text_is_said(replica->end->address)
	     ? arena_printf(arena, " at %s", replica->end->address)
	     : "";
	struct node *node = tree_draw_add(arena, root,
	    replica->origin == ORIGIN_SAMPLE ? "guessed port " : "replica ", TABLE_BOLD,
	    name_peer(arena, replica->host, replica->port),
	    arena_printf(arena, "%s%s", address, partitions));

	add_stage(arena, node, "name: ", replica->dns, replica->dns_us, "");
	add_connection(arena, node, replica->end);
	add_context(arena, node, replica);
	if (text_is_said(replica->stage) && replica->sdk_code != 0)
		tree_draw_add(arena, node, "as SDKs call it: ", TABLE_PLAIN, replica->stage,
		    arena_printf(arena, ", TransportErrorCode %u", replica->sdk_code));
}

static bool
is_well(const struct replica *replica)
{
	return replica->context == OUTCOME_OK && replica->status < 400;
}

/* Those that failed first, since there may be many. */
static void
add_replicas(struct arena *arena, struct node *root, const struct measurement *seen)
{
	size_t drawn = 0;

	for (int well = 0; well < 2; well++) {
		for (size_t i = 0; i < seen->replicas_count; i++) {
			if (is_well(&seen->replicas[i]) != (well == 1))
				continue;
			if (drawn++ < REPLICAS_DRAWN)
				add_replica(arena, root, &seen->replicas[i]);
		}
	}
	if (drawn > REPLICAS_DRAWN)
		tree_draw_add(arena, root, "", TABLE_GREY,
		    arena_printf(arena, "and %zu replicas more", drawn - REPLICAS_DRAWN), "");
}

static void
add_feed(struct arena *arena, struct node *root, const struct feed *feed)
{
	const char *text = describe_time(arena, feed->took_us);

	if (text_is_said(feed->step))
		text = arena_printf(arena, "%s, up to %s", text, feed->step);
	if (feed->http_status != 0)
		text = arena_printf(arena, "%s, HTTP %u", text, feed->http_status);
	text = join(arena, text, feed->admitted ? "request admitted" : "");
	text = join(arena, text, feed->error_text);
	tree_draw_add(arena, root,
	    arena_printf(arena,
	        "signed requests%s%s: ", text_is_said(feed->address) ? " to " : "",
	        text_is_said(feed->address) ? feed->address : ""),
	    tree_draw_ink(feed->outcome), outcome_name(feed->outcome),
	    join(arena, text, feed->detail));
}

static void
add_thin(struct arena *arena, struct node *root, const struct thin *thin)
{
	const char  *address = thin->end != NULL && text_is_said(thin->end->address)
	     ? arena_printf(arena, " at %s", thin->end->address)
	     : "";
	struct node *node = tree_draw_add(arena, root, "Gateway V2 ", TABLE_BOLD,
	    name_peer(arena, thin->host, thin->port),
	    arena_printf(arena, "%s%s", address, thin->advertised ? ", advertised" : ""));
	const char  *text = text_is_said(thin->alpn) ? thin->alpn : "no ALPN";

	add_connection(arena, node, thin->end);
	if (thin->status != 0)
		text = arena_printf(arena, "%s, HTTP %u", text, thin->status);
	add_stage(arena, node, "probe: ", thin->outcome, thin->wait_us,
	    join(arena, text, thin->detail));
}

void
tree_modes_add(struct arena *arena, struct node *root, const struct measurement *seen)
{
	if (seen->feed != NULL)
		add_feed(arena, root, seen->feed);
	add_replicas(arena, root, seen);
	for (size_t i = 0; i < seen->thins_count; i++)
		add_thin(arena, root, &seen->thins[i]);
}
