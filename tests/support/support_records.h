/* support_records: random messages of fields.def, and comparing two of them.
 *
 * Walks the descriptions, so that a new field is filled and compared without a line here.
 */
#ifndef TESTS_SUPPORT_RECORDS_H
#define TESTS_SUPPORT_RECORDS_H

#include "base/arena.h"
#include "proto/record.h"

/* A small generator: the same seed gives the same run. */
struct support_random {
	uint64_t state;
};

/* From SEED in the environment, else from the kernel; prints how to repeat the run. */
struct support_random support_random_new(void);
struct support_random support_random_of(uint64_t seed);
uint64_t              support_random_next(struct support_random *random);
/* 0 to below - 1. */
uint64_t support_random_below(struct support_random *random, uint64_t below);

/* A message in the arena: members at their default, at their edges and between; lists of at most
 * `longest` elements. */
void *support_records_make(const struct message_desc *desc, struct arena *arena,
    struct support_random *random, size_t longest);

/* NULL when equal, else the name of the first field that differs. */
const char *support_records_differ(
    const struct message_desc *desc, const void *left, const void *right);

#endif
