/* outcome: how one stage of a measurement ended.
 *
 * Data, never an error of ours: outcomes are stored, judged and shown.  What a number means and
 * its word stand in outcome.def.
 */
#ifndef PROTO_OUTCOME_H
#define PROTO_OUTCOME_H

enum outcome {
#define OUTCOME(number, name, word, meaning) OUTCOME_##name = number,
#include "proto/outcome.def"
#undef OUTCOME
	OUTCOME_COUNT
};

/* "timeout"; "unknown" for a number that only a newer peer has. */
const char *outcome_name(unsigned outcome);
const char *outcome_meaning(unsigned outcome);

#endif
