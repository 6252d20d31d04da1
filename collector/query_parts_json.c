#include "collector/query_parts.h"

#include "analyze/facet.h"
#include "analyze/region.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* All text in the board passed text_sane(); what did not is a mistake of ours. */
static json_t *
make_text(const char *text)
{
	json_t *value = json_string(text != NULL ? text : "");

	return value != NULL ? value : json_string("?");
}

void
query_put(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, value) != 0)
		abort();
}

void
query_put_text(json_t *object, const char *name, const char *text)
{
	query_put(object, name, make_text(text));
}

void
query_put_number(json_t *object, const char *name, int64_t number)
{
	query_put(object, name, json_integer(number));
}

/* Of times that may not be there. */
void
query_put_time(json_t *object, const char *name, int64_t ms)
{
	query_put(object, name, ms != 0 ? json_integer(ms) : json_null());
}

const char *
query_place_name(const char *region)
{
	if (strcmp(region, "*") == 0)
		return "several";
	return region[0] == '\0' ? "Global" : region_name(region);
}

void
query_put_name(json_t *object, const char *name, const struct target *target)
{
	const char *place = query_place_name(target->region);
	char       *text;

	if (target->mode == MODE_GATEWAY && target->api == API_SQL) {
		query_put_text(object, name, place);
		return;
	}
	if (target->api == API_SQL)
		text = mem_printf("%s (%s)", place, mode_name(target->mode));
	else
		text = mem_printf("%s (%s%s%s)", place, facet_title((enum api)target->api),
		    target->mode == MODE_GATEWAY ? "" : ", ",
		    target->mode == MODE_GATEWAY ? "" : mode_name(target->mode));
	query_put_text(object, name, text);
	free(text);
}

static const char *
name_agent_state(const struct query *query, const struct board_agent *agent)
{
	return board_is_silent(query->board, agent, query->now_ms) ? "silent" : "heard";
}

/* In words, with the name that is refused. */
static const char *
first_refusal(const struct vitals *vitals)
{
	return vitals != NULL && vitals->refusals_count > 0 ? vitals->refusals[0].reason : "";
}

json_t *
query_make_agent(const struct query *query, const struct board_agent *agent)
{
	json_t *object = json_object();

	query_put_text(object, "agent", agent->name);
	query_put_text(object, "network", agent->network);
	query_put_text(object, "state", name_agent_state(query, agent));
	query_put_time(object, "last_seen_ms", agent->last_seen_ms);
	query_put_number(
	    object, "refused_items", agent->vitals != NULL ? agent->vitals->refused_items : 0);
	query_put_text(object, "refused_first", first_refusal(agent->vitals));
	return object;
}

json_t *
query_envelope(const struct query *query)
{
	json_t *object = json_object();

	query_put_number(object, "version", 1);
	query_put_number(object, "now_ms", query->now_ms);
	return object;
}

static int
compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* All accounts that somebody knows: documents or agents. */
const char **
query_list_accounts(const struct query *query, size_t *count)
{
	size_t       room = documents_count(query->documents), all = 0;
	const char **names;

	for (size_t i = 0; i < board_agent_count(query->board); i++)
		room += board_agent_at(query->board, i)->view_count;
	names = mem_array(room + 1, sizeof(char *));
	for (size_t i = 0; i < documents_count(query->documents); i++)
		names[all++] = documents_at(query->documents, i)->name;
	for (size_t i = 0; i < board_agent_count(query->board); i++) {
		const struct board_agent *agent = board_agent_at(query->board, i);

		for (size_t j = 0; j < agent->view_count; j++)
			names[all++] = agent->views[j]->name;
	}
	qsort(names, all, sizeof(*names), compare_names);
	*count = 0;
	for (size_t i = 0; i < all; i++) {
		if (*count == 0 || strcmp(names[*count - 1], names[i]) != 0)
			names[(*count)++] = names[i];
	}
	return names;
}

json_t *
query_make_finding(const struct query *query, const struct store_finding *finding)
{
	json_t                   *object = json_object();
	const struct board_agent *agent = board_agent_find(query->board, finding->agent);

	query_put_text(object, "agent", finding->agent);
	query_put_text(object, "network", finding->network);
	query_put_text(object, "account", finding->account);
	query_put_text(object, "region", finding->region);
	query_put_text(object, "place", query_place_name(finding->region));
	query_put_text(object, "host", finding->host);
	query_put_text(object, "code", finding->code);
	query_put_text(object, "severity", finding->severity);
	query_put_text(object, "owner", finding->owner);
	query_put_text(object, "sentence", finding->sentence);
	query_put_text(object, "evidence", finding->evidence);
	query_put_text(object, "fix", finding->fix);
	query_put_time(object, "opened_ms", finding->opened_ms);
	query_put_time(object, "last_seen_ms", finding->last_seen_ms);
	query_put_time(object, "closed_ms", finding->closed_ms);
	query_put_text(object, "state", finding->state);
	query_put_text(object, "looks", finding->looks);
	query_put_time(object, "confirmed_ms", finding->confirmed_ms);
	query_put_time(object, "looked_ms", finding->looked_ms);
	query_put(object, "stale",
	    json_boolean(finding->closed_ms == 0 &&
	        board_is_old(query->board, agent, finding, query->now_ms)));
	return object;
}
