#include "agent/sign_remote.h"

#include "agent/sign_wire.h"
#include "base/arena.h"
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

struct sign_wait {
	struct sign_remote *remote; /* borrowed; owns us */
	struct sign_wait   *previous, *next;
	uint32_t            id;
	const char         *why; /* NULL: asked, and not answered yet; else why it never was */
	void (*on_signed)(void *arg, const char *header, const char *why);
	void *arg;
};

struct sign_remote {
	struct channel   *channel;      /* borrowed */
	struct loop_watch timer;        /* to tell those who have failed */
	struct sign_wait *first, *last; /* owned; in the order of asking */
	size_t            count;
	uint32_t          next_id;
	bool              closed;
	struct signer     signers[CREDENTIAL_COUNT];
};

static const char why_closed[] = "the process that signs has ended";
static const char why_many[] = "too many signatures are waited for";
static const char why_full[] = "the process that signs does not keep up";
static const char why_form[] = "a text of what is to be signed is too long, or has a control";

static void
free_wait(struct sign_wait *wait)
{
	struct sign_remote *remote = wait->remote;

	if (wait->previous != NULL)
		wait->previous->next = wait->next;
	else
		remote->first = wait->next;
	if (wait->next != NULL)
		wait->next->previous = wait->previous;
	else
		remote->last = wait->previous;
	remote->count--;
	free(wait);
}

/* The last thing that happens to the wait. */
static void
finish(struct sign_wait *wait, const char *header, const char *why)
{
	struct sign_wait copy = *wait;

	free_wait(wait);
	copy.on_signed(copy.arg, header, why);
}

static struct sign_wait *
find_failed(const struct sign_remote *remote)
{
	struct sign_wait *wait = remote->first;

	while (wait != NULL && wait->why == NULL)
		wait = wait->next;
	return wait;
}

/* From the beginning each time: an answer may cancel any other, and ask anew.  Who asks from
 * inside an answer is told in another round of the loop. */
static void
on_timer(void *arg, unsigned what)
{
	struct sign_remote *remote = arg;
	struct sign_wait   *wait;
	uint32_t            end_id = remote->next_id;

	while ((wait = find_failed(remote)) != NULL && wait->id - end_id > UINT32_MAX / 2)
		finish(wait, NULL, wait->why);
}

static void
fail_later(struct sign_wait *wait, const char *why)
{
	wait->why = why;
	loop_watch_set(&wait->remote->timer, -1, 0, 0);
}

static void
send_ask(struct sign_wait *wait, const struct signer_ask *ask)
{
	struct sign_remote *remote = wait->remote;
	struct wbuf         out;

	wbuf_init(&out);
	if (remote->closed)
		fail_later(wait, why_closed);
	else if (remote->count > SIGN_REMOTE_MAX)
		fail_later(wait, why_many);
	else if (!sign_ask_encode(wait->id, ask, &out))
		fail_later(wait, why_form);
	else if (!channel_send(remote->channel, CHANNEL_SIGN, out.bytes, out.count))
		fail_later(wait, why_full);
	wbuf_fini(&out);
}

static void *
start(void *arg, const struct signer_ask                                       *ask,
    void (*on_signed)(void *on_arg, const char *header, const char *why), void *on_arg)
{
	struct sign_remote *remote = arg;
	struct sign_wait   *wait = mem_alloc(sizeof(*wait));

	*wait = (struct sign_wait){ .remote = remote,
		.previous = remote->last,
		.id = remote->next_id++,
		.on_signed = on_signed,
		.arg = on_arg };
	if (remote->last != NULL)
		remote->last->next = wait;
	else
		remote->first = wait;
	remote->last = wait;
	remote->count++;
	send_ask(wait, ask);
	return wait;
}

static void
cancel(void *wait)
{
	free_wait(wait);
}

struct sign_remote *
sign_remote_new(struct loop *loop, struct channel *channel)
{
	struct sign_remote *remote = mem_alloc(sizeof(*remote));

	remote->channel = channel;
	for (unsigned kind = 0; kind < CREDENTIAL_COUNT; kind++)
		remote->signers[kind] = (struct signer){ .kind = (enum credential)kind,
			.start = start,
			.cancel = cancel,
			.arg = remote };
	loop_watch_init(&remote->timer, loop, on_timer, remote);
	return remote;
}

void
sign_remote_free(struct sign_remote *remote)
{
	if (remote == NULL)
		return;
	while (remote->first != NULL)
		free_wait(remote->first);
	loop_watch_fini(&remote->timer);
	free(remote);
}

const struct signer *
sign_remote_signer(const struct sign_remote *remote, enum credential kind)
{
	return &remote->signers[kind];
}

bool
sign_remote_take(
    struct sign_remote *remote, const uint8_t *bytes, size_t count, struct err *err)
{
	struct arena      *arena = arena_new();
	struct sign_answer answer;
	struct sign_wait  *wait = remote->first;
	bool               taken = sign_answer_decode(&answer, arena, bytes, count, err);

	while (taken && wait != NULL && (wait->id != answer.id || wait->why != NULL))
		wait = wait->next;
	if (taken && wait != NULL)
		finish(wait, answer.header, answer.header != NULL ? NULL : answer.why);
	arena_free_wiped(arena);
	return taken;
}

void
sign_remote_close(struct sign_remote *remote)
{
	remote->closed = true;
	for (struct sign_wait *wait = remote->first; wait != NULL; wait = wait->next)
		fail_later(wait, why_closed);
}
