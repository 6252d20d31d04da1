/* sim_enrol: certificates for a whole fleet, by the collector's own authority and roster.
 *
 * The door for enrolment admits 20 agents a second, so that ten thousand would take ten minutes:
 * here the same code signs, keys and requests are made by the agent's own, and the roster's file
 * gets the lines that it would have got, in one piece.  The collector must not be running.
 */
#ifndef TESTS_SIM_ENROL_H
#define TESTS_SIM_ENROL_H

#include "base/err.h"

#include <stdint.h>

/* Agents first to first + count - 1, each with identity.pem in its folder in `folder`; state_dir is
 * the collector's. */
bool sim_enrol(const char *folder, const char *state_dir, unsigned first, unsigned count,
    int64_t life_ms, struct err *err) MUST_CHECK;

#endif
