#include "analyze/compare.h"

#include "base/addr.h"

#include <stdlib.h>
#include <string.h>

/* A private address that was answered for a name, and that no document gives to anybody. */
struct holding {
	struct addr          addr;
	const struct target *target;
	struct verdict      *verdict;
};

static int
compare_holdings(const void *left, const void *right)
{
	const struct holding *a = left, *b = right;
	int                   order = addr_compare(&a->addr, &b->addr);

	if (order == 0)
		order = strcmp(a->target->account, b->target->account);
	return order != 0 ? order : strcmp(a->target->host, b->target->host);
}

static bool
is_private(const struct addr *addr)
{
	return addr_class(addr) == ADDR_PRIVATE || addr_class(addr) == ADDR_SHARED;
}

static size_t
count_addresses(struct verdict *const *verdicts, size_t count)
{
	size_t all = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < verdicts[i]->place_count; j++)
			all += verdicts[i]->places[j].address_count;
	}
	return all;
}

static size_t
take_holdings(struct holding *holdings, struct verdict *verdict)
{
	size_t count = 0;

	for (size_t i = 0; i < verdict->place_count; i++) {
		const struct place *place = &verdict->places[i];

		for (size_t j = 0; j < place->address_count; j++) {
			struct holding *holding = &holdings[count];

			if (place->addresses[j].told ||
			    !addr_parse(&holding->addr, place->addresses[j].address, 0, NULL) ||
			    !is_private(&holding->addr))
				continue;
			holding->target = place->target;
			holding->verdict = verdict;
			count++;
		}
	}
	return count;
}

static void
add_note(struct arena *arena, const struct holding *own, const struct holding *other)
{
	struct verdict *verdict = own->verdict;
	const char    **notes = arena_array(arena, verdict->unknown_count + 1, sizeof(char *));
	char            text[ADDR_TEXT];

	if (verdict->unknown_count > 0)
		memcpy(notes, verdict->unknowns, verdict->unknown_count * sizeof(char *));
	notes[verdict->unknown_count++] = arena_printf(arena,
	    "whose address %s is: both %s and %s of account %s are answered with it, and one "
	    "private endpoint leads to one account only; its document would tell (--expect)",
	    addr_render(&own->addr, text, sizeof(text)), own->target->host, other->target->host,
	    other->target->account);
	verdict->unknowns = notes;
}

/* Of the holdings of one address: the first of each account is told of the first of another. */
static void
compare_run(struct arena *arena, const struct holding *run, size_t count)
{
	const struct holding *first = &run[0], *last = &run[count - 1];

	if (first->verdict == last->verdict)
		return;
	add_note(arena, first, last);
	for (size_t i = 1; i < count; i++) {
		if (run[i].verdict != run[i - 1].verdict)
			add_note(arena, &run[i], first);
	}
}

void
compare_verdicts(struct arena *arena, struct verdict *const *verdicts, size_t count)
{
	struct holding *holdings = arena_array(
	    arena, count_addresses(verdicts, count) + 1, sizeof(*holdings));
	size_t all = 0, from = 0;

	for (size_t i = 0; i < count; i++)
		all += take_holdings(holdings + all, verdicts[i]);
	qsort(holdings, all, sizeof(*holdings), compare_holdings);
	for (size_t i = 1; i <= all; i++) {
		if (i < all && addr_equal(&holdings[i].addr, &holdings[from].addr))
			continue;
		compare_run(arena, holdings + from, i - from);
		from = i;
	}
}
