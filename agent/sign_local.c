#include "agent/sign_local.h"

#include "agent/imds.h"
#include "probe/feed/feed_sign.h"

#include <stdlib.h>

struct sign_run {
	struct sign_local *sign; /* borrowed; owns us */
	struct sign_run   *previous, *next;
	struct signer_ask  ask; /* its texts are borrowed */
	void (*on_signed)(void *arg, const char *header, const char *why);
	void             *arg;
	struct loop_watch timer;    /* of a file */
	struct imds_ask  *imds_ask; /* of a managed identity, else NULL */
};

struct sign_local {
	struct loop             *loop;   /* borrowed */
	struct credential_source source; /* its texts are owned */
	struct imds             *imds;   /* owned; NULL for a file */
	struct sign_run         *runs;   /* owned */
	struct signer            signer;
};

static void
free_run(struct sign_run *run)
{
	if (run->previous != NULL)
		run->previous->next = run->next;
	else
		run->sign->runs = run->next;
	if (run->next != NULL)
		run->next->previous = run->previous;
	loop_watch_fini(&run->timer);
	imds_cancel(run->imds_ask);
	free(run);
}

/* The last thing that happens to the run; the header is wiped with its arena. */
static void
finish(struct sign_run *run, struct arena *arena, const char *header, const char *why)
{
	struct sign_run copy = *run;

	free_run(run);
	copy.on_signed(copy.arg, header, why);
	arena_free_wiped(arena);
}

static void
on_timer(void *arg, unsigned what)
{
	struct sign_run *run = arg;
	struct arena    *arena = arena_new();
	struct err       err;
	const char      *header = credential_sign(&run->sign->source, arena, &run->ask, &err);

	finish(run, arena, header, header != NULL ? NULL : err.text);
}

static void
on_token(void *arg, const char *token, const char *why)
{
	struct sign_run *run = arg;
	struct arena    *arena = arena_new();
	const char      *header = token != NULL ? feed_sign_token(arena, token) : NULL;

	run->imds_ask = NULL; /* it has answered */
	finish(run, arena, header, why);
}

static void *
start(void *arg, const struct signer_ask                                       *ask,
    void (*on_signed)(void *on_arg, const char *header, const char *why), void *on_arg)
{
	struct sign_local *sign = arg;
	struct sign_run   *run = mem_alloc(sizeof(*run));

	*run = (struct sign_run){ .sign = sign,
		.next = sign->runs,
		.ask = *ask,
		.on_signed = on_signed,
		.arg = on_arg };
	if (run->next != NULL)
		run->next->previous = run;
	sign->runs = run;
	loop_watch_init(&run->timer, sign->loop, on_timer, run);
	if (sign->imds != NULL)
		run->imds_ask = imds_start(sign->imds, on_token, run);
	else
		loop_watch_set(&run->timer, -1, 0, 0);
	return run;
}

static void
cancel(void *run)
{
	free_run(run);
}

struct sign_local *
sign_local_new(struct loop *loop, const struct credential_source *source, struct err *err)
{
	struct sign_local *sign = mem_alloc(sizeof(*sign));

	sign->loop = loop;
	sign->source = (struct credential_source){ .kind = source->kind,
		.path = mem_strdup(source->path),
		.client_id = mem_strdup(source->client_id),
		.imds = mem_strdup(source->imds) };
	sign->signer = (struct signer){
		.kind = source->kind, .start = start, .cancel = cancel, .arg = sign
	};
	if (source->path[0] != '\0')
		return sign;
	sign->imds = imds_new(&(struct imds_options){ .loop = loop,
	                          .clock = clock_system(),
	                          .url = source->imds,
	                          .client_id = source->client_id },
	    err);
	if (sign->imds != NULL)
		return sign;
	sign_local_free(sign);
	return NULL;
}

void
sign_local_free(struct sign_local *sign)
{
	if (sign == NULL)
		return;
	while (sign->runs != NULL)
		free_run(sign->runs);
	imds_free(sign->imds);
	free((char *)sign->source.path);
	free((char *)sign->source.client_id);
	free((char *)sign->source.imds);
	free(sign);
}

const struct signer *
sign_local_signer(const struct sign_local *sign)
{
	return &sign->signer;
}
