#include "collector/course.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { CLOSED_MAX = 1000 };

/* How much newer an open finding may be than what the store says of it. */
static const int64_t rewrite_ms = 5 * MS_PER_MIN;
/* Of a target that does not say how often it is measured. */
static const int64_t preset_interval_ms = 20 * MS_PER_S;

static void
copy_finding(struct arena *arena, struct store_finding *to, const struct store_finding *from)
{
	*to = *from;
	to->agent = arena_strdup(arena, from->agent);
	to->account = arena_strdup(arena, from->account);
	to->region = arena_strdup(arena, from->region);
	to->code = arena_strdup(arena, from->code);
	to->host = arena_strdup(arena, from->host);
	to->network = arena_strdup(arena, from->network);
	to->severity = arena_strdup(arena, from->severity);
	to->owner = arena_strdup(arena, from->owner);
	to->sentence = arena_strdup(arena, from->sentence);
	to->evidence = arena_strdup(arena, from->evidence);
	to->fix = arena_strdup(arena, from->fix);
	to->state = arena_strdup(arena, from->state);
	to->looks = arena_strdup(arena, from->looks);
	to->mode = arena_strdup(arena, from->mode);
}

static struct board_finding *
make_finding(const struct store_finding *from)
{
	struct board_finding *made = mem_alloc(sizeof(*made));

	made->arena = arena_new();
	copy_finding(made->arena, &made->finding, from);
	return made;
}

static void
free_finding(struct board_finding *finding)
{
	arena_free(finding->arena);
	free(finding);
}

static void
free_all(struct board_finding **findings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free_finding(findings[i]);
	free(findings);
}

void
course_free_view(struct board_view *view)
{
	free_all(view->open, view->open_count);
	free_all(view->rested, view->rested_count);
}

void
course_free_closed(struct course_closed *closed)
{
	free_all(closed->findings, closed->count);
}

static void
push(struct board_finding ***array, size_t *count, struct board_finding *finding)
{
	*array = mem_grow(*array, *count + 1, sizeof(**array));
	(*array)[(*count)++] = finding;
}

static struct board_finding *
take_out(struct board_finding **array, size_t *count, size_t at)
{
	struct board_finding *finding = array[at];

	memmove(array + at, array + at + 1, (*count - at - 1) * sizeof(*array));
	(*count)--;
	return finding;
}

static void
add_change(struct course_changes *changes, const struct store_finding *from)
{
	struct store_finding *larger;

	if (changes->arena == NULL)
		changes->arena = arena_new();
	if (changes->count == changes->room) {
		changes->room = changes->room * 2 + 8;
		larger = arena_array(changes->arena, changes->room, sizeof(*larger));
		if (changes->count > 0)
			memcpy(larger, changes->findings, changes->count * sizeof(*larger));
		changes->findings = larger;
	}
	copy_finding(changes->arena, &changes->findings[changes->count++], from);
}

static bool
is_same(const struct store_finding *left, const struct store_finding *right)
{
	return left->opened_ms == right->opened_ms && strcmp(left->agent, right->agent) == 0 &&
	    strcmp(left->account, right->account) == 0 &&
	    strcmp(left->code, right->code) == 0 && strcmp(left->region, right->region) == 0 &&
	    strcmp(left->host, right->host) == 0;
}

static void
keep_closed(struct course_closed *closed, const struct store_finding *finding)
{
	if (closed->count == CLOSED_MAX)
		free_finding(take_out(closed->findings, &closed->count, 0));
	push(&closed->findings, &closed->count, make_finding(finding));
}

/* It has come again. */
static void
drop_closed(struct course_closed *closed, const struct store_finding *finding)
{
	for (size_t i = closed->count; i-- > 0;) {
		if (is_same(&closed->findings[i]->finding, finding)) {
			free_finding(take_out(closed->findings, &closed->count, i));
			return;
		}
	}
}

static bool
is_of(const struct store_finding *finding, const struct finding *judged)
{
	return strcmp(finding->code, finding_table[judged->code].code) == 0 &&
	    strcmp(finding->region, judged->region) == 0 &&
	    strcmp(finding->host, judged->host) == 0;
}

static const struct finding *
find_judged(const struct board_view *view, const struct store_finding *finding)
{
	for (size_t i = 0; i < view->verdict->finding_count; i++) {
		if (is_of(finding, &view->verdict->findings[i]))
			return &view->verdict->findings[i];
	}
	return NULL;
}

