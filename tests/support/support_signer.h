/* support_signer: a struct signer that answers from the loop: well, badly, or never. */
#ifndef TESTS_SUPPORT_SIGNER_H
#define TESTS_SUPPORT_SIGNER_H

#include "base/loop.h"
#include "probe/feed/feed_sign.h"

enum support_signer_answers {
	SUPPORT_SIGNS_KEY,
	SUPPORT_SIGNS_TOKEN,
	SUPPORT_SIGNS_NOTHING, /* until it is cancelled */
	SUPPORT_SIGNS_LINES,   /* a header that would be two */
	SUPPORT_SAYS_NO
};

struct support_signer {
	struct signer               signer; /* for struct feed_ask */
	enum support_signer_answers answers;
	struct feed_key             key;
	const char                 *token; /* borrowed */
	struct loop_watch           later;
	bool                        busy; /* somebody waits for an answer */
	unsigned                    asked, cancelled;

	struct signer_ask ask;
	void (*on_signed)(void *arg, const char *header, const char *why);
	void *arg;
};

/* key: base64; ends the program when it is none. */
void support_signer_init(struct support_signer *office, struct loop *loop,
    enum support_signer_answers answers, const char *key, const char *token);
void support_signer_fini(struct support_signer *office);

#endif
