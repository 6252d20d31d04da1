/* Any bytes as all that a CQL server says: the dialogue ends or waits, the same whether they come
 * at once or one by one, and what it keeps is sane and bounded. */
#include "base/text.h"
#include "probe/cassandra/cassandra_dialog.h"
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
check_dialog(const struct cassandra_dialog *dialog)
{
	const struct cassandra_supported *supported = &dialog->supported;

	if (dialog->supported_heard) {
		check_text(dialog->arena, supported->versions, CASSANDRA_LIST_MAX_BYTES);
		check_text(dialog->arena, supported->compression, CASSANDRA_LIST_MAX_BYTES);
		check(strspn(supported->first, "0123456789.") == strlen(supported->first));
		check(supported->first[0] != '\0');
	}
	if (dialog->authenticator != NULL)
		check_text(dialog->arena, dialog->authenticator, CASSANDRA_CLASS_MAX_BYTES);
	if (dialog->refused)
		check_text(dialog->arena, dialog->error.words, CASSANDRA_WORDS_MAX_BYTES);
}

static enum next
converse(struct cassandra_dialog *dialog, const uint8_t *bytes, size_t count, size_t stride)
{
	struct wbuf said;
	enum next   end;

	wbuf_init(&said);
	end = support_dialog_run(&cassandra_ops, dialog, bytes, count, stride, &said);
	check(end != NEXT_SAY);
	/* A refusal has a reason. */
	check((end == NEXT_BROKEN) == (dialog->broken.text[0] != '\0'));
	check_text(dialog->arena, dialog->broken.text, sizeof(dialog->broken.text));
	check(end != NEXT_DONE || dialog->supported_heard || dialog->refused);
	check_dialog(dialog);
	wbuf_fini(&said);
	return end;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct cassandra_dialog whole = { .arena = arena_new() };
	struct cassandra_dialog bytewise = { .arena = arena_new() };
	enum next               end = converse(&whole, bytes, count, count + 1);

	if (count <= BYTEWISE_MAX)
		check(converse(&bytewise, bytes, count, 1) == end);
	arena_free(bytewise.arena);
	arena_free(whole.arena);
	return 0;
}
