/* fuzz_rntbd: any bytes as all that a back end says: what the dialogue makes of them does not
 * depend on how they are cut into segments, a refusal carries a reason, and texts are sane.
 *
 * The last bytes of the input choose the cuts: a seed is a plain context response. */
#include "base/text.h"
#include "probe/conn.h"
#include "probe/rntbd/rntbd_dialog.h"
#include "probe/rntbd/rntbd_record.h"
#include "tests/support/support_rntbd.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { CUTS = 8, TEXT_MAX = 255, DETAIL_MAX = 700 };

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
check_text(struct arena *arena, const char *text, size_t limit)
{
	size_t count = strlen(text);

	check(count <= limit && strcmp(text_sane(arena, text, count, limit), text) == 0);
}

/* The next piece, in memory of its own size, so that a read behind its end is seen. */
static enum next
offer(struct rntbd_dialog *dialog, const uint8_t *bytes, size_t count, size_t *taken)
{
	uint8_t    *copy = malloc(count + 1);
	struct rcur in;
	enum next   next;

	if (count > 0)
		memcpy(copy, bytes, count);
	in = rcur_of(copy, count);
	next = rntbd_ops.hear(dialog, &in);
	check(rcur_ok(&in) && rcur_left(&in) <= count);
	*taken += count - rcur_left(&in);
	free(copy);
	return next;
}

/* cuts[i] & 0x7f + 1 bytes a piece, in turn; NULL: all at once. */
static enum next
listen_to(struct rntbd_dialog *dialog, const uint8_t *bytes, size_t count, const uint8_t *cuts)
{
	size_t    taken = 0, offered = 0;
	enum next next = NEXT_HEAR;

	memcpy(dialog->spec.request.activity_id, support_rntbd_id, RNTBD_ID_BYTES);
	dialog->arena = arena_new();
	for (size_t i = 0; next == NEXT_HEAR && offered < count; i++) {
		size_t piece = cuts != NULL ? (cuts[i % CUTS] & 0x7fu) + 1 : count;

		offered = count - offered > piece ? offered + piece : count;
		next = offer(dialog, bytes + taken, offered - taken, &taken);
	}
	check(next != NEXT_SAY);
	check((next == NEXT_BROKEN) == (dialog->broken.text[0] != '\0'));
	check(next == NEXT_HEAR || dialog->heard_bytes > 0);
	check(next != NEXT_DONE || dialog->answered);
	return next;
}

static void
check_record(struct rntbd_dialog *dialog, enum next next)
{
	struct conn_seen seen = { .tcp = OUTCOME_OK, .tls = OUTCOME_OK, .detail = "" };
	struct endpoint  endpoint = { 0 };
	struct replica   replica = { 0 };

	seen.dialog = next == NEXT_DONE ? OUTCOME_OK
	    : next == NEXT_BROKEN       ? OUTCOME_BROKE_PROTOCOL
	                                : OUTCOME_CLOSED;
	rntbd_record(&replica, &endpoint, &seen, dialog, dialog->arena);
	check_text(dialog->arena, replica.detail, DETAIL_MAX);
	check((replica.context == OUTCOME_OK) == (replica.detail[0] == '\0'));
	check((replica.context == OUTCOME_OK) == (replica.stage[0] == '\0'));
	check(replica.context != OUTCOME_OK || (replica.status >= 200 && replica.status < 400));
	if (!dialog->answered)
		return;
	check_text(dialog->arena, replica.server_agent, TEXT_MAX);
	check_text(dialog->arena, replica.server_version, TEXT_MAX);
	check_text(dialog->arena, replica.client_version, TEXT_MAX);
	check_text(dialog->arena, replica.error_code, TEXT_MAX);
	check_text(dialog->arena, replica.error_text, TEXT_MAX);
}

static void
check_equal(const struct rntbd_dialog *left, const struct rntbd_dialog *right)
{
	check(strcmp(left->broken.text, right->broken.text) == 0);
	check(left->answered == right->answered);
	check(left->taken_bytes == right->taken_bytes);
	if (!left->answered)
		return;
	check(left->answer.status == right->answer.status);
	check(left->answer.protocol_version == right->answer.protocol_version);
	check(left->answer.idle_timeout_s == right->answer.idle_timeout_s);
	check(strcmp(left->answer.server_agent, right->answer.server_agent) == 0);
	check(strcmp(left->answer.server_version, right->answer.server_version) == 0);
	check(strcmp(left->answer.thumbprint, right->answer.thumbprint) == 0);
	check(strcmp(left->answer.error_code, right->answer.error_code) == 0);
	check(strcmp(left->answer.error_text, right->answer.error_text) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct rntbd_dialog whole = { 0 }, cut = { 0 };
	uint8_t             cuts[CUTS] = { 0 };
	enum next           next;

	if (count > CUTS)
		memcpy(cuts, bytes + count - CUTS, CUTS);
	next = listen_to(&whole, bytes, count, NULL);
	check(listen_to(&cut, bytes, count, cuts) == next);
	check_equal(&whole, &cut);
	check_record(&whole, next);
	check_record(&cut, next);
	arena_free(whole.arena);
	arena_free(cut.arena);
	return 0;
}