static size_t
seek(struct board_finding *const *array, size_t count, const struct finding *judged)
{
	size_t at = 0;

	while (at < count && !is_of(&array[at]->finding, judged))
		at++;
	return at;
}

/* How well a measurement fits the names that a finding is about: 0 not at all. */
static int
rate(const struct store_finding *finding, const struct target *target)
{
	bool by_mode = finding->mode[0] == '\0' ||
	    strcmp(finding->mode, mode_name(target->mode)) == 0;
	bool by_name = finding->host[0] == '\0' || strcmp(finding->region, "*") == 0 ||
	    strcmp(finding->host, target->host) == 0;

	return by_name ? 2 + by_mode : 1;
}

/* The newest look at a finding's names, in its mode while there is one; else at what there is. */
struct look {
	int64_t at_ms, interval_ms;
};

static struct look
find_look(const struct board_view *view, const struct store_finding *finding)
{
	struct look look = { 0, 0 };
	int         best = 0;

	for (size_t i = 0; i < view->seen_count; i++) {
		const struct target *target = view->seen[i]->seen->target;
		int                  fit = rate(finding, target);

		if (fit < best)
			continue;
		if (fit > best)
			look = (struct look){ 0, 0 };
		best = fit;
		if (view->seen[i]->at_ms > look.at_ms)
			look.at_ms = view->seen[i]->at_ms;
		if ((int64_t)target->interval_ms > look.interval_ms)
			look.interval_ms = target->interval_ms;
	}
	if (look.interval_ms == 0)
		look.interval_ms = preset_interval_ms;
	return look;
}

static const struct hysteresis *
pick_rule(const struct course *course, const struct store_finding *finding)
{
	static const struct hysteresis at_once = { 1, 1, 1 };

	if (strcmp(finding->severity, state_name(STATE_CRITICAL)) == 0)
		return &course->rules->critical;
	/* What is told and is no fault needs no patience. */
	return strcmp(finding->severity, state_name(STATE_OK)) == 0 ? &at_once
	                                                            : &course->rules->warning;
}

/* Adds a look, or replaces the newest one: names that are measured in one round are one look.
 * The finding borrows looks. */
static void
look_on(struct store_finding *finding, const struct look *look, bool bad, struct looks *looks)
{
	*looks = looks_of(finding->looks);
	if (look->at_ms - finding->looked_ms >= look->interval_ms / 2) {
		looks_add(looks, bad);
		finding->looked_ms = look->at_ms;
	} else {
		looks_replace(looks, bad);
	}
	finding->looks = looks->text;
}

/* What its looks make of a finding, of which the newest is of at_ms. */
static enum life
settle(const struct course *course, struct store_finding *finding, const struct looks *looks,
    int64_t at_ms)
{
	enum life life = hysteresis_judge(
	    pick_rule(course, finding), looks, finding->confirmed_ms != 0);

	if (finding->confirmed_ms == 0 && (life == LIFE_CONFIRMED || life == LIFE_FLAPPING))
		finding->confirmed_ms = at_ms;
	finding->closed_ms = 0;
	if (life == LIFE_CLOSED)
		finding->closed_ms = at_ms > finding->opened_ms ? at_ms : finding->opened_ms;
	finding->state = life_name(life);
	finding->looks = looks->text;
	return life;
}

static bool
says_the_same(const struct store_finding *left, const struct store_finding *right)
{
	return strcmp(left->severity, right->severity) == 0 &&
	    strcmp(left->owner, right->owner) == 0 &&
	    strcmp(left->sentence, right->sentence) == 0 &&
	    strcmp(left->network, right->network) == 0 &&
	    strcmp(left->state, right->state) == 0 && strcmp(left->looks, right->looks) == 0;
}

/* The finding says something else from here on, and the store is told where that matters. */
static void
replace(struct course *course, struct board_finding **slot, const struct store_finding *fresh)
{
	struct board_finding *old = *slot, *made = make_finding(fresh);

	made->written_ms = old->written_ms;
	if (!says_the_same(&made->finding, &old->finding) ||
	    made->finding.last_seen_ms - old->written_ms > rewrite_ms) {
		add_change(course->changes, &made->finding);
		made->written_ms = made->finding.last_seen_ms;
	}
	free_finding(old);
	*slot = made;
}

