#include "analyze/judge.h"

#include "base/text.h"

#include <string.h>

/* clang-format off */
const struct finding_desc finding_table[FINDING_COUNT] = {
#define FINDING(name, code, words, severity, owner, stage, basis, sentence, fix, fix_all, explain) \
	{ code, words, STATE_##severity, OWNER_##owner, STAGE_##stage, basis, sentence, fix, \
	    fix_all, explain },
#include "analyze/findings.def"
#undef FINDING
};
/* clang-format on */

const char *
state_name(enum state state)
{
	switch (state) {
	case STATE_OK: return "ok";
	case STATE_UNKNOWN: return "unknown";
	case STATE_WARNING: return "warning";
	case STATE_CRITICAL: return "critical";
	}
	return "unknown";
}

const char *
owner_name(enum owner owner)
{
	switch (owner) {
	case OWNER_NOBODY: return "nobody";
	case OWNER_DNS: return "dns";
	case OWNER_NETWORK: return "network";
	case OWNER_ACCOUNT: return "account";
	case OWNER_CLIENT: return "client";
	case OWNER_COLLECTOR: return "collector";
	}
	return "nobody";
}

enum { PREFIX_BYTES = 4, NUMBER_BYTES = 3 }; /* "PLP-", "101" */

/* '_' is as good as '-'. */
static bool
equals_loosely(const char *left, const char *right)
{
	for (; *left != '\0' && *right != '\0'; left++, right++) {
		char a = text_lower(*left == '_' ? '-' : *left);
		char b = text_lower(*right == '_' ? '-' : *right);

		if (a != b)
			return false;
	}
	return *left == *right;
}

enum finding_code
finding_find(const char *text)
{
	const char *tail = text_starts_nocase(text, "PLP-") ? text + PREFIX_BYTES : text;

	for (unsigned i = 0; i < FINDING_COUNT; i++) {
		const char *code = finding_table[i].code + PREFIX_BYTES;

		if (equals_loosely(tail, code) ||
		    equals_loosely(tail, code + NUMBER_BYTES + 1) ||
		    (strlen(tail) == NUMBER_BYTES && strncmp(tail, code, NUMBER_BYTES) == 0))
			return (enum finding_code)i;
	}
	return FINDING_COUNT;
}

const char *
finding_nearest(const char *text)
{
	const char *codes[FINDING_COUNT + 1], *names[FINDING_COUNT + 1];
	const char *near;

	for (unsigned i = 0; i < FINDING_COUNT; i++) {
		codes[i] = finding_table[i].code;
		names[i] = finding_table[i].code + PREFIX_BYTES + NUMBER_BYTES + 1;
	}
	codes[FINDING_COUNT] = names[FINDING_COUNT] = NULL;
	near = text_nearest(text, codes);
	if (near == NULL)
		near = text_nearest(text, names);
	return near != NULL ? finding_table[finding_find(near)].code : NULL;
}

bool
finding_concerns(const struct finding *finding, const struct place *place)
{
	if ((finding->apis & (1u << place->target->api)) == 0)
		return false;
	if (finding->mode != place->target->mode && finding->code >= FINDING_TCP_REFUSED &&
	    finding->code != place->worst)
		return false;
	for (size_t i = 0; i < finding->host_count; i++) {
		if (text_equal_nocase(finding->hosts[i], place->target->host))
			return true;
	}
	return false;
}
