#include "probe/feed/feed_request.h"

#include "base/text.h"
#include "probe/feed/feed_json.h"
#include "probe/feed/feed_percent.h"

/* The blank of "protocol eq rntbd" is encoded, the dollar is not. */
#define FOR_RNTBD "$filter=protocol%20eq%20rntbd"

struct feed_request
feed_request_account(void)
{
	return (struct feed_request){ .target = "/", .type = "", .link = "", .thin = true };
}

struct feed_request
feed_request_databases(void)
{
	return (struct feed_request){ .target = "/dbs", .type = "dbs", .link = "" };
}

struct feed_request
feed_request_containers(struct arena *arena, const char *database)
{
	return (struct feed_request){
		.target = arena_printf(
		    arena, "/dbs/%s/colls", feed_percent_text(arena, database)),
		.type = "colls",
		.link = arena_printf(arena, "dbs/%s", database),
	};
}

const char *
feed_request_link(struct arena *arena, const char *database, const char *container)
{
	return arena_printf(arena, "dbs/%s/colls/%s", database, container);
}

struct feed_request
feed_request_container(struct arena *arena, const char *database, const char *container)
{
	return (struct feed_request){
		.target = arena_printf(arena, "/dbs/%s/colls/%s",
		    feed_percent_text(arena, database), feed_percent_text(arena, container)),
		.type = "colls",
		.link = feed_request_link(arena, database, container),
	};
}

struct feed_request
feed_request_ranges(struct arena *arena, const char *database, const char *container)
{
	struct feed_request request = feed_request_container(arena, database, container);

	request.target = arena_printf(arena, "%s/pkranges", request.target);
	request.type = "pkranges";
	return request;
}

struct feed_request
feed_request_addresses(struct arena *arena, const char *rid, const char *ids)
{
	const char *whose = arena_printf(
	    arena, "dbs/%s/colls/%s/docs", feed_json_database_rid(rid, arena), rid);
	char *link = arena_strdup(arena, rid);

	for (char *at = link; *at != '\0'; at++)
		*at = text_lower(*at);
	return (struct feed_request){
		.target = arena_printf(arena,
		    "//addresses/?$resolveFor=%s&%s&$partitionKeyRangeIds=%s",
		    feed_percent_text(arena, whose), FOR_RNTBD, ids),
		.type = "docs",
		.link = link,
	};
}

struct feed_request
feed_request_master(void)
{
	return (struct feed_request){
		.target = "//addresses/?$resolveFor=dbs&" FOR_RNTBD, .type = "dbs", .link = ""
	};
}
