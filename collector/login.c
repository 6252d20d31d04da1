#include "collector/login.h"

#include "base/log.h"
#include "base/metric.h"
#include "collector/authorization.h"
#include "collector/hasher.h"
#include "collector/strikes.h"

#include <stdlib.h>
#include <string.h>

enum { REMEMBERED = 256, BUSY_S = 2 };

static const int64_t remember_us = 5 * 60 * US_PER_S;
static const int64_t unread_us = 10 * US_PER_S; /* between two lines about them */

/* One who waits for a comparison. */
struct waiter {
	struct waiter *next;
	void (*on_over)(void *arg, const struct login_answer *answer);
	void *arg;
};

/* A comparison under way, for all who have shown the same at the same time. */
struct attempt {
	struct attempt *next;
	struct login   *login; /* borrowed */
	struct waiter  *waiters;
	struct addr     from;
	char            name[READERS_NAME_MAX + 1]; /* "": of nobody that we know */
	uint8_t         stored[DIGEST_BYTES];       /* what it is compared with */
	uint8_t         mark[DIGEST_BYTES];
};

struct memory {
	uint8_t mark[DIGEST_BYTES];
	int64_t until_us;
};

struct login {
	const struct clock *clock;   /* borrowed */
	struct readers     *readers; /* borrowed */
	struct hasher      *hasher;  /* owned */
	struct strikes     *strikes; /* owned */
	struct attempt     *attempts;
	struct password     nobody; /* compared where there is no such name */
	uint8_t             key[DIGEST_BYTES];
	struct memory       memories[REMEMBERED];
	uint64_t            counts[LOGIN_OUTCOMES];
	int64_t             said_us; /* when the log spoke of unread requests; 0: never */
	unsigned            unread;  /* since then */
	bool                ending;
};

static void
answer(struct login *login, enum login_outcome outcome, unsigned wait_s,
    void (*on_over)(void *arg, const struct login_answer *answer), void *arg)
{
	struct login_answer told = { outcome, wait_s };

	login->counts[outcome]++;
	on_over(arg, &told);
}

struct login *
login_new(
    struct loop *loop, const struct clock *clock, struct readers *readers, struct err *err)
{
	struct login *login = mem_alloc(sizeof(*login));

	*login = (struct login){ .clock = clock,
		.readers = readers,
		.strikes = strikes_new(clock),
		.nobody = { .cost = password_cost } };
	digest_random(login->key, sizeof(login->key));
	digest_random(login->nobody.salt, sizeof(login->nobody.salt));
	digest_random(login->nobody.digest, sizeof(login->nobody.digest));
	login->hasher = hasher_new(loop, err);
	if (login->hasher != NULL)
		return login;
	login_free(login);
	return NULL;
}

void
login_free(struct login *login)
{
	if (login == NULL)
		return;
	login->ending = true;
	hasher_free(login->hasher);
	strikes_free(login->strikes);
	digest_wipe(login, sizeof(*login));
	free(login);
}

/* A keyed hash of all that makes an attempt what it is; lengths stand before what has any length,
 * so that no two attempts look alike. */
static void
make_mark(const struct login *login, const struct addr *from, const struct authorization *shown,
    const struct password *stored, uint8_t mark[DIGEST_BYTES])
{
	struct wbuf all;

	wbuf_init(&all);
	wbuf_u8(&all, from->family);
	wbuf_put(&all, from->bytes, sizeof(from->bytes));
	wbuf_u32be(&all, (uint32_t)strlen(shown->name));
	wbuf_puts(&all, shown->name);
	wbuf_u32be(&all, (uint32_t)strlen(shown->password));
	wbuf_puts(&all, shown->password);
	wbuf_put(&all, stored->salt, sizeof(stored->salt));
	wbuf_put(&all, stored->digest, sizeof(stored->digest));
	digest_hmac(login->key, sizeof(login->key), all.bytes, all.count, mark);
	digest_wipe(all.bytes, all.count);
	wbuf_fini(&all);
}

static bool
is_remembered(const struct login *login, const uint8_t mark[DIGEST_BYTES])
{
	int64_t now_us = clock_mono_us(login->clock);
	bool    found = false;

	for (size_t i = 0; i < REMEMBERED; i++)
		found |= digest_equal(login->memories[i].mark, mark, DIGEST_BYTES) &&
		    login->memories[i].until_us > now_us;
	return found;
}

static void
remember(struct login *login, const uint8_t mark[DIGEST_BYTES])
{
	struct memory *oldest = &login->memories[0];

	for (size_t i = 1; i < REMEMBERED; i++) {
		if (login->memories[i].until_us < oldest->until_us)
			oldest = &login->memories[i];
	}
	memcpy(oldest->mark, mark, DIGEST_BYTES);
	oldest->until_us = clock_mono_us(login->clock) + remember_us;
}

