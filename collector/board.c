#include "collector/board_state.h"

#include "analyze/verdict.h"
#include "base/clock.h"
#include "collector/intake.h"
#include "proto/decode.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* What one agent may make us keep: accounts, and targets of one account. */
enum { VIEWS_MAX = 512, SEEN_MAX = 1024 };

/* Documents of before that may be kept for views that no change was about. */
enum { RETIRED_MAX = 200 };

struct board *
board_new(const struct board_options *options)
{
	struct board *board = mem_alloc(sizeof(*board));

	board->options = *options;
	board->mark.agent = mem_strdup("");
	return board;
}

static void
free_seen(struct board_seen *seen)
{
	arena_free(seen->arena);
	free(seen);
}

static void
free_view(struct board_view *view)
{
	for (size_t i = 0; i < view->seen_count; i++)
		free_seen(view->seen[i]);
	course_free_view(view);
	arena_free(view->arena);
	free(view->seen);
	free(view->name);
	free(view);
}

static void
free_agent(struct board_agent *agent)
{
	for (size_t i = 0; i < agent->view_count; i++)
		free_view(agent->views[i]);
	arena_free(agent->vitals_arena);
	free(agent->views);
	free(agent->name);
	free(agent->network);
	free(agent);
}

void
board_free(struct board *board)
{
	if (board == NULL)
		return;
	for (size_t i = 0; i < board->agent_count; i++)
		free_agent(board->agents[i]);
	course_free_closed(&board->closed);
	free((char *)board->mark.agent);
	free(board->agents);
	free(board);
}

/* Arrays of owned pointers, small but for the agents: kept in order by insertion. */
static void **
insert_at(void **array, size_t *count, size_t at, void *item)
{
	array = mem_grow(array, *count + 1, sizeof(void *));
	memmove(array + at + 1, array + at, (*count - at) * sizeof(void *));
	array[at] = item;
	(*count)++;
	return array;
}

static void
remove_at(void **array, size_t *count, size_t at)
{
	memmove(array + at, array + at + 1, (*count - at - 1) * sizeof(void *));
	(*count)--;
}

static struct board_agent *
get_agent(struct board *board, const char *name)
{
	struct board_agent *agent;
	bool                found;
	size_t              at = board_seek(board, name, &found);

	if (found)
		return board->agents[at];
	agent = mem_alloc(sizeof(*agent));
	agent->name = mem_strdup(name);
	agent->network = mem_strdup("");
	board->agents = (struct board_agent **)insert_at(
	    (void **)board->agents, &board->agent_count, at, agent);
	return agent;
}

static struct board_view *
get_view(struct board_agent *agent, const char *account)
{
	struct board_view *view;
	size_t             at = 0;

	while (at < agent->view_count && strcmp(agent->views[at]->name, account) < 0)
		at++;
	if (at < agent->view_count && strcmp(agent->views[at]->name, account) == 0)
		return agent->views[at];
	view = mem_alloc(sizeof(*view));
	view->name = mem_strdup(account);
	agent->views = (struct board_view **)insert_at(
	    (void **)agent->views, &agent->view_count, at, view);
	return view;
}

/* Takes the measurement over when it is the newest of its target; a copy, from its bytes. */
static void
take_seen(struct board_agent *agent, int64_t at_ms, const uint8_t *bytes, size_t count)
{
	struct arena             *arena = arena_new();
	const struct measurement *seen = decode_message(
	    &measurement_desc, arena, bytes, count, NULL);
	struct board_view *view;
	const char        *key;
	size_t             at = 0;

	if (seen == NULL || seen->target == NULL ||
	    (agent->view_count == VIEWS_MAX &&
	        board_view_find(agent, seen->target->account) == NULL)) {
		arena_free(arena);
		return;
	}
	key = intake_key(arena, seen->target);
	view = get_view(agent, seen->target->account);
	while (at < view->seen_count && strcmp(view->seen[at]->key, key) != 0)
		at++;
	if (at == SEEN_MAX || (at < view->seen_count && view->seen[at]->at_ms > at_ms)) {
		arena_free(arena);
		return;
	}
	if (at == view->seen_count)
		view->seen = (struct board_seen **)insert_at((void **)view->seen,
		    &view->seen_count, at, mem_alloc(sizeof(struct board_seen)));
	arena_free(view->seen[at]->arena);
	*view->seen[at] = (struct board_seen){ arena, key, at_ms, seen };
}

