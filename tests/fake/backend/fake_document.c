#include "tests/fake/backend/fake_document.h"

#include "base/arena.h"
#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define ETAG "\"00000000-0000-0000-0000-000000000000\""
#define QUERY_ENGINE                                                                           \
	"{\"maxSqlQueryInputLength\":262144,\"maxJoinsPerSqlQuery\":5,"                        \
	"\"maxLogicalAndPerSqlQuery\":500,\"maxLogicalOrPerSqlQuery\":500,"                    \
	"\"maxUdfRefPerSqlQuery\":10,\"maxInExpressionItemsCount\":16000,"                     \
	"\"queryMaxInMemorySortDocumentCount\":500,\"maxQueryRequestTimeoutFraction\":0.9,"    \
	"\"sqlAllowNonFiniteNumbers\":false,\"sqlAllowAggregateFunctions\":true,"              \
	"\"sqlAllowSubQuery\":true,\"sqlAllowScalarSubQuery\":true,\"allowNewKeywords\":true," \
	"\"sqlAllowLike\":true,\"sqlAllowGroupByClause\":true,\"maxSpatialQueryCells\":12,"    \
	"\"spatialMaxGeometryPointCount\":256,\"sqlAllowTop\":true,\"enableSpatialIndexing\":" \
	"true}"

enum { TS = 1493254272 };

static json_t *
list_places(const struct fake_place *places, size_t count, bool writable_only)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		if (writable_only && !places[i].writable)
			continue;
		json_array_append_new(list,
		    json_pack("{s:s, s:o}", "name", places[i].name, "databaseAccountEndpoint",
		        json_sprintf("https://%s:%u/", places[i].host, places[i].port)));
	}
	return list;
}

static json_t *
describe_account(const struct fake_account *account, bool thin)
{
	const struct fake_place *regions = account->regions;
	size_t                   writable = 0;
	json_t                  *all;

	for (size_t i = 0; i < account->region_count; i++)
		writable += regions[i].writable;
	all = json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:o, s:o, s:b}", "_self", "", "id",
	    account->name, "_rid", json_sprintf("%s.%s", account->name, account->suffix),
	    "media", "//media/", "addresses", "//addresses/", "_dbs", "//dbs/",
	    "writableLocations", list_places(regions, account->region_count, true),
	    "readableLocations", list_places(regions, account->region_count, false),
	    "enableMultipleWriteLocations", writable > 1);
	if (thin && account->thin_count > 0) {
		json_object_set_new(all, "thinClientWritableLocations",
		    list_places(account->thin, account->thin_count, true));
		json_object_set_new(all, "thinClientReadableLocations",
		    list_places(account->thin, account->thin_count, false));
	}
	json_object_update_new(all,
	    json_pack("{s:b, s:{s:b, s:i, s:i}, s:{s:s}, s:b, s:{s:i, s:i}, s:{s:i, s:i}, s:s}",
	        "continuousBackupEnabled", 0, "userReplicationPolicy", "asyncReplication", 0,
	        "minReplicaSetSize", 3, "maxReplicasetSize", 4, "userConsistencyPolicy",
	        "defaultConsistencyLevel", "Session", "enableNRegionSynchronousCommit", 0,
	        "systemReplicationPolicy", "minReplicaSetSize", 3, "maxReplicasetSize", 4,
	        "readPolicy", "primaryReadCoefficient", 1, "secondaryReadCoefficient", 1,
	        "queryEngineConfiguration", QUERY_ENGINE));
	return all;
}

static json_t *
describe_database(const struct fake_database *database)
{
	return json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:i}", "id", database->id, "_rid",
	    database->rid, "_self", json_sprintf("dbs/%s/", database->rid), "_etag", ETAG,
	    "_colls", "colls/", "_users", "users/", "_ts", TS);
}

static json_t *
describe_container(const struct fake_database *database, const struct fake_container *container)
{
	return json_pack(
	    "{s:s, s:{s:s, s:b, s:[{s:s}], s:[]}, s:{s:[s], s:s}, s:s, s:o, s:s, s:s, s:i}",
	    "id", container->id, "indexingPolicy", "indexingMode", "consistent", "automatic", 1,
	    "includedPaths", "path", "/*", "excludedPaths", "partitionKey", "paths",
	    container->partition_key, "kind", "Hash", "_rid", container->rid, "_self",
	    json_sprintf("dbs/%s/colls/%s/", database->rid, container->rid), "_etag", ETAG,
	    "_docs", "docs/", "_ts", TS);
}

