#include "analyze/checks.h"

/* SDKs in Gateway mode take the proxy of the environment; Direct mode knows none, and neither did
 * our own requests, so that the rest of the verdict does not speak of what an application meets. */
void
check_proxy(const struct scene *scene, const struct site *site, struct report *out)
{
	const char *proxy = site->seen->proxy;

	if (proxy == NULL || *proxy == '\0')
		return;
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_PROXY_ENVIRONMENT,
	        .site = site,
	        .detail = proxy,
	        .evidence = arena_printf(scene->arena,
	            "the environment names the proxy %s for %s:%u, and NO_PROXY does not "
	            "exempt "
	            "it; we went there without it",
	            proxy, site->place->target->host, site->place->target->port),
	    });
}