static struct store_finding
describe(const struct course *course, const struct finding *judged)
{
	return (struct store_finding){
		.agent = course->agent->name,
		.account = course->view->name,
		.region = judged->region,
		.code = finding_table[judged->code].code,
		.host = judged->host,
		.network = course->agent->network,
		.severity = state_name(judged->severity),
		.owner = owner_name(finding_table[judged->code].owner),
		.sentence = judged->sentence,
		.evidence = judged->evidence,
		.fix = judged->fix,
		.opened_ms = judged->seen_ms,
		.last_seen_ms = judged->seen_ms,
		.looks = "",
		.mode = mode_name(judged->mode),
	};
}

/* What was known of it, in the words of the new verdict. */
static struct store_finding
carry_on(
    const struct course *course, const struct finding *judged, const struct store_finding *old)
{
	struct store_finding fresh = describe(course, judged);

	fresh.opened_ms = old->opened_ms;
	if (fresh.last_seen_ms < old->last_seen_ms)
		fresh.last_seen_ms = old->last_seen_ms;
	fresh.looks = old->looks;
	fresh.confirmed_ms = old->confirmed_ms;
	fresh.looked_ms = old->looked_ms;
	return fresh;
}

static void
rest(struct course *course, size_t at)
{
	struct board_view    *view = course->view;
	struct board_finding *finding = take_out(view->open, &view->open_count, at);

	struct looks looks = looks_of(finding->finding.looks);

	keep_closed(course->closed, &finding->finding);
	/* Nothing bad is remembered of it: what comes again is news. */
	if (looks_are_good(&looks))
		free_finding(finding);
	else
		push(&view->rested, &view->rested_count, finding);
}

static void
look_at_open(struct course *course, size_t at)
{
	struct board_finding **slot = &course->view->open[at];
	const struct finding  *judged = find_judged(course->view, &(*slot)->finding);
	struct look            look = find_look(course->view, &(*slot)->finding);
	struct store_finding   fresh = (*slot)->finding;
	struct looks           looks;
	enum life              life;

	if (judged != NULL) {
		fresh = carry_on(course, judged, &(*slot)->finding);
		look.at_ms = judged->seen_ms;
	}
	look_on(&fresh, &look, judged != NULL, &looks);
	life = settle(course, &fresh, &looks, look.at_ms);
	replace(course, slot, &fresh);
	if (life == LIFE_CLOSED)
		rest(course, at);
}

/* One that was closed, and may be forgotten, or come again. */
static void
look_at_rested(struct course *course, size_t at)
{
	struct board_view    *view = course->view;
	struct board_finding *finding = view->rested[at];
	const struct finding *judged = find_judged(view, &finding->finding);
	struct look           look = find_look(view, &finding->finding);
	struct store_finding  fresh = finding->finding;
	struct looks          looks;

	if (judged != NULL) {
		drop_closed(course->closed, &finding->finding);
		fresh = carry_on(course, judged, &finding->finding);
		fresh.confirmed_ms = 0;
		look.at_ms = judged->seen_ms;
		look_on(&fresh, &look, true, &looks);
		settle(course, &fresh, &looks, look.at_ms);
		replace(course, &view->rested[at], &fresh);
		push(&view->open, &view->open_count,
		    take_out(view->rested, &view->rested_count, at));
		return;
	}
	look_on(&fresh, &look, false, &looks);
	replace(course, &view->rested[at], &fresh);
	if (looks_are_good(&looks))
		free_finding(take_out(view->rested, &view->rested_count, at));
}

/* A total order, for the view has them in another one after a start. */
static bool
is_elder(const struct store_finding *left, const struct store_finding *right)
{
	int by_region = strcmp(left->region, right->region);

	if (left->opened_ms != right->opened_ms)
		return left->opened_ms < right->opened_ms;
	return by_region != 0 ? by_region < 0 : strcmp(left->host, right->host) < 0;
}

/* The eldest open finding that the verdict tells no more, since it is told of more or of fewer names:
 * one name more does not make a new fault. */
static const struct store_finding *
find_forebear(const struct board_view *view, const struct finding *judged)
{
	const struct store_finding *found = NULL;

	for (size_t i = 0; i < view->open_count; i++) {
		const struct store_finding *open = &view->open[i]->finding;

		if (strcmp(open->code, finding_table[judged->code].code) == 0 &&
		    (strcmp(open->region, "*") == 0 || strcmp(judged->region, "*") == 0) &&
		    find_judged(view, open) == NULL && (found == NULL || is_elder(open, found)))
			found = open;
	}
	return found;
}