/* Whether what was compared is still what is in force: the file may have changed meanwhile. */
static bool
is_in_force(const struct attempt *attempt)
{
	const struct reader *reader = readers_of_name(attempt->login->readers, attempt->name);

	return reader != NULL &&
	    memcmp(reader->password.digest, attempt->stored, DIGEST_BYTES) == 0;
}

static enum login_outcome
judge(struct attempt *attempt, bool right)
{
	struct login *login = attempt->login;
	char          from[ADDR_TEXT];

	if (login->ending)
		return LOGIN_BUSY;
	addr_render(&attempt->from, from, sizeof(from));
	if (!right || !is_in_force(attempt)) {
		log_warn("login", "%s: refused: wrong password %s%s", from,
		    attempt->name[0] != '\0' ? "for " : "and unknown name", attempt->name);
		return LOGIN_WRONG;
	}
	strikes_forgive(login->strikes, &attempt->from);
	remember(login, attempt->mark);
	log_info("login", "%s: %s has logged in", from, attempt->name);
	return LOGIN_WELL;
}

static void
unlink_attempt(struct attempt *attempt)
{
	struct attempt **at = &attempt->login->attempts;

	while (*at != attempt)
		at = &(*at)->next;
	*at = attempt->next;
}

static void
on_compared(void *arg, bool right)
{
	struct attempt    *attempt = arg;
	enum login_outcome outcome = judge(attempt, right);
	struct waiter     *waiter, *next;

	unlink_attempt(attempt);
	for (waiter = attempt->waiters; waiter != NULL; waiter = next) {
		next = waiter->next;
		answer(attempt->login, outcome, outcome == LOGIN_BUSY ? BUSY_S : 0,
		    waiter->on_over, waiter->arg);
		free(waiter);
	}
	free(attempt);
}

static struct attempt *
find_attempt(const struct login *login, const uint8_t mark[DIGEST_BYTES])
{
	struct attempt *attempt = login->attempts;

	while (attempt != NULL && !digest_equal(attempt->mark, mark, DIGEST_BYTES))
		attempt = attempt->next;
	return attempt;
}

static void
join(struct attempt *attempt, void (*on_over)(void *arg, const struct login_answer *answer),
    void            *arg)
{
	struct waiter *waiter = mem_alloc(sizeof(*waiter));

	*waiter = (struct waiter){ attempt->waiters, on_over, arg };
	attempt->waiters = waiter;
}

/* NULL: too many wait. */
static struct attempt *
start_attempt(struct login *login, const struct addr *from, const struct authorization *shown,
    const struct reader *reader, const uint8_t mark[DIGEST_BYTES])
{
	const struct password *stored = reader != NULL ? &reader->password : &login->nobody;
	struct attempt        *attempt = mem_alloc(sizeof(*attempt));

	*attempt = (struct attempt){ .login = login, .from = *from };
	memcpy(attempt->stored, stored->digest, DIGEST_BYTES);
	memcpy(attempt->mark, mark, DIGEST_BYTES);
	if (reader != NULL)
		strcpy(attempt->name, reader->name);
	if (!hasher_ask(
	        login->hasher, stored, reader != NULL, shown->password, on_compared, attempt)) {
		free(attempt);
		return NULL;
	}
	attempt->next = login->attempts;
	login->attempts = attempt;
	return attempt;
}

/* Not a line for each: whoever can ask often would fill the log. */
static void
say_unread(struct login *login, const struct addr *from)
{
	int64_t now_us = clock_mono_us(login->clock);
	char    text[ADDR_TEXT];

	login->unread++;
	if (login->said_us != 0 && now_us - login->said_us < unread_us)
		return;
	log_warn("login",
	    "%s: refused unread: wrong too often; such requests since the last line: %u",
	    addr_render(from, text, sizeof(text)), login->unread);
	login->said_us = now_us;
	login->unread = 0;
}

/* What costs a strike, whatever it is: 0, or when to come again. */
static unsigned
take_strike(struct login *login, const struct addr *from)
{
	unsigned wait_s = strikes_take(login->strikes, from);

	if (wait_s > 0)
		say_unread(login, from);
	return wait_s;
}

/* What a name that we do not know is compared with: as dear as those that we do. */
static const struct password *
find_nobody(struct login *login)
{
	size_t at = 0, count = readers_count(login->readers);

	while (at < count && !readers_at(login->readers, at)->person)
		at++;
	login->nobody.cost = at < count ? readers_at(login->readers, at)->password.cost
	                                : password_cost;
	return &login->nobody;
}

