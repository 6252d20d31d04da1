/* Any bytes as all that an HTTP/2 server says to the probe of Gateway V2: the dialogue takes them,
 * ends or waits, and how the network cuts them makes no difference.  The first byte chooses the
 * cuts. */
#include "probe/thin/thin_dialog.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* What we say at most: the request, and an answer to each frame that we take. */
enum { COUNT_MAX = 64 * 1024, SAID_MAX_BYTES = 512 + THIN_FRAMES_MAX * 32 };

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
check_text(const char *text)
{
	check(strlen(text) > 0 && strlen(text) < 600);
	for (; *text != '\0'; text++)
		check((unsigned char)*text >= 0x20 && *text != 0x7f);
}

/* 1 to 16 bytes, or all of them when the choice is 0. */
static size_t
cut(uint32_t *choice, size_t left)
{
	size_t count;

	if (*choice == 0)
		return left;
	*choice = *choice * 1664525 + 1013904223;
	count = 1 + (*choice >> 28);
	return count < left ? count : left;
}

static enum next
converse(struct thin_dialog *dialog, const uint8_t *bytes, size_t count, uint32_t choice)
{
	struct wbuf said;
	size_t      taken = 0, offered = 0;
	enum next   next = NEXT_HEAR;

	wbuf_init(&said);
	thin_ops.say(dialog, &said);
	while (next == NEXT_SAY || (next == NEXT_HEAR && offered < count)) {
		size_t      before = taken;
		struct rcur in;

		if (next == NEXT_SAY)
			thin_ops.say(dialog, &said);
		else
			offered += cut(&choice, count - offered);
		in = rcur_of(bytes + taken, offered - taken);
		next = thin_ops.hear(dialog, &in);
		check(rcur_ok(&in));
		taken = offered - rcur_left(&in);
		check(next != NEXT_SAY || taken > before);
	}
	check(said.count <= SAID_MAX_BYTES);
	wbuf_fini(&said);
	return next;
}

static void
check_end(const struct thin_dialog *dialog, enum next next)
{
	check((next == NEXT_BROKEN) == (dialog->how != OUTCOME_NOT_RUN));
	check((next == NEXT_BROKEN) == (dialog->detail != NULL));
	check((next == NEXT_DONE) == dialog->answered);
	check(dialog->status == 0 || (dialog->status >= 200 && dialog->status <= 999));
	check(next != NEXT_DONE || (dialog->status != 0 && dialog->settled));
	check(dialog->frames <= THIN_FRAMES_MAX || dialog->how == OUTCOME_TOO_LARGE);
	check(
	    dialog->header_bytes <= THIN_HEADERS_MAX_BYTES || dialog->how == OUTCOME_TOO_LARGE);
	check(dialog->body_bytes <= THIN_BODY_MAX_BYTES || dialog->how == OUTCOME_TOO_LARGE);
	if (dialog->detail != NULL)
		check_text(dialog->detail);
	if (dialog->goodbye != NULL)
		check_text(dialog->goodbye);
}

static bool
is_same_text(const char *one, const char *other)
{
	return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct arena      *arena;
	struct thin_dialog whole, pieces;
	enum next          next;

	if (count == 0 || count > COUNT_MAX)
		return 0;
	arena = arena_new();
	whole = (struct thin_dialog){ .arena = arena, .spec = { "a.example:10250" } };
	pieces = whole;
	next = converse(&whole, bytes + 1, count - 1, 0);
	check_end(&whole, next);
	check(converse(&pieces, bytes + 1, count - 1, 1 + (uint32_t)bytes[0]) == next);
	check_end(&pieces, next);
	check(whole.how == pieces.how && whole.status == pieces.status);
	check(whole.frames == pieces.frames && whole.settled == pieces.settled);
	/* Of a status line, what was there when it was long enough is quoted. */
	check(!whole.heard || is_same_text(whole.detail, pieces.detail));
	check(is_same_text(whole.goodbye, pieces.goodbye));
	thin_dialog_fini(&whole);
	thin_dialog_fini(&pieces);
	arena_free(arena);
	return 0;
}
