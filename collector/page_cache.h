/* page_cache: answers of the API that were dear to make, for those who ask the same soon after.
 *
 * A fleet's grid, its incidents and its failover take a good part of a second to put together, and
 * every open page asks for them every few seconds.  What was quick to make is never kept, so that a
 * small fleet sees everything at once.  The rest is given again
 *
 *   - for half a second or twenty times as long as it took, whatever happens meanwhile: so much of the
 *     loop's time and no more goes into one answer;
 *   - and for up to five seconds while the board is as it was: then only the clock could make it
 *     another one, by an agent that becomes silent.
 *
 * Each answer says as of when it is ("now_ms").
 */
#ifndef COLLECTOR_PAGE_CACHE_H
#define COLLECTOR_PAGE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page_cache;

struct page_cache *page_cache_new(void);
void               page_cache_free(struct page_cache *cache); /* NULL is fine */

/* What was asked: path and query; and when, by the board's version and the monotonic clock. */
struct page_cache_ask {
	const char *path, *query; /* query: NULL for none */
	uint64_t    version;
	int64_t     now_us;
};

struct page_cache_bytes {
	const uint8_t *bytes;
	size_t         count;
};

/* True: the answer may be given again; bytes are valid until the next page_cache_keep(). */
bool page_cache_find(
    struct page_cache *cache, const struct page_cache_ask *ask, struct page_cache_bytes *found);
/* A new answer, which took so long; a copy is kept where that is worth it. */
void page_cache_keep(struct page_cache *cache, const struct page_cache_ask *ask,
    int64_t took_us, const struct page_cache_bytes *answer);

#endif