/* No name that we know costs the same comparison as one that we do. */
static void
try_password(struct login *login, const struct addr *from, const struct authorization *shown,
    void (*on_over)(void *arg, const struct login_answer *answer), void *arg)
{
	const struct reader   *reader = readers_of_name(login->readers, shown->name);
	const struct password *stored = reader != NULL ? &reader->password : find_nobody(login);
	uint8_t                mark[DIGEST_BYTES];
	struct attempt        *attempt;
	unsigned               wait_s = strikes_wait_s(login->strikes, from);

	make_mark(login, from, shown, stored, mark);
	if (wait_s == 0 && is_remembered(login, mark)) {
		answer(login, LOGIN_WELL, 0, on_over, arg);
		return;
	}
	/* Who has been wrong too often may not join either: that would be a guess for nothing. */
	attempt = wait_s == 0 ? find_attempt(login, mark) : NULL;
	if (attempt == NULL) {
		wait_s = take_strike(login, from);
		if (wait_s > 0) {
			answer(login, LOGIN_LATER, wait_s, on_over, arg);
			return;
		}
		attempt = start_attempt(login, from, shown, reader, mark);
	}
	if (attempt != NULL) {
		join(attempt, on_over, arg);
	} else {
		strikes_forgive(login->strikes, from);
		answer(login, LOGIN_BUSY, BUSY_S, on_over, arg);
	}
}

/* Written down with its id, which is no secret. */
static void
say_wrong_token(const struct addr *from, const struct reader *reader)
{
	char text[ADDR_TEXT];

	addr_render(from, text, sizeof(text));
	if (reader != NULL)
		log_warn("login", "%s: refused: the token %s of %s has ended", text, reader->id,
		    reader->name);
	else
		log_warn("login", "%s: refused: no token of a reader", text);
}

static void
try_token(struct login *login, const struct addr *from, const char *text,
    void (*on_over)(void *arg, const struct login_answer *answer), void *arg)
{
	const struct reader *reader = readers_of_token(login->readers, text);
	unsigned             wait_s;

	if (reader != NULL && !readers_has_ended(reader, clock_wall_ms(login->clock))) {
		answer(login, LOGIN_WELL, 0, on_over, arg);
		return;
	}
	wait_s = take_strike(login, from);
	if (wait_s == 0)
		say_wrong_token(from, reader);
	answer(login, wait_s > 0 ? LOGIN_LATER : LOGIN_WRONG, wait_s, on_over, arg);
}

static void
try_broken(struct login *login, const struct addr                       *from,
    void (*on_over)(void *arg, const struct login_answer *answer), void *arg)
{
	unsigned wait_s = take_strike(login, from);
	char     text[ADDR_TEXT];

	if (wait_s == 0)
		log_warn("login", "%s: refused: neither name and password nor token",
		    addr_render(from, text, sizeof(text)));
	answer(login, wait_s > 0 ? LOGIN_LATER : LOGIN_WRONG, wait_s, on_over, arg);
}

void
login_ask(struct login *login, const struct addr *from, const char *header,
    void (*on_over)(void *arg, const struct login_answer *answer), void *arg)
{
	struct authorization shown;

	readers_look(login->readers);
	if (login->ending) {
		answer(login, LOGIN_BUSY, BUSY_S, on_over, arg);
		return;
	}
	authorization_parse(&shown, header);
	switch (shown.kind) {
	case AUTHORIZATION_NONE: answer(login, LOGIN_NOBODY, 0, on_over, arg); break;
	case AUTHORIZATION_BROKEN: try_broken(login, from, on_over, arg); break;
	case AUTHORIZATION_BASIC: try_password(login, from, &shown, on_over, arg); break;
	case AUTHORIZATION_BEARER: try_token(login, from, shown.token, on_over, arg); break;
	}
	digest_wipe(&shown, sizeof(shown));
}

void
login_write_metrics(const struct login *login, struct wbuf *out)
{
	static const char *const names[LOGIN_OUTCOMES] = { [LOGIN_WELL] = "well",
		[LOGIN_NOBODY] = "nobody",
		[LOGIN_WRONG] = "wrong",
		[LOGIN_LATER] = "too_often",
		[LOGIN_BUSY] = "busy" };

	metric_family(out, "plprobe_page_logins_total", METRIC_COUNTER,
	    "Requests for the page, the API and the metrics, by how their login ended.");
	for (int i = 0; i < LOGIN_OUTCOMES; i++) {
		const char *const labels[] = { "outcome", names[i], NULL };

		metric_sample(
		    out, "plprobe_page_logins_total", labels, (double)login->counts[i]);
	}
	metric_family(out, "plprobe_readers_current", METRIC_GAUGE,
	    "0: the file of readers cannot be read; those from before stay in force.");
	metric_sample(out, "plprobe_readers_current", NULL, readers_is_current(login->readers));
}
