/* rntbd_stage: where a replica failed, in the words and codes of the SDKs, so that a record can be
 * held against an application's log [rntbd-sdk].
 */
#ifndef PROBE_RNTBD_RNTBD_STAGE_H
#define PROBE_RNTBD_RNTBD_STAGE_H

struct replica;

/* Sets stage and sdk_code from dns, end->tcp, end->tls and context; end may be NULL.  "" and 0 when
 * nothing failed, and when it was ourselves: our policy, our descriptors, our lateness say nothing
 * that an SDK would have met.  A code of 0 beside a stage: the SDKs have none for it. */
void rntbd_stage(struct replica *replica);

#endif
