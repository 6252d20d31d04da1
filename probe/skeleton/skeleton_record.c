#include "probe/skeleton/skeleton_record.h"

#include "probe/conn_probe.h"
#include "probe/skeleton/skeleton_dialog.h"
#include "probe/tcp/tcp_record.h"

/* A real kind has fields of its own in proto/fields.def; this one borrows two. */
void
skeleton_record(struct endpoint *endpoint, const struct conn_seen *seen,
    const struct skeleton_dialog *dialog, struct arena *arena)
{
	tcp_record(endpoint, seen, arena);
	if (dialog == NULL)
		return;
	endpoint->server = dialog->banner != NULL ? dialog->banner : "";
	if (seen->dialog == OUTCOME_BROKE_PROTOCOL)
		endpoint->detail = arena_strdup(arena, dialog->broken.text);
}

static void *
make_dialog(const struct probe_ask *ask, struct err *err)
{
	struct skeleton_dialog *dialog = arena_alloc(ask->arena, sizeof(*dialog));

	dialog->arena = ask->arena;
	return skeleton_spec_parse(&dialog->spec, ask->host, err) ? dialog : NULL;
}

static void
record_skeleton(const struct probe_ask *ask, const struct conn_seen *seen, const void *self)
{
	skeleton_record(ask->endpoint, seen, self, ask->arena);
}

static const struct conn_recipe recipe = {
	.dialog = &skeleton_ops,
	.spec = make_dialog,
	.record = record_skeleton,
};

static void *
start_skeleton(struct probe *probe, void *shared)
{
	return conn_probe_start(probe, &recipe);
}

const struct probe_kind probe_skeleton = {
	.name = "skeleton",
	.start = start_skeleton,
	.cancel = conn_probe_cancel,
};