static bool
is_same_vnet(const struct vitals *left, const struct vitals *right)
{
	const char *before = left != NULL && left->vnet != NULL ? left->vnet : "";

	return strcmp(before, right->vnet != NULL ? right->vnet : "") == 0;
}

/* True when the agent says that it is in another virtual network than before: all that it sees is
 * to be judged anew. */
static bool
take_vitals(struct board_agent *agent, const uint8_t *bytes, size_t count)
{
	struct arena        *arena = arena_new();
	const struct vitals *vitals = decode_message(&vitals_desc, arena, bytes, count, NULL);
	bool                 moved;

	if (vitals == NULL ||
	    (agent->vitals != NULL && agent->vitals->at_ms > vitals->at_ms &&
	        agent->vitals->started_ms == vitals->started_ms)) {
		arena_free(arena);
		return false;
	}
	moved = !is_same_vnet(agent->vitals, vitals);
	arena_free(agent->vitals_arena);
	agent->vitals_arena = arena;
	agent->vitals = vitals;
	return moved;
}

/* A target that is no longer measured while others of its account are: out of the assignment. */
static void
drop_stale(const struct board *board, struct board_view *view)
{
	int64_t newest_ms = 0;
	size_t  at = 0;

	for (size_t i = 0; i < view->seen_count; i++) {
		if (view->seen[i]->at_ms > newest_ms)
			newest_ms = view->seen[i]->at_ms;
	}
	while (at < view->seen_count) {
		struct board_seen *seen = view->seen[at];

		if (newest_ms - seen->at_ms <= 2 * board_limit_ms(board, seen->seen->target)) {
			at++;
			continue;
		}
		free_seen(seen);
		remove_at((void **)view->seen, &view->seen_count, at);
	}
}

/* At the end of all that changes the board. */
static void
tell_changes(struct board *board, struct course_changes *changes)
{
	board->version++;
	if (changes->arena == NULL)
		return;
	if (board->options.on_findings != NULL)
		board->options.on_findings(
		    board->options.arg, changes->arena, changes->findings, changes->count);
	else
		arena_free(changes->arena);
}

/* Of an account without a document the names that were measured tell its cloud, and its APIs. */
static const struct account *
name_account(struct arena *arena, const struct board_view *view)
{
	struct account *account = NULL;
	unsigned        apis = 0;

	for (size_t i = 0; i < view->seen_count; i++) {
		const struct target *target = view->seen[i]->seen->target;

		apis |= target->api < API_COUNT ? 1u << target->api : 0;
		if (account == NULL)
			account = account_of_host(arena, view->name, target->host);
	}
	if (account == NULL)
		return account_named(arena, view->name, NULL);
	account->apis = apis;
	return account;
}

/* What the collector's settings say of the agent's network; else what the agent says of itself. */
static struct vnet
find_vnet(const struct board *board, struct arena *arena, const struct board_agent *agent)
{
	const struct conf_list *networks = board->options.networks;

	for (size_t i = 0; networks != NULL && i < networks->count; i++) {
		const struct board_network *row = (const struct board_network *)networks->rows +
		    i;

		if (fnmatch(row->name, agent->network, 0) == 0)
			return vnet_of(arena, row->vnet);
	}
	return vnet_of(arena, agent->vitals != NULL ? agent->vitals->vnet : NULL);
}

static void
judge_view(struct board *board, const struct board_agent *agent, struct board_view *view,
    struct course_changes *changes)
{
	struct arena              *scratch = arena_new(), *kept = arena_new();
	const struct measurement **seen = arena_array(
	    scratch, view->seen_count + 1, sizeof(struct measurement *));
	struct vnet      vnet = find_vnet(board, scratch, agent);
	struct judge_ask ask = { .seen = seen,
		.seen_count = view->seen_count,
		.endpoints = documents_endpoints(board->options.documents),
		.zones = documents_zones(board->options.documents),
		.plinks = documents_plinks(board->options.documents),
		.vnet = &vnet };

