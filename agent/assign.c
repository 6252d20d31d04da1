#include "agent/assign.h"

#include "analyze/names.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "proto/decode.h"
#include "proto/encode.h"

#include <string.h>
#include <unistd.h>

#define AREA "assign"

struct targets {
	struct arena  *arena;
	struct target *targets;
	size_t         count;
};

static void
add_targets(struct targets *all, const struct agent_conf *conf, const struct account *account)
{
	struct name_list *names = names_targets_more(
	    all->arena, account, conf->modes | (conf->sweep ? NAMES_SWEEP : 0), &conf->regions);
	struct target *grown = arena_array(
	    all->arena, all->count + names->count + 1, sizeof(*grown));

	for (size_t i = 0; i < names->count; i++) {
		if (names->targets[i].mode != MODE_GATEWAY)
			names->targets[i].interval_ms = (uint32_t)conf->direct_ms;
	}
	memcpy(grown, all->targets, all->count * sizeof(*grown));
	memcpy(grown + all->count, names->targets, names->count * sizeof(*grown));
	all->targets = grown;
	all->count += names->count;
}

static bool
add_account(struct targets *all, const struct agent_conf *conf,
    const struct agent_account *account, struct err *err)
{
	struct support_more  own = { conf->suffixes.texts, conf->suffixes.count };
	struct account_list *list;
	struct account      *named;

	if (account->document[0] == '\0') {
		named = account_named_more(all->arena, account->name, &own, err);
		if (named == NULL)
			return err_in(err, "accounts");
		add_targets(all, conf, named);
		return true;
	}
	list = account_read(all->arena, account->document, err);
	if (list != NULL && list->count == 0)
		return err_set(err, ERR_USAGE,
		    "accounts: %s holds no account; `az cosmosdb show` wanted",
		    account->document);
	for (size_t i = 0; list != NULL && i < list->count; i++)
		add_targets(all, conf, list->accounts[i]);
	return list != NULL;
}

/* Twice: without a version to know what it is, then with it. */
static void
encode_versioned(struct assignment *assignment, struct wbuf *out)
{
	uint8_t digest[DIGEST_BYTES];
	char    version[17];

	assignment->version = "";
	encode_message(&assignment_desc, assignment, out);
	digest_sha256(out->bytes, out->count, digest);
	assignment->version = digest_hex(digest, 8, version);
	wbuf_clear(out);
	encode_message(&assignment_desc, assignment, out);
}

bool
assign_local(const struct agent_conf *conf, struct wbuf *out, struct err *err)
{
	const struct agent_account *accounts = conf->accounts.rows;
	struct targets              all = { .arena = arena_new() };
	struct assignment           assignment = { .v = PROTO_VERSION,
		          .interval_ms = (uint32_t)conf->interval_ms };
	bool                        done = true;

	all.targets = arena_array(all.arena, 1, sizeof(struct target));
	for (size_t i = 0; i < conf->accounts.count && done; i++)
		done = add_account(&all, conf, &accounts[i], err);
	if (done) {
		assignment.targets = all.targets;
		assignment.targets_count = all.count;
		encode_versioned(&assignment, out);
	}
	if (done && out->count > DECODE_BYTES_MAX)
		done = err_set(err, ERR_LIMIT, "accounts: %zu names are too many", all.count);
	arena_free(all.arena);
	return done;
}

bool
assign_facts(struct assign_facts *facts, struct arena *arena, const uint8_t *bytes,
    size_t count, struct err *err)
{
	struct assignment *assignment = decode_message(
	    &assignment_desc, arena, bytes, count, err);

	*facts = (struct assign_facts){ .version = "", .series = "" };
	if (assignment == NULL)
		return false;
	if (assignment->v != PROTO_VERSION)
		return err_set(err, ERR_PARSE, "assignment of version %u, %d wanted",
		    assignment->v, PROTO_VERSION);
	facts->version = assignment->version;
	facts->edition = assignment->edition;
	facts->series = assignment->series;
	return true;
}

bool
assign_is_older(const struct assign_facts *offered, const struct assign_facts *in_force)
{
	return offered->edition != 0 && offered->edition < in_force->edition &&
	    strcmp(offered->series, in_force->series) == 0;
}

bool
assign_takes(struct assign_older *older, const struct assign_facts *offered,
    const struct assign_facts *in_force, int64_t now_us)
{
	if (!assign_is_older(offered, in_force)) {
		older->since_us = 0;
		return true;
	}
	older->offered++;
	if (older->since_us == 0)
		older->since_us = now_us;
	if (now_us - older->since_us < ASSIGN_OLDER_US)
		return false;
	older->since_us = 0;
	return true;
}

static const char *
path_of(struct arena *arena, const struct agent_conf *conf)
{
	return arena_printf(arena, "%s/assignment", conf->state_dir);
}

bool
assign_load(const struct agent_conf *conf, struct wbuf *out)
{
	struct arena       *arena = arena_new();
	const char         *path = path_of(arena, conf);
	struct assign_facts facts;
	struct err          err;
	size_t              count;
	char               *bytes = NULL;
	bool                loaded = false;

	if (access(path, F_OK) == 0) {
		bytes = file_read(arena, path, DECODE_BYTES_MAX, &count, &err);
		loaded = bytes != NULL &&
		    assign_facts(&facts, arena, (uint8_t *)bytes, count, &err);
		if (!loaded)
			log_warn(AREA, "%s: %s; not used", path, err.text);
	}
	if (loaded)
		wbuf_put(out, bytes, count);
	arena_free(arena);
	return loaded;
}

void
assign_save(const struct agent_conf *conf, const uint8_t *bytes, size_t count)
{
	struct arena *arena = arena_new();
	struct err    err;

	if (!file_replace(path_of(arena, conf), bytes, count, 0600, &err))
		log_warn(AREA, "%s; the assignment will be pulled again at the next start",
		    err.text);
	arena_free(arena);
}