static json_t *
describe_range(const struct fake_container *container, const struct fake_range *range)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:[], s:i}", "_rid",
	    container->rid, "id", range->id, "_etag", ETAG, "minInclusive", range->min,
	    "maxExclusive", range->max, "ridPrefix", 0, "throughputFraction", 1, "status",
	    "online", "parents", "_ts", TS);
}

/* One of two lists for each range: what is told at first, or after a refresh where that differs. */
static bool
is_told(const struct fake_range *range, const struct fake_replica *replica,
    const struct fake_asked *asked)
{
	bool refreshed = false;

	if (*replica->view != '\0' && strcmp(replica->view, asked->view) != 0)
		return false;
	for (size_t i = 0; i < range->replica_count; i++) {
		const struct fake_replica *one = &range->replicas[i];

		refreshed |= one->refreshed &&
		    (*one->view == '\0' || strcmp(one->view, asked->view) == 0);
	}
	return replica->refreshed == (refreshed && asked->refresh);
}

static void
add_addresses(json_t *list, const struct fake_range *range, const struct fake_asked *asked)
{
	for (size_t i = 0; i < range->replica_count; i++) {
		const struct fake_replica *replica = &range->replicas[i];

		if (!is_told(range, replica, asked))
			continue;
		json_array_append_new(list,
		    json_pack("{s:b, s:b, s:s, s:o, s:o, s:o, s:s, s:i}", "isPrimary",
		        replica->primary, "isAuxiliary", 0, "protocol", replica->protocol,
		        "logicalUri",
		        json_sprintf(
		            "%s://%s%s", replica->protocol, replica->host, replica->path),
		        "physcialUri",
		        json_sprintf("%s://%s:%u%s", replica->protocol, replica->host,
		            replica->port, replica->path),
		        "partitionIndex", json_sprintf("%s@164384118", range->id),
		        "partitionKeyRangeId", range->id, "partitionTargetReplicaSetSize", 4));
	}
}

/* Whether `id` is in a list with commas. */
static bool
is_listed(const char *list, const char *id)
{
	size_t length = strlen(id);

	while (*list != '\0') {
		size_t count = strcspn(list, ",");

		if (count == length && strncmp(list, id, length) == 0)
			return true;
		list += count + (list[count] == ',');
	}
	return false;
}

/* Ends the document with a feed of which one page is told. */
static void
finish_feed(struct fake_document *document, const char *rid, const char *name, json_t *all,
    const struct fake_asked *asked)
{
	size_t  start = strtoul(asked->continuation, NULL, 10), end = json_array_size(all);
	json_t *page = json_array(), *feed;

	if (asked->page != 0 && start + asked->page < end) {
		end = start + asked->page;
		document->next = (unsigned)end;
	}
	for (size_t i = start; i < end; i++)
		json_array_append(page, json_array_get(all, i));
	json_decref(all);
	document->item_count = (unsigned)json_array_size(page);
	feed = json_pack(
	    "{s:s, s:o, s:i}", "_rid", rid, name, page, "_count", (int)document->item_count);
	document->body = json_dumps(feed, JSON_COMPACT);
	json_decref(feed);
}

static void
finish_one(struct fake_document *document, json_t *object)
{
	document->body = json_dumps(object, JSON_COMPACT);
	json_decref(object);
}

static void
refuse(struct fake_document *document, unsigned status, const char *message)
{
	document->status = status;
	document->body = mem_strdup(message);
}

static void
list_databases(struct fake_document *document, const struct fake_account *account,
    const struct fake_asked *asked)
{
	json_t *list = json_array();

	for (size_t i = 0; i < account->database_count; i++)
		json_array_append_new(list, describe_database(&account->databases[i]));
	finish_feed(document, "", "Databases", list, asked);
}

static void
list_containers(struct fake_document *document, const struct fake_database *database,
    const struct fake_asked *asked)
{
	json_t *list = json_array();

	for (size_t i = 0; i < database->container_count; i++)
		json_array_append_new(
		    list, describe_container(database, &database->containers[i]));
	finish_feed(document, database->rid, "DocumentCollections", list, asked);
}