	for (size_t i = 0; i < view->seen_count; i++)
		seen[i] = view->seen[i]->seen;
	view->generation = documents_generation(board->options.documents);
	view->account = documents_find(board->options.documents, view->name);
	view->has_document = view->account != NULL;
	if (!view->has_document)
		view->account = name_account(kept, view);
	ask.account = view->account;
	ask.has_document = view->has_document;
	/* NULL: a name that no account can have; an agent made it up. */
	view->verdict = view->account != NULL ? verdict_copy(kept, judge_run(scratch, &ask))
	                                      : NULL;
	arena_free(scratch);
	arena_free(view->arena);
	view->arena = kept;
	if (view->verdict == NULL)
		return;
	if (board->options.propagation != NULL)
		propagation_look(
		    board->options.propagation, agent->name, view->name, view->verdict);
	course_compare(
	    &(struct course){ &board->options.rules, &board->closed, changes, agent, view });
}

static int64_t
find_newest_ms(const struct board_view *view)
{
	int64_t newest_ms = 0;

	for (size_t i = 0; i < view->seen_count; i++) {
		if (view->seen[i]->at_ms > newest_ms)
			newest_ms = view->seen[i]->at_ms;
	}
	return newest_ms;
}

/* When the agent last said anything, by its own clock, unless that is ahead of ours. */
static int64_t
find_word_ms(const struct board_agent *agent)
{
	int64_t word_ms = agent->vitals != NULL ? agent->vitals->at_ms : 0;

	for (size_t i = 0; i < agent->view_count; i++) {
		if (find_newest_ms(agent->views[i]) > word_ms)
			word_ms = find_newest_ms(agent->views[i]);
	}
	return word_ms < agent->last_seen_ms ? word_ms : agent->last_seen_ms;
}

static void
forget_view(
    struct board *board, struct board_agent *agent, size_t at, struct course_changes *changes)
{
	struct board_view *view = agent->views[at];

	course_end(
	    &(struct course){ &board->options.rules, &board->closed, changes, agent, view },
	    find_newest_ms(view));
	free_view(view);
	remove_at((void **)agent->views, &agent->view_count, at);
}

/* The agent is there, and has ceased to look at these accounts.  By its records alone, so that the same
 * batches make the same findings, whenever they are judged. */
static void
forget_abandoned(struct board *board, struct board_agent *agent, struct course_changes *changes)
{
	int64_t word_ms = find_word_ms(agent);

	for (size_t i = agent->view_count; i-- > 0;) {
		if (word_ms - find_newest_ms(agent->views[i]) > 12 * board->options.silent_ms)
			forget_view(board, agent, i, changes);
	}
}

static void
set_mark(struct board *board, const struct store_mark *mark)
{
	if (strcmp(board->mark.agent, mark->agent) != 0) {
		free((char *)board->mark.agent);
		board->mark.agent = mem_strdup(mark->agent);
	}
	board->mark.epoch = mark->epoch;
	board->mark.seq = mark->seq;
}

struct store_mark
board_mark(const struct board *board)
{
	return board->mark;
}

void
board_take(struct board *board, const struct store_batch *batch, bool clock_suspect)
{
	struct board_agent   *agent = get_agent(board, batch->agent);
	struct course_changes changes = { 0 };
	bool                  moved = strcmp(agent->network, batch->network) != 0;

	if (moved) {
		free(agent->network);
		agent->network = mem_strdup(batch->network);
	}
	if (agent->first_seen_ms == 0)
		agent->first_seen_ms = batch->received_ms;
	if (batch->received_ms > agent->last_seen_ms)
		agent->last_seen_ms = batch->received_ms;
	agent->batches++;
	agent->clock_suspect = clock_suspect;
	for (size_t i = 0; i < batch->gap_count; i++)
		agent->lost_records += batch->gaps[i]->records;
	if (batch->vitals_bytes != NULL)
		moved |= take_vitals(agent, batch->vitals_bytes, batch->vitals_count);
	for (size_t i = 0; i < batch->row_count; i++)
		take_seen(
		    agent, batch->rows[i].at_ms, batch->rows[i].bytes, batch->rows[i].count);
	for (size_t i = 0; i < agent->view_count; i++) {
		bool touched = moved && agent->views[i]->seen_count > 0;

		for (size_t j = 0; j < batch->row_count && !touched; j++)
			touched = strcmp(batch->rows[j].seen->target->account,
			              agent->views[i]->name) == 0;
		if (!touched)
			continue;
		drop_stale(board, agent->views[i]);
		judge_view(board, agent, agent->views[i], &changes);
	}
	forget_abandoned(board, agent, &changes);
	set_mark(board, &(struct store_mark){ batch->agent, batch->epoch, batch->seq });
	tell_changes(board, &changes);
}

