#include "collector/assignment.h"

#include "analyze/names.h"
#include "base/digest.h"
#include "collector/edition.h"
#include "proto/encode.h"

enum { TARGETS_MAX = 4096, VERSION_BYTES = 8 };

/* The targets of all accounts, configured names before sweeps, so that a limit that is too small
 * costs questions and not answers. */
static struct target *
list_targets(struct arena *arena, const struct documents *documents,
    const struct assignment_plan *plan, size_t *count)
{
	size_t             accounts = documents_count(documents), all = 0;
	struct name_list **lists = arena_array(arena, accounts, sizeof(struct name_list *));
	struct target     *targets;

	for (size_t i = 0; i < accounts; i++) {
		lists[i] = names_targets(arena, documents_at(documents, i),
		    plan->modes | (plan->sweep ? NAMES_SWEEP : 0));
		all += lists[i]->count;
	}
	targets = arena_array(arena, all + 1, sizeof(*targets));
	*count = 0;
	for (unsigned role = 0; role < ROLE_COUNT; role++) {
		for (size_t i = 0; i < accounts; i++) {
			for (size_t j = 0; j < lists[i]->count; j++) {
				if (lists[i]->targets[j].role == role)
					targets[(*count)++] = lists[i]->targets[j];
			}
		}
	}
	return targets;
}

static void
set_version(const struct assignment *assignment, char *version)
{
	struct wbuf bytes;
	uint8_t     digest[DIGEST_BYTES];

	wbuf_init(&bytes);
	encode_message(&assignment_desc, assignment, &bytes);
	digest_sha256(bytes.bytes, bytes.count, digest);
	digest_hex(digest, VERSION_BYTES, version);
	wbuf_fini(&bytes);
}

bool
assignment_make(const struct documents *documents, const struct assignment_plan *plan,
    struct wbuf *out, char *version, struct err *err)
{
	struct arena     *arena = arena_new();
	struct edition    edition = { 0 };
	struct assignment assignment = { .v = PROTO_VERSION,
		.interval_ms = (uint32_t)plan->interval_ms };
	bool              whole;

	assignment.targets = list_targets(arena, documents, plan, &assignment.targets_count);
	whole = assignment.targets_count <= TARGETS_MAX;
	if (!whole)
		assignment.targets_count = TARGETS_MAX;
	for (size_t i = 0; i < assignment.targets_count; i++) {
		if (assignment.targets[i].limit_ms == 0)
			assignment.targets[i].limit_ms = (uint32_t)plan->limit_ms;
		if (assignment.targets[i].mode != MODE_GATEWAY)
			assignment.targets[i].interval_ms = (uint32_t)plan->direct_ms;
	}
	assignment.version = "";
	set_version(&assignment, version);
	assignment.version = version;
	*err = (struct err){ 0 };
	if (plan->folder != NULL)
		(void)!edition_of(&edition, plan->folder, version, plan->now_ms, err);
	assignment.edition = edition.number;
	assignment.series = edition.series;
	encode_message(&assignment_desc, &assignment, out);
	arena_free(arena);
	return whole;
}
