/* sim_made: measurements with a content that can be told from their number alone.
 *
 * They look as those of a real agent do, for accounts of four names each; who reads them in the
 * collector's store (sim_judge.py, which shares no code with us) can say of each whether it is what
 * was made: the number stands in `detail`, and host and took_us follow from it.
 */
#ifndef TESTS_SIM_MADE_H
#define TESTS_SIM_MADE_H

#include "base/arena.h"
#include "proto/record.h"

enum { SIM_NAMES = 4 };

/* Fills *seen, in the arena.  accounts: how many the agents look at; interval_ms: between two
 * looks at one name.  Of every tenth network the second region has no record, and one agent of a
 * hundred has some trouble that comes and goes, so that there is something to judge. */
void sim_made_fill(struct arena *arena, struct measurement *seen, unsigned agent,
    unsigned accounts, uint64_t number, uint32_t interval_ms, int64_t now_ms);

#endif