static void
judge_views(struct board *board, bool all)
{
	struct course_changes changes = { 0 };

	for (size_t i = 0; i < board->agent_count; i++) {
		struct board_agent *agent = board->agents[i];

		for (size_t j = 0; j < agent->view_count; j++) {
			struct board_view *view = agent->views[j];

			if (all || documents_touched(board->options.documents, view->name))
				judge_view(board, agent, view, &changes);
		}
	}
	tell_changes(board, &changes);
}

void
board_judge_all(struct board *board)
{
	judge_views(board, true);
}

/* Agents that are silent would keep documents of old for ever. */
void
board_judge_touched(struct board *board)
{
	judge_views(board, documents_retired(board->options.documents) > RETIRED_MAX);
}

static void
on_agent(void *arg, const struct store_agent *from)
{
	struct board_agent *agent = get_agent(arg, from->agent);

	free(agent->network);
	agent->network = mem_strdup(from->network);
	agent->first_seen_ms = from->first_seen_ms;
	agent->last_seen_ms = from->last_seen_ms;
	agent->batches = from->batches;
	agent->lost_records = from->lost_records;
	if (from->vitals_bytes != NULL)
		(void)take_vitals(agent, from->vitals_bytes, from->vitals_count);
}

static void
on_row(void *arg, const char *agent, int64_t at_ms, int64_t received_ms, const uint8_t *bytes,
    size_t count)
{
	take_seen(get_agent(arg, agent), at_ms, bytes, count);
}

static void
on_finding(void *arg, const struct store_finding *from)
{
	struct board             *board = arg;
	const struct board_agent *agent = board_agent_find(board, from->agent);
	struct board_view        *view = NULL;

	if (from->closed_ms == 0)
		view = get_view(get_agent(board, from->agent), from->account);
	else if (agent != NULL && board_view_find(agent, from->account) != NULL)
		view = get_view(get_agent(board, from->agent), from->account);
	course_load(&board->closed, view, from);
}

static void
on_newest(void *arg, const struct store_mark *newest)
{
	set_mark(arg, newest);
}

bool
board_load(struct board *board, struct store *store, struct err *err)
{
	struct store_reader   reader = { .on_agent = on_agent,
		  .on_row = on_row,
		  .on_finding = on_finding,
		  .on_newest = on_newest,
		  .arg = board };
	struct course_changes changes = { 0 };

	if (!store_load(store, &reader, err))
		return false;
	course_loaded(&board->closed);
	for (size_t i = 0; i < board->agent_count; i++) {
		/* A store keeps the rows of accounts that were let go of. */
		forget_abandoned(board, board->agents[i], &changes);
		for (size_t j = 0; j < board->agents[i]->view_count; j++)
			drop_stale(board, board->agents[i]->views[j]);
	}
	tell_changes(board, &changes);
	board_judge_all(board);
	return true;
}

void
board_forget(struct board *board, int64_t before_ms)
{
	struct course_changes changes = { 0 };

	for (size_t i = board->agent_count; i-- > 0;) {
		struct board_agent *agent = board->agents[i];

		if (agent->last_seen_ms >= before_ms)
			continue;
		while (agent->view_count > 0)
			forget_view(board, agent, agent->view_count - 1, &changes);
		free_agent(agent);
		remove_at((void **)board->agents, &board->agent_count, i);
	}
	tell_changes(board, &changes);
}
