#include "tests/sim/sim_enrol.h"

#include "agent/enroll.h"
#include "agent/identity.h"
#include "base/base64.h"
#include "base/clock.h"
#include "collector/ca.h"
#include "collector/roster_line.h"
#include "proto/decode.h"
#include "proto/encode.h"
#include "tests/sim/sim_agent.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct office {
	const struct ca *ca;
	int64_t          now_ms, life_ms;
	struct wbuf      lines; /* for the roster */
};

/* The key of the request that the agent would post. */
static struct ca_key *
read_asked(struct arena *arena, const char *key, const char *name, struct err *err)
{
	const struct enroll_ask ask = { .key = key, .token = "", .agent = name, .network = "" };
	const struct enrolment *said = NULL;
	struct ca_key          *asked = NULL;
	struct wbuf             body;
	uint8_t                *der;
	size_t                  count;

	wbuf_init(&body);
	if (enroll_ask_write(&ask, &body, err))
		said = decode_message(&enrolment_desc, arena, body.bytes, body.count, err);
	if (said != NULL) {
		count = base64_bytes(said->csr, strlen(said->csr));
		der = arena_alloc(arena, count + 1);
		if (base64_decode(said->csr, strlen(said->csr), der, count))
			asked = ca_key_parse(der, count, err);
	}
	wbuf_fini(&body);
	return asked;
}

/* What the collector would answer, read as the agent does. */
static bool
read_given(struct enroll_given *given, struct arena *arena, const char *key, const char *name,
    const struct ca_made *made, struct err *err)
{
	char            *text = arena_alloc(arena, BASE64_ROOM(CA_DER_MAX));
	struct admission answer = { .agent = name,
		.network = "",
		.certificate = base64_encode(made->der, made->count, text),
		.ends_ms = made->ends_ms };
	struct wbuf      out;
	bool             done;

	wbuf_init(&out);
	encode_message(&admission_desc, &answer, &out);
	done = enroll_answer_read(given, arena, key, out.bytes, out.count, err);
	wbuf_fini(&out);
	return done;
}

static bool
enrol_one(struct office *office, struct arena *arena, const char *folder, unsigned number,
    struct err *err)
{
	char            name[SIM_NAME_ROOM];
	const char     *key = enroll_key_new(arena);
	struct ca_order order = {
		.agent = name, .now_ms = office->now_ms, .life_ms = office->life_ms
	};
	struct roster_line  line = { .kind = ROSTER_CARD,
		 .agent = name,
		 .network = arena_printf(
		     arena, "vnet-%02u/subnet-%u", number % 100, number / 100 % 4),
		 .from = "simulated",
		 .at_ms = office->now_ms };
	struct ca_key      *asked;
	struct ca_made      made;
	struct enroll_given given;
	bool                done;

	sim_agent_name(name, number);
	order.key = asked = read_asked(arena, key, name, err);
	if (asked == NULL)
		return false;
	done = ca_sign(office->ca, &order, &made, err) &&
	    read_given(&given, arena, key, name, &made, err);
	if (done) {
		line.id = made.serial;
		line.ends_ms = made.ends_ms;
		ca_key_digest(asked, line.digest);
		roster_line_write(&office->lines, &line);
		done = identity_store(
		    arena_printf(arena, "%s/%s", folder, name), IDENTITY_NOW, given.pem, err);
	}
	ca_key_free(asked);
	return done;
}

static bool
write_lines(const char *state_dir, const struct wbuf *lines, struct err *err)
{
	char *path = mem_printf("%s/roster", state_dir);
	int   fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	bool done = fd >= 0 && write(fd, lines->bytes, lines->count) == (ssize_t)lines->count &&
	    fsync(fd) == 0;

	if (!done)
		err_errno(err, "%s", path);
	if (fd >= 0)
		close(fd);
	free(path);
	return done;
}

bool
sim_enrol(const char *folder, const char *state_dir, unsigned first, unsigned count,
    int64_t life_ms, struct err *err)
{
	struct office office = { .now_ms = clock_wall_ms(clock_system()), .life_ms = life_ms };
	struct ca    *ca = ca_open(state_dir, office.now_ms, err);
	bool          done = ca != NULL;

	office.ca = ca;
	wbuf_init(&office.lines);
	for (unsigned i = 0; i < count && done; i++) {
		struct arena *arena = arena_new();

		done = enrol_one(&office, arena, folder, first + i, err);
		arena_free_wiped(arena);
	}
	done = done && write_lines(state_dir, &office.lines, err);
	wbuf_fini(&office.lines);
	ca_free(ca);
	return done;
}
