#include "collector/descriptors.h"

#include <sys/resource.h>

enum { KEPT = 128 };

unsigned
descriptors_room(unsigned wanted)
{
	struct rlimit limit;
	rlim_t        kept = KEPT;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return wanted;
	if (limit.rlim_cur < wanted + kept && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max < wanted + kept ? limit.rlim_max
		                                                : wanted + kept;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
		if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
			return wanted;
	}
	if (kept > limit.rlim_cur / 2)
		kept = limit.rlim_cur / 2;
	if (limit.rlim_cur - kept >= wanted)
		return wanted;
	return limit.rlim_cur - kept > 0 ? (unsigned)(limit.rlim_cur - kept) : 1;
}