static void
list_ranges(struct fake_document *document, const struct fake_container *container,
    const struct fake_asked *asked)
{
	json_t *list = json_array();

	for (size_t i = 0; i < container->range_count; i++)
		json_array_append_new(list, describe_range(container, &container->ranges[i]));
	finish_feed(document, container->rid, "PartitionKeyRanges", list, asked);
}

/* Of a container's ranges, or of the master partition where there is none. */
static void
list_addresses(struct fake_document *document, const struct fake_account *account,
    const struct fake_container *container, const struct fake_asked *asked)
{
	struct fake_asked whole = *asked; /* this feed has no pages */
	json_t           *list = json_array();
	char              filter[200], ids[2048];

	whole.page = 0;
	whole.continuation = "";
	fake_query_get(asked->query, "$filter", filter, sizeof(filter));
	fake_query_get(asked->query, "$partitionKeyRangeIds", ids, sizeof(ids));
	if (!text_equal_nocase(filter, "protocol eq rntbd")) {
		json_decref(list);
		refuse(document, 400, "The $filter is not \"protocol eq rntbd\".");
		return;
	}
	if (container == NULL)
		add_addresses(list, &account->master, asked);
	for (size_t i = 0; container != NULL && i < container->range_count; i++) {
		if (is_listed(ids, container->ranges[i].id))
			add_addresses(list, &container->ranges[i], asked);
	}
	if (container != NULL && *ids == '\0')
		refuse(document, 400, "The $partitionKeyRangeIds are missing.");
	else
		finish_feed(document, container != NULL ? container->rid : "", "Addresss",
		    json_incref(list), &whole);
	json_decref(list);
}

/* Nothing was ever written here. */
static void
list_documents(struct fake_document *document, const struct fake_container *container,
    const struct fake_asked *asked)
{
	if (asked->plan)
		finish_one(document,
		    json_pack("{s:i, s:{s:s, s:[], s:[], s:[], s:[], s:b}, "
		              "s:[{s:s, s:s, s:b, s:b}]}",
		        "partitionedQueryExecutionInfoVersion", 2, "queryInfo", "distinctType",
		        "None", "orderBy", "orderByExpressions", "aggregates",
		        "groupByExpressions", "hasSelectValue", 0, "queryRanges", "min", "",
		        "max", "FF", "isMinInclusive", 1, "isMaxInclusive", 0));
	else
		finish_feed(document, container->rid, "Documents", json_array(), asked);
}

static void
make_of_container(struct fake_document *document, const struct fake_database *database,
    const struct fake_container *container, const struct fake_target *target,
    const struct fake_asked *asked)
{
	if (target->part_count == 4)
		finish_one(document, describe_container(database, container));
	else if (target->part_count == 5 && strcmp(target->parts[4], "pkranges") == 0)
		list_ranges(document, container, asked);
	else if (target->part_count == 5)
		list_documents(document, container, asked);
	else
		refuse(document, 404,
		    "Entity with the specified id does not exist in the system.");
}

void
fake_document_make(struct fake_document *document, const struct fake_account *account,
    const struct fake_target *target, const struct fake_asked *asked)
{
	const struct fake_database  *database = NULL;
	const struct fake_container *container = NULL;

	*document = (struct fake_document){ .status = 200 };
	if (target->part_count > 1)
		database = fake_account_database(account, target->parts[1], target->by_rid);
	if (target->part_count > 3 && database != NULL)
		container = fake_database_container(database, target->parts[3], target->by_rid);
	if ((target->part_count > 1 && database == NULL) ||
	    (target->part_count > 3 && container == NULL))
		refuse(document, 404, "Owner resource does not exist");
	else if (target->addresses)
		list_addresses(document, account, container, asked);
	else if (target->part_count == 0)
		finish_one(document, describe_account(account, asked->thin));
	else if (target->part_count == 1)
		list_databases(document, account, asked);
	else if (target->part_count == 2)
		finish_one(document, describe_database(database));
	else if (target->part_count == 3)
		list_containers(document, database, asked);
	else
		make_of_container(document, database, container, target, asked);
}