static void
open_finding(struct course *course, const struct finding *judged)
{
	struct board_view          *view = course->view;
	struct store_finding        fresh = describe(course, judged);
	const struct store_finding *forebear = find_forebear(view, judged);
	struct look                 look = find_look(view, &fresh);
	struct board_finding       *made;
	struct looks                looks;

	if (forebear != NULL) {
		fresh.looks = forebear->looks;
		fresh.confirmed_ms = forebear->confirmed_ms;
		fresh.looked_ms = forebear->looked_ms;
	}
	look.at_ms = judged->seen_ms;
	look_on(&fresh, &look, true, &looks);
	settle(course, &fresh, &looks, look.at_ms);
	made = make_finding(&fresh);
	made->written_ms = fresh.last_seen_ms;
	push(&view->open, &view->open_count, made);
	add_change(course->changes, &fresh);
}

/* Those whose history another one has taken over are closed at once. */
static void
end_forebears(struct course *course)
{
	struct board_view *view = course->view;

	for (size_t i = view->open_count; i-- > 0;) {
		struct store_finding fresh = view->open[i]->finding;
		struct look          look = find_look(view, &fresh);
		bool                 followed = false;

		if (find_judged(view, &fresh) != NULL)
			continue;
		for (size_t j = 0; j < view->verdict->finding_count && !followed; j++) {
			const struct finding *judged = &view->verdict->findings[j];

			followed = strcmp(fresh.code, finding_table[judged->code].code) == 0 &&
			    (strcmp(fresh.region, "*") == 0 ||
			        strcmp(judged->region, "*") == 0);
		}
		if (!followed)
			continue;
		fresh.state = life_name(LIFE_CLOSED);
		fresh.looks = ""; /* they went on to the other one */
		fresh.closed_ms = look.at_ms > fresh.opened_ms ? look.at_ms : fresh.opened_ms;
		replace(course, &view->open[i], &fresh);
		keep_closed(course->closed, &view->open[i]->finding);
		free_finding(take_out(view->open, &view->open_count, i));
	}
}

void
course_compare(struct course *course)
{
	struct board_view *view = course->view;
	size_t             rested = view->rested_count;

	for (size_t i = 0; i < view->verdict->finding_count; i++) {
		const struct finding *judged = &view->verdict->findings[i];

		if (seek(view->open, view->open_count, judged) == view->open_count &&
		    seek(view->rested, view->rested_count, judged) == view->rested_count)
			open_finding(course, judged);
	}
	end_forebears(course);
	/* From the end, since both lists lose members on the way; those that come to rest here
	 * have been looked at, and stand behind the others. */
	for (size_t i = rested; i-- > 0;)
		look_at_rested(course, i);
	for (size_t i = view->open_count; i-- > 0;)
		look_at_open(course, i);
}

void
course_end(struct course *course, int64_t closed_ms)
{
	struct board_view *view = course->view;

	while (view->open_count > 0) {
		size_t               last = view->open_count - 1;
		struct store_finding fresh = view->open[last]->finding;

		fresh.state = life_name(LIFE_CLOSED);
		fresh.looks = ""; /* nobody waits for it to come again */
		fresh.closed_ms = closed_ms > fresh.opened_ms ? closed_ms : fresh.opened_ms;
		replace(course, &view->open[last], &fresh);
		rest(course, last);
	}
}

void
course_load(
    struct course_closed *closed, struct board_view *view, const struct store_finding *from)
{
	struct looks          looks = looks_of(from->looks);
	struct board_finding *finding = make_finding(from);

	finding->written_ms = from->last_seen_ms;
	if (from->closed_ms == 0) {
		push(&view->open, &view->open_count, finding);
		return;
	}
	push(&closed->findings, &closed->count, finding);
	if (view != NULL && !looks_are_good(&looks)) {
		finding = make_finding(from);
		finding->written_ms = from->last_seen_ms;
		push(&view->rested, &view->rested_count, finding);
	}
}

static int
compare_closed(const void *left, const void *right)
{
	const struct board_finding *const *a = left, *const *b = right;

	return ((*a)->finding.closed_ms > (*b)->finding.closed_ms) -
	    ((*a)->finding.closed_ms < (*b)->finding.closed_ms);
}

void
course_loaded(struct course_closed *closed)
{
	if (closed->count > 0)
		qsort(
		    closed->findings, closed->count, sizeof(*closed->findings), compare_closed);
	while (closed->count > CLOSED_MAX)
		free_finding(take_out(closed->findings, &closed->count, 0));
}
