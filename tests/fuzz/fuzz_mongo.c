/* Any bytes as all that a MongoDB server says: the dialogue ends or waits, the same whether they
 * come at once or one by one, and what it keeps is sane and bounded. */
#include "base/text.h"
#include "probe/mongo/mongo_dialog.h"
#include "tests/support/support_dialog.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* Byte by byte, each of them costs a copy of all before. */
enum { BYTEWISE_MAX = 1024 };

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
check_text(struct arena *arena, const char *text, size_t limit)
{
	check(strlen(text) <= limit);
	check(strcmp(text_sane(arena, text, strlen(text), limit), text) == 0);
}

static void
check_answer(struct arena *arena, const struct mongo_answer *answer)
{
	unsigned blanks = 0;

	for (const char *c = answer->hosts; *c != '\0'; c++)
		blanks += *c == ' ';
	check(blanks < MONGO_HOSTS_MAX);
	check_text(arena, answer->hosts, MONGO_HOSTS_MAX_BYTES);
	check_text(arena, answer->set_name, MONGO_NAME_MAX_BYTES);
	check_text(arena, answer->me, MONGO_NAME_MAX_BYTES);
	check_text(arena, answer->region, MONGO_NAME_MAX_BYTES);
	check_text(arena, answer->code_name, MONGO_NAME_MAX_BYTES);
	check_text(arena, answer->words, MONGO_WORDS_MAX_BYTES);
	check(answer->wire_least <= INT32_MAX && answer->wire_most <= INT32_MAX);
}

static enum next
converse(struct mongo_dialog *dialog, const uint8_t *bytes, size_t count, size_t stride)
{
	struct wbuf said;
	enum next   end;

	wbuf_init(&said);
	end = support_dialog_run(&mongo_ops, dialog, bytes, count, stride, &said);
	check(end != NEXT_SAY);
	/* A refusal has a reason. */
	check((end == NEXT_BROKEN) == (dialog->broken.text[0] != '\0'));
	check_text(dialog->arena, dialog->broken.text, sizeof(dialog->broken.text));
	check(end != NEXT_DONE || dialog->knows);
	if (dialog->knows)
		check_answer(dialog->arena, &dialog->ismaster);
	if (dialog->knows_hello)
		check_answer(dialog->arena, &dialog->hello);
	wbuf_fini(&said);
	return end;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct mongo_dialog whole = { .arena = arena_new() };
	struct mongo_dialog bytewise = { .arena = arena_new() };
	enum next           end = converse(&whole, bytes, count, count + 1);

	if (count <= BYTEWISE_MAX)
		check(converse(&bytewise, bytes, count, 1) == end &&
		    strcmp(bytewise.broken.text, whole.broken.text) == 0);
	arena_free(bytewise.arena);
	arena_free(whole.arena);
	return 0;
}
