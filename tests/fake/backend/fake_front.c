#include "tests/fake/backend/fake_front.h"

#include "tests/fake/backend/cassandra.h"
#include "tests/fake/backend/gremlin.h"
#include "tests/fake/backend/mongo.h"
#include "tests/fake/backend/tables.h"

static struct {
	struct ssl_ctx_st             *tls[FAKE_PROTOCOLS]; /* owned */
	struct mongo_manner            mongo;
	const char                    *hosts; /* NULL: those of the manner */
	const struct mongo_manner     *mongo_like;
	const struct cassandra_manner *cassandra;
	const struct gremlin_manner   *gremlin;
	const struct tables_manner    *table;
} front = { .mongo_like = mongo_manners,
	.cassandra = cassandra_manners,
	.gremlin = gremlin_manners,
	.table = tables_manners };

bool
fake_front_does(enum fake_protocol protocol, const char *name, struct err *err)
{
	bool known = false;

	switch (protocol) {
	case FAKE_MONGO: known = (front.mongo_like = mongo_manner_find(name)) != NULL; break;
	case FAKE_CASSANDRA:
		known = (front.cassandra = cassandra_manner_find(name)) != NULL;
		break;
	case FAKE_GREMLIN: known = (front.gremlin = gremlin_manner_find(name)) != NULL; break;
	case FAKE_TABLE: known = (front.table = tables_manner_find(name)) != NULL; break;
	case FAKE_GATEWAY:
	case FAKE_RNTBD:
	case FAKE_THIN:
	case FAKE_PROTOCOLS: break;
	}
	return known || err_set(err, ERR_USAGE, "nobody does so; --help lists the names");
}

void
fake_front_list(enum fake_protocol protocol, FILE *out)
{
	const struct mongo_manner     *mongo = mongo_manners;
	const struct cassandra_manner *cassandra = cassandra_manners;
	const struct gremlin_manner   *gremlin = gremlin_manners;
	const struct tables_manner    *table = tables_manners;

	for (; protocol == FAKE_MONGO && mongo->name != NULL; mongo++)
		fprintf(out, "  %s\n", mongo->name);
	for (; protocol == FAKE_CASSANDRA && cassandra->name != NULL; cassandra++)
		fprintf(out, "  %s\n", cassandra->name);
	for (; protocol == FAKE_GREMLIN && gremlin->name != NULL; gremlin++)
		fprintf(out, "  %s\n", gremlin->name);
	for (; protocol == FAKE_TABLE && table->name != NULL; table++)
		fprintf(out, "  %s\n", table->name);
}

void
fake_front_hand_out(const char *hosts)
{
	front.hosts = hosts;
}

void
fake_front_setup(enum fake_protocol protocol, struct ssl_ctx_st *tls)
{
	front.tls[protocol] = tls;
	front.mongo = *front.mongo_like;
	if (front.hosts != NULL)
		front.mongo.hosts = front.hosts;
}

static bool
open_talk(struct fake_talk *talk, enum fake_protocol protocol)
{
	if (!fake_talk_secure(talk, front.tls[protocol]))
		return false;
	fake_talk_log(talk, "%s reached", fake_protocol_names[protocol]);
	return true;
}

void
fake_mongo_serve(struct fake_talk *talk)
{
	if (open_talk(talk, FAKE_MONGO))
		mongo_serve(talk->ssl, &front.mongo);
}

void
fake_cassandra_serve(struct fake_talk *talk)
{
	if (open_talk(talk, FAKE_CASSANDRA))
		cassandra_serve(talk->ssl, front.cassandra);
}

void
fake_gremlin_serve(struct fake_talk *talk)
{
	if (open_talk(talk, FAKE_GREMLIN))
		gremlin_serve(talk->ssl, front.gremlin);
}

void
fake_table_serve(struct fake_talk *talk)
{
	if (open_talk(talk, FAKE_TABLE))
		tables_serve(talk->ssl, front.table);
}
