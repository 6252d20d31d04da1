#include "tests/support/support_signer.h"

#include <assert.h>
#include <stdlib.h>

static void
answer_later(void *arg, unsigned what)
{
	struct support_signer *office = arg;
	struct arena          *arena = arena_new();

	office->busy = false;
	switch (office->answers) {
	case SUPPORT_SIGNS_KEY:
		office->on_signed(
		    office->arg, feed_sign_key(arena, &office->key, &office->ask), NULL);
		break;
	case SUPPORT_SIGNS_TOKEN:
		office->on_signed(office->arg, feed_sign_token(arena, office->token), NULL);
		break;
	case SUPPORT_SIGNS_NOTHING: break;
	case SUPPORT_SIGNS_LINES: office->on_signed(office->arg, "a\r\nX-Evil: b", NULL); break;
	case SUPPORT_SAYS_NO: office->on_signed(office->arg, NULL, "no key for contoso"); break;
	}
	arena_free(arena);
}

static void *
start_signing(void *arg, const struct signer_ask                               *ask,
    void (*on_signed)(void *on_arg, const char *header, const char *why), void *on_arg)
{
	struct support_signer *office = arg;

	assert(!office->busy);
	office->busy = true;
	office->asked++;
	office->ask = *ask;
	office->on_signed = on_signed;
	office->arg = on_arg;
	if (office->answers != SUPPORT_SIGNS_NOTHING)
		loop_watch_set(&office->later, -1, 0, 0);
	return office;
}

static void
cancel_signing(void *run)
{
	struct support_signer *office = run;

	assert(office->busy);
	office->busy = false;
	office->cancelled++;
	loop_watch_stop(&office->later);
}

void
support_signer_init(struct support_signer *office, struct loop *loop,
    enum support_signer_answers answers, const char *key, const char *token)
{
	*office = (struct support_signer){
		.signer = { .kind = answers == SUPPORT_SIGNS_TOKEN ? CREDENTIAL_ENTRA
		                                                   : CREDENTIAL_KEY,
		    .start = start_signing,
		    .cancel = cancel_signing,
		    .arg = office },
		.answers = answers,
		.token = token,
	};
	if (!feed_key_parse(&office->key, key, NULL))
		abort();
	loop_watch_init(&office->later, loop, answer_later, office);
}

void
support_signer_fini(struct support_signer *office)
{
	loop_watch_fini(&office->later);
}
