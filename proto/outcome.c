#include "proto/outcome.h"

static const struct {
	const char *name, *meaning;
} outcomes[] = {
#define OUTCOME(number, name, word, meaning) [number] = { word, meaning },
#include "proto/outcome.def"
#undef OUTCOME
};

const char *
outcome_name(unsigned outcome)
{
	return outcome < OUTCOME_COUNT ? outcomes[outcome].name : "unknown";
}

const char *
outcome_meaning(unsigned outcome)
{
	return outcome < OUTCOME_COUNT ? outcomes[outcome].meaning
	                               : "an outcome of a newer version";
}
