/* spool_body: the inside of a spool, for the files that are the spool and for nobody else.
 *
 * agent/spool.h is the door.  spool.c writes, spool_loss.c drops and declares, spool_send.c gives
 * what is to be sent and hears what became of it, spool_list.c holds the batches in order.
 */
#ifndef AGENT_SPOOL_BODY_H
#define AGENT_SPOOL_BODY_H

#include "agent/segment.h"
#include "agent/spool.h"
#include "agent/spool_dir.h"

/* The segment that is written now. */
struct open_segment {
	struct segment_head head;
	int                 fd;      /* -1: in memory only */
	struct wbuf         payload; /* the records; kept until sealed, for a disk that fails */
	size_t              bytes;   /* of the file */
	unsigned            records;
	int64_t             begun_us; /* monotonic */
	int64_t             dirty_us; /* first unsynced write; -1: all is synced */
	bool                begun;
	struct spool_leftover leftover; /* of the file that was given up */
};

struct spool {
	struct spool_options options; /* strings owned */
	struct spool_dir     dir;
	uint64_t             epoch, agent_hash;
	uint32_t             next_seq;
	uint64_t             last_order;
	struct open_segment  open;
	struct spool_batch  *batches; /* sealed, in order */
	size_t               count, room;
	struct spool_stats   stats; /* bytes: of sealed ones */
	uint64_t             memory_bytes;
	bool unrecovered; /* a file of an earlier agent could not be recovered yet */
	bool inside;      /* a change is half done: nothing is sealed now */
};

/* Nothing that was appended is unsynced when it returns, or the file is given up. */
void spool_body_sync(struct spool *spool);
/* New numbers, from 1 on. */
void spool_body_epoch(struct spool *spool);

#endif
