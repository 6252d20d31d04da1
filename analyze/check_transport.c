#include "analyze/checks.h"

#include "base/addr.h"

#include <stdlib.h>
#include <string.h>

bool
check_is_azure(const struct dns *dns)
{
	struct addr       addr;
	const struct addr azure = { .family = 4, .bytes = { 168, 63, 129, 16 } };

	return dns->source == SOURCE_AZURE ||
	    (addr_parse(&addr, dns->resolver, 53, NULL) && addr_equal(&addr, &azure));
}

/* The datagram said that the answer is longer, and the whole of it could not be had over TCP. */
static bool
is_cut(const struct view *view)
{
	if (!view->dns->truncated || view->kind != VIEW_FAILED)
		return false;
	switch (view->dns->outcome) {
	case OUTCOME_TIMEOUT:
	case OUTCOME_REFUSED:
	case OUTCOME_UNREACHABLE:
	case OUTCOME_RESET:
	case OUTCOME_CLOSED: return true;
	default: return false;
	}
}

enum finding_code
check_cut_code(const struct view *view)
{
	if (!is_cut(view))
		return FINDING_COUNT;
	return check_is_azure(view->dns) && view->dns->outcome == OUTCOME_TIMEOUT
	    ? FINDING_AZURE_TCP_BLOCKED
	    : FINDING_TRUNCATED_NO_TCP;
}

/* Agents of Azure of before 2022 had the VM's own firewall drop TCP of all but root to this
 * address, UDP never [walinuxagent-2429]. */
static void
check_azure(const struct scene *scene, const struct site *site, const struct view *view,
    struct report *out)
{
	const struct dns *dns = view->dns;

	if (!check_is_azure(dns) || !scene_says_something(view) ||
	    dns->transport == TRANSPORT_TCP || dns->tcp_outcome != OUTCOME_TIMEOUT ||
	    site->seen->agent_late)
		return;
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_AZURE_TCP_BLOCKED,
	        .site = site,
	        .severity = STATE_WARNING,
	        .resolver = dns->resolver,
	        .evidence = arena_printf(scene->arena,
	            "resolver %s: %s over UDP after %u ms; the same question over TCP: %s "
	            "after "
	            "%u ms",
	            dns->resolver, outcome_name(dns->outcome), dns->took_us / 1000,
	            outcome_name(dns->tcp_outcome), dns->tcp_us / 1000),
	    });
}

void
check_transport(const struct scene *scene, const struct site *site, struct report *out)
{
	for (size_t i = 0; i < site->view_count; i++) {
		const struct view *view = &site->views[i];

		check_azure(scene, site, view, out);
		if (!view->dns->tcp_differs)
			continue;
		report_add(out,
		    &(struct sighting){
		        .code = FINDING_UDP_TCP_DIFFER,
		        .site = site,
		        .resolver = view->dns->resolver,
		        .evidence = arena_printf(scene->arena,
		            "%s; over TCP: %s, and not the same",
		            check_describe_view(scene, view),
		            outcome_name(view->dns->tcp_outcome)),
		    });
	}
	if (site->control != NULL)
		check_azure(scene, site, site->control, out);
}

/* How long one server took, over the names that it answered. */
struct pace {
	const char *resolver;
	uint32_t   *took_us;
	size_t      count;
	uint32_t    median_us;
};

enum { PACES_MAX = 16, NAMES_MIN = 2, SLOWER_TIMES = 5, SLOWER_US = 100000 };

static struct pace *
find_pace(const struct scene *scene, struct pace *paces, size_t *count, const char *resolver)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(paces[i].resolver, resolver) == 0)
			return &paces[i];
	}
	if (*count == PACES_MAX)
		return NULL;
	paces[*count] = (struct pace){ .resolver = resolver,
		.took_us = arena_array(scene->arena, scene->site_count + 1, sizeof(uint32_t)) };
	return &paces[(*count)++];
}

static size_t
take_paces(const struct scene *scene, struct pace *paces)
{
	size_t count = 0;

	for (size_t i = 0; i < scene->site_count; i++) {
		const struct site *site = &scene->sites[i];

		for (size_t j = 0; j < site->view_count; j++) {
			struct pace *pace;

			if (!scene_says_something(&site->views[j]))
				continue;
			pace = find_pace(scene, paces, &count, site->views[j].dns->resolver);
			/* One that is listed twice is one server. */
			if (pace != NULL && pace->count <= i)
				pace->took_us[pace->count++] = site->views[j].dns->took_us;
		}
	}
	return count;
}

static int
compare_times(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return a < b ? -1 : a > b ? 1 : 0;
}

static const struct pace *
find_fastest(struct pace *paces, size_t count)
{
	const struct pace *fastest = NULL;

	for (size_t i = 0; i < count; i++) {
		struct pace *pace = &paces[i];

		if (pace->count < NAMES_MIN)
			continue;
		qsort(pace->took_us, pace->count, sizeof(uint32_t), compare_times);
		pace->median_us = pace->took_us[(pace->count - 1) / 2];
		if (fastest == NULL || pace->median_us < fastest->median_us)
			fastest = pace;
	}
	return fastest;
}

void
check_slow(const struct scene *scene, struct report *out)
{
	struct pace        paces[PACES_MAX];
	size_t             count = take_paces(scene, paces);
	const struct pace *fastest = count < 2 ? NULL : find_fastest(paces, count);

	for (size_t i = 0; i < count && fastest != NULL; i++) {
		const struct pace *pace = &paces[i];

		if (pace->count < NAMES_MIN ||
		    pace->median_us <= SLOWER_TIMES * (uint64_t)fastest->median_us ||
		    pace->median_us <= SLOWER_US + (uint64_t)fastest->median_us)
			continue;
		report_add(out,
		    &(struct sighting){
		        .code = FINDING_RESOLVER_SLOW,
		        .resolver = pace->resolver,
		        .group = pace->resolver,
		        .detail = arena_printf(scene->arena, "%u ms, and %s %.1f ms",
		            pace->median_us / 1000, fastest->resolver,
		            fastest->median_us / 1000.0),
		        .evidence = arena_printf(scene->arena,
		            "median over %zu names: %s %.1f ms, %s %.1f ms", pace->count,
		            pace->resolver, pace->median_us / 1000.0, fastest->resolver,
		            fastest->median_us / 1000.0),
		    });
	}
}
