/* Any bytes as a signing request: a key that is taken has a digest, and a refusal says why.  And the
 * same bytes as a collector's answer to the agent, and as its reason. */
#include "agent/enroll.h"
#include "collector/ca.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static char        *pem;
	struct arena       *arena = arena_new();
	struct err          err = { ERR_NONE, "" };
	struct ca_key      *key = ca_key_parse(bytes, count, &err);
	struct enroll_given given;
	uint8_t             digest[DIGEST_BYTES];

	if (key == NULL && err.text[0] == '\0')
		abort();
	if (key != NULL)
		ca_key_digest(key, digest);
	ca_key_free(key);
	if (pem == NULL)
		pem = mem_strdup(enroll_key_new(arena));
	err.text[0] = '\0';
	/* The key is new: no answer can be of it. */
	if (enroll_answer_read(&given, arena, pem, bytes, count, &err) || err.text[0] == '\0')
		abort();
	if (strlen(enroll_reason(arena, bytes, count)) > 500)
		abort();
	arena_free(arena);
	return 0;
}
