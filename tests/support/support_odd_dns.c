#include "tests/support/support_odd_dns.h"

#include "base/addr.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/wbuf.h"
#include "tests/support/support_dns.h"

#include <ctype.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	HEAD = 12,
	TYPE_A = 1,
	LATER_MAX = 32,
	HELD_MAX = 32,
	QUESTION_MAX = 600,
	SEEN_MAX = 200
};
enum { LATE_MS = 150 };

/* A datagram to send later. */
struct later {
	int64_t                 due_us;
	struct sockaddr_storage to;
	socklen_t               to_bytes;
	size_t                  count;
	uint8_t                 bytes[600];
};

/* How often a question came. */
struct seen {
	char     name[64];
	unsigned type, times;
	uint8_t  id[2]; /* of the first time */
	uint16_t port;
};

struct support_odd_dns {
	pthread_t    thread;
	uint16_t     port;
	int          udp, tcp, elsewhere; /* elsewhere: another socket to send from */
	int          stop[2];             /* a pipe: the thread ends when it closes */
	struct later later[LATER_MAX];
	size_t       later_count;
	int          held[HELD_MAX]; /* connections that are left hanging */
	size_t       held_count;
	struct seen  seen[SEEN_MAX];
	size_t       seen_count;
};

/* One question that came. */
struct asked {
	struct support_odd_dns *odd;
	struct sockaddr_storage from;
	socklen_t               from_bytes;
	int                     fd; /* over TCP */
	uint8_t                 bytes[QUESTION_MAX];
	size_t                  count, question_bytes;
	unsigned                type;
	bool                    edns;
	const struct seen      *seen;
	struct wbuf             answer;
};

static void
put_record(struct asked *asked, unsigned type, const void *data, size_t bytes)
{
	wbuf_u16be(&asked->answer, 0xc000 | HEAD);
	wbuf_u16be(&asked->answer, (uint16_t)type);
	wbuf_u16be(&asked->answer, 1);
	wbuf_u32be(&asked->answer, 30);
	wbuf_u16be(&asked->answer, (uint16_t)bytes);
	wbuf_put(&asked->answer, data, bytes);
}

/* Head and question of an answer; the counts are 0. */
static void
begin(struct asked *asked, unsigned rcode)
{
	wbuf_clear(&asked->answer);
	wbuf_put(&asked->answer, asked->bytes, HEAD + asked->question_bytes);
	asked->answer.bytes[2] |= 0x80;
	asked->answer.bytes[3] = (uint8_t)(0x80 | rcode);
	memset(asked->answer.bytes + 6, 0, 6);
}

static void
begin_good(struct asked *asked)
{
	static const uint8_t address[4] = { 10, 9, 0, 1 };

	begin(asked, 0);
	if (asked->type != TYPE_A)
		return;
	asked->answer.bytes[7] = 1;
	put_record(asked, TYPE_A, address, sizeof(address));
}

static void
send_answer(struct asked *asked)
{
	sendto(asked->odd->udp, asked->answer.bytes, asked->answer.count, 0,
	    (struct sockaddr *)&asked->from, asked->from_bytes);
}

/* The rows over UDP. */

static void
say_good(struct asked *asked)
{
	begin_good(asked);
	send_answer(asked);
}

static void
say_nothing(struct asked *asked)
{
}

static void
say_wrong_id(struct asked *asked)
{
	begin_good(asked);
	asked->answer.bytes[1] ^= 1;
	send_answer(asked);
}

static void
say_wrong_question(struct asked *asked)
{
	begin_good(asked);
	asked->answer.bytes[HEAD + 1] ^= 1;
	send_answer(asked);
}

static void
say_question(struct asked *asked)
{
	begin_good(asked);
	asked->answer.bytes[2] &= 0x7f;
	send_answer(asked);
}

static void
say_nonsense_first(struct asked *asked)
{
	for (unsigned i = 0; i < 10; i++) {
		say_wrong_id(asked);
		say_wrong_question(asked);
	}
	sendto(asked->odd->udp, "", 0, 0, (struct sockaddr *)&asked->from, asked->from_bytes);
	say_good(asked);
}

static void
say_flood(struct asked *asked)
{
	for (unsigned i = 0; i < 200; i++)
		say_wrong_id(asked);
}

/* The poisoned answer is right but for the port that it comes from. */
static void
say_from_elsewhere(struct asked *asked)
{
	begin_good(asked);
	if (asked->type == TYPE_A)
		asked->answer.bytes[asked->answer.count - 1] = 66;
	sendto(asked->odd->elsewhere, asked->answer.bytes, asked->answer.count, 0,
	    (struct sockaddr *)&asked->from, asked->from_bytes);
	usleep(20000);
	say_good(asked);
}

static void
say_malformed(struct asked *asked)
{
	begin_good(asked);
	asked->answer.bytes[7] = 2;
	send_answer(asked);
}

static void
say_many_records(struct asked *asked)
{
	begin_good(asked);
	asked->answer.bytes[10] = 1;
	send_answer(asked);
}

static void
say_huge(struct asked *asked)
{
	begin_good(asked);
	memset(wbuf_space(&asked->answer, 8000), 0, 8000);
	send_answer(asked);
}

static void
say_after_the_first(struct asked *asked)
{
	if (asked->seen->times > 1)
		say_good(asked);
}

/* Repeats must come from another socket, with another id. */
static void
say_to_fresh_repeat(struct asked *asked)
{
	struct addr from = addr_from_sockaddr((struct sockaddr *)&asked->from);

	if (asked->seen->times > 1 && from.port != asked->seen->port &&
	    memcmp(asked->bytes, asked->seen->id, sizeof(asked->seen->id)) != 0)
		say_good(asked);
}

static void
say_in_case(struct asked *asked, int (*convert)(int))
{
	begin_good(asked);
	for (size_t i = HEAD; i < HEAD + asked->question_bytes; i++)
		asked->answer.bytes[i] = (uint8_t)convert(asked->answer.bytes[i]);
	send_answer(asked);
}

static void
say_in_lower_case(struct asked *asked)
{
	say_in_case(asked, tolower);
}

static void
say_in_upper_case(struct asked *asked)
{
	say_in_case(asked, toupper);
}

static void
say_late(struct asked *asked)
{
	struct support_odd_dns *odd = asked->odd;
	struct later           *later = &odd->later[odd->later_count];

	if (odd->later_count == LATER_MAX || asked->seen->times > 1)
		return;
	begin_good(asked);
	odd->later_count++;
	later->due_us = clock_mono_us(clock_system()) + LATE_MS * US_PER_MS;
	later->to = asked->from;
	later->to_bytes = asked->from_bytes;
	later->count = asked->answer.count;
	memcpy(later->bytes, asked->answer.bytes, asked->answer.count);
}

static void
say_rcode(struct asked *asked, unsigned rcode)
{
	begin(asked, rcode);
	send_answer(asked);
}

static void
say_formerr(struct asked *asked)
{
	say_rcode(asked, 1);
}

static void
say_formerr_to_edns(struct asked *asked)
{
	if (asked->edns)
		say_rcode(asked, 1);
	else
		say_good(asked);
}

static void
say_notimp_to_edns(struct asked *asked)
{
	if (asked->edns)
		say_rcode(asked, 4);
	else
		say_good(asked);
}

static void
say_bare_formerr(struct asked *asked)
{
	begin(asked, 1);
	asked->answer.bytes[5] = 0;
	asked->answer.count = HEAD;
	send_answer(asked);
}

static void
say_bare_formerr_to_edns(struct asked *asked)
{
	if (asked->edns)
		say_bare_formerr(asked);
	else
		say_good(asked);
}

static void
say_nothing_to_edns(struct asked *asked)
{
	if (!asked->edns)
		say_good(asked);
}

static void
say_servfail(struct asked *asked)
{
	static const uint8_t opt[] = { 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 14, 0, 15, 0, 10, 0, 22,
		'a', 't', ' ', 'r', 'o', 'o', 't', '!' };

	begin(asked, 2);
	asked->answer.bytes[11] = 1;
	wbuf_put(&asked->answer, opt, sizeof(opt));
	send_answer(asked);
}

static void
say_to_a_only(struct asked *asked)
{
	if (asked->type == TYPE_A)
		say_good(asked);
}

static void
say_to_aaaa_only(struct asked *asked)
{
	if (asked->type != TYPE_A)
		say_good(asked);
}

/* The address of whoever asks. */
static void
say_who(struct asked *asked)
{
	struct addr from = addr_from_sockaddr((struct sockaddr *)&asked->from);

	begin_good(asked);
	if (asked->type == TYPE_A)
		memcpy(asked->answer.bytes + asked->answer.count - 4, from.bytes, 4);
	send_answer(asked);
}

static void
say_truncated(struct asked *asked)
{
	begin(asked, 0);
	asked->answer.bytes[2] |= 2;
	asked->answer.bytes[7] = 5; /* none of which is there */
	send_answer(asked);
}

static void
say_nsid(struct asked *asked)
{
	static const uint8_t opt[] = { 0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 8, 0, 3, 0, 4, 'n', 's',
		'-', '7' };

	/* Only to who asks for it: the option stands at the end of the question. */
	begin_good(asked);
	if (asked->edns &&
	    memcmp(asked->bytes + asked->count - 4, (uint8_t[]){ 0, 3, 0, 0 }, 4) == 0) {
		asked->answer.bytes[11] = 1;
		wbuf_put(&asked->answer, opt, sizeof(opt));
	}
	send_answer(asked);
}

/* The address of another name beside the one that was asked for. */
static void
say_foreign(struct asked *asked)
{
	static const uint8_t other[] = { 1, 'x', 0, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 10, 9, 0,
		66 };

	begin_good(asked);
	asked->answer.bytes[7]++;
	wbuf_put(&asked->answer, other, sizeof(other));
	send_answer(asked);
}

/* The rows over TCP; all but tcp_nothing() leave the connection to be closed. */

static void
write_all(struct asked *asked, size_t count)
{
	uint8_t length[2] = { (uint8_t)(asked->answer.count >> 8),
		(uint8_t)asked->answer.count };

	send(asked->fd, length, sizeof(length), MSG_NOSIGNAL);
	send(asked->fd, asked->answer.bytes, count, MSG_NOSIGNAL);
}

static void
tcp_good(struct asked *asked)
{
	begin_good(asked);
	write_all(asked, asked->answer.count);
}

/* 60 addresses: more than a datagram of 512 bytes holds. */
static void
tcp_big(struct asked *asked)
{
	begin(asked, 0);
	asked->answer.bytes[7] = asked->type == TYPE_A ? 60 : 0;
	for (uint8_t i = 0; i < asked->answer.bytes[7]; i++)
		put_record(asked, TYPE_A, (uint8_t[]){ 10, 9, 0, i }, 4);
	write_all(asked, asked->answer.count);
}

static void
tcp_late(struct asked *asked)
{
	usleep(LATE_MS * 1000);
	tcp_good(asked);
}

static void
tcp_nothing(struct asked *asked)
{
	struct support_odd_dns *odd = asked->odd;

	if (odd->held_count < HELD_MAX)
		odd->held[odd->held_count++] = asked->fd;
	asked->fd = -1;
}

static void
tcp_reset(struct asked *asked)
{
	struct linger hard = { .l_onoff = 1 };

	setsockopt(asked->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

static void
tcp_half(struct asked *asked)
{
	begin_good(asked);
	write_all(asked, asked->answer.count / 2);
}

static void
tcp_drop_by_drop(struct asked *asked)
{
	uint8_t length[2];

	begin_good(asked);
	length[0] = (uint8_t)(asked->answer.count >> 8);
	length[1] = (uint8_t)asked->answer.count;
	for (size_t i = 0; i < 2 + asked->answer.count; i++) {
		send(asked->fd, i < 2 ? &length[i] : &asked->answer.bytes[i - 2], 1,
		    MSG_NOSIGNAL);
		usleep(1000);
	}
}

static void
tcp_truncated(struct asked *asked)
{
	begin_good(asked);
	asked->answer.bytes[2] |= 2;
	write_all(asked, asked->answer.count);
}

static void
tcp_wrong_id(struct asked *asked)
{
	begin_good(asked);
	asked->answer.bytes[1] ^= 1;
	write_all(asked, asked->answer.count);
}

static void
tcp_short(struct asked *asked)
{
	begin_good(asked);
	asked->answer.count = 5;
	write_all(asked, 5);
}

static void
tcp_malformed(struct asked *asked)
{
	begin_good(asked);
	asked->answer.bytes[7] = 2;
	write_all(asked, asked->answer.count);
}

static void
tcp_64k(struct asked *asked)
{
	begin_good(asked);
	memset(wbuf_space(&asked->answer, 65535 - asked->answer.count), 0,
	    65535 - asked->answer.count);
	write_all(asked, asked->answer.count);
}

static void
tcp_other_address(struct asked *asked)
{
	begin_good(asked);
	if (asked->type == TYPE_A)
		asked->answer.bytes[asked->answer.count - 1] = 2;
	write_all(asked, asked->answer.count);
}

static void
tcp_nxdomain(struct asked *asked)
{
	begin(asked, 3);
	write_all(asked, asked->answer.count);
}

static void
tcp_formerr_to_edns(struct asked *asked)
{
	if (asked->edns)
		begin(asked, 1);
	else
		begin_good(asked);
	write_all(asked, asked->answer.count);
}

static void
tcp_notimp(struct asked *asked)
{
	begin(asked, 4);
	write_all(asked, asked->answer.count);
}

static struct row {
	const char *label;
	void (*udp)(struct asked *asked);
	void (*tcp)(struct asked *asked);
} rows[] = {
	{ "good", say_good, tcp_good },
	{ "silent", say_nothing, tcp_nothing },
	{ "wrong-id", say_wrong_id, tcp_good },
	{ "wrong-question", say_wrong_question, tcp_good },
	{ "no-answer", say_question, tcp_good },
	{ "nonsense-first", say_nonsense_first, tcp_good },
	{ "flood", say_flood, tcp_good },
	{ "from-elsewhere", say_from_elsewhere, tcp_good },
	{ "malformed", say_malformed, tcp_good },
	{ "many-records", say_many_records, tcp_good },
	{ "huge", say_huge, tcp_good },
	{ "lose-first", say_after_the_first, tcp_good },
	{ "fresh-repeat", say_to_fresh_repeat, tcp_good },
	{ "lower-case", say_in_lower_case, tcp_good },
	{ "upper-case", say_in_upper_case, tcp_good },
	{ "late", say_late, tcp_good },
	{ "formerr", say_formerr, tcp_good },
	{ "bare-formerr", say_bare_formerr, tcp_good },
	{ "edns-formerr", say_formerr_to_edns, tcp_good },
	{ "edns-notimp", say_notimp_to_edns, tcp_good },
	{ "edns-bare-formerr", say_bare_formerr_to_edns, tcp_good },
	{ "edns-silent", say_nothing_to_edns, tcp_good },
	{ "servfail", say_servfail, tcp_good },
	{ "only-a", say_to_a_only, tcp_good },
	{ "only-aaaa", say_to_aaaa_only, tcp_good },
	{ "who", say_who, tcp_good },
	{ "tc", say_truncated, tcp_good },
	{ "tc-big", say_truncated, tcp_big },
	{ "tc-late", say_truncated, tcp_late },
	{ "tc-silent", say_truncated, tcp_nothing },
	{ "tc-close", say_truncated, say_nothing },
	{ "tc-reset", say_truncated, tcp_reset },
	{ "tc-half", say_truncated, tcp_half },
	{ "tc-drops", say_truncated, tcp_drop_by_drop },
	{ "tc-tc", say_truncated, tcp_truncated },
	{ "tc-wrong-id", say_truncated, tcp_wrong_id },
	{ "tc-short", say_truncated, tcp_short },
	{ "tc-malformed", say_truncated, tcp_malformed },
	{ "tc-64k", say_truncated, tcp_64k },
	{ "nsid", say_nsid, tcp_good },
	{ "foreign", say_foreign, tcp_good },
	{ "tcp-other", say_good, tcp_other_address },
	{ "tcp-nxdomain", say_good, tcp_nxdomain },
	{ "tcp-silent", say_good, tcp_nothing },
	{ "tcp-close", say_good, say_nothing },
	{ "tcp-reset", say_good, tcp_reset },
	{ "tcp-tc", say_good, tcp_truncated },
	{ "tcp-wrong-id", say_good, tcp_wrong_id },
	{ "tcp-malformed", say_good, tcp_malformed },
	{ "tcp-late", say_good, tcp_late },
	{ "tcp-formerr", say_good, tcp_formerr_to_edns },
	{ "tcp-notimp", say_good, tcp_notimp },
};

static const struct row *
find_row(const struct asked *asked)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t count = strlen(rows[i].label);

		if (asked->bytes[HEAD] == count &&
		    strncasecmp((const char *)asked->bytes + HEAD + 1, rows[i].label, count) ==
		        0)
			return &rows[i];
	}
	return NULL;
}

/* Where name, type and class of a question end; the sender is our own program. */
static const struct row *
read_question(struct asked *asked)
{
	size_t at = HEAD;

	while (at < asked->count && asked->bytes[at] != 0)
		at += 1u + asked->bytes[at];
	asked->question_bytes = at + 5 - HEAD;
	if (asked->count < HEAD + asked->question_bytes)
		return NULL;
	asked->type = asked->bytes[at + 2];
	asked->edns = asked->bytes[11] == 1;
	return find_row(asked);
}

static const struct seen *
count_times(const struct asked *asked)
{
	struct support_odd_dns *odd = asked->odd;
	struct seen             one = { .type = asked->type };
	size_t                  i = 0;

	strncpy(one.name, (const char *)asked->bytes + HEAD, sizeof(one.name) - 1);
	memcpy(one.id, asked->bytes, sizeof(one.id));
	one.port = addr_from_sockaddr((const struct sockaddr *)&asked->from).port;
	while (i < odd->seen_count &&
	    (odd->seen[i].type != one.type || strcasecmp(odd->seen[i].name, one.name) != 0))
		i++;
	if (i == SEEN_MAX)
		abort(); /* a test asks for more names than this was made for */
	if (i == odd->seen_count)
		odd->seen[odd->seen_count++] = one;
	odd->seen[i].times++;
	return &odd->seen[i];
}

static void
serve_datagram(struct support_odd_dns *odd)
{
	struct asked      asked = { .odd = odd, .from_bytes = sizeof(asked.from), .fd = -1 };
	ssize_t           got = recvfrom(odd->udp, asked.bytes, sizeof(asked.bytes), 0,
	              (struct sockaddr *)&asked.from, &asked.from_bytes);
	const struct row *row;

	if (got < HEAD)
		return;
	asked.count = (size_t)got;
	row = read_question(&asked);
	if (row == NULL)
		return;
	asked.seen = count_times(&asked);
	wbuf_init(&asked.answer);
	row->udp(&asked);
	wbuf_fini(&asked.answer);
}

static void
serve_connection(struct support_odd_dns *odd)
{
	struct asked      asked = { .odd = odd };
	uint8_t           length[2];
	const struct row *row = NULL;

	asked.fd = accept(odd->tcp, NULL, NULL);
	if (recv(asked.fd, length, sizeof(length), MSG_WAITALL) == sizeof(length)) {
		ssize_t got = recv(asked.fd, asked.bytes, length[0] << 8 | length[1], 0);

		asked.count = got > 0 ? (size_t)got : 0;
		row = got > HEAD ? read_question(&asked) : NULL;
	}
	wbuf_init(&asked.answer);
	if (row != NULL)
		row->tcp(&asked);
	wbuf_fini(&asked.answer);
	if (asked.fd != -1)
		close(asked.fd);
}

static void
send_later(struct support_odd_dns *odd)
{
	int64_t now_us = clock_mono_us(clock_system());

	for (size_t i = 0; i < odd->later_count;) {
		struct later *later = &odd->later[i];

		if (later->due_us > now_us) {
			i++;
			continue;
		}
		sendto(odd->udp, later->bytes, later->count, 0, (struct sockaddr *)&later->to,
		    later->to_bytes);
		*later = odd->later[--odd->later_count];
	}
}

static void *
serve(void *arg)
{
	struct support_odd_dns *odd = arg;
	struct pollfd           waits[] = { { .fd = odd->stop[0], .events = POLLIN },
		          { .fd = odd->udp, .events = POLLIN }, { .fd = odd->tcp, .events = POLLIN } };

	while (poll(waits, 3, odd->later_count > 0 ? 5 : -1) >= 0 && waits[0].revents == 0) {
		if (waits[1].revents != 0)
			serve_datagram(odd);
		if (waits[2].revents != 0)
			serve_connection(odd);
		send_later(odd);
	}
	return NULL;
}

static int
open_socket(int type, uint16_t port)
{
	struct sockaddr_storage name;
	struct addr             here = { .family = 4, .bytes = { 127, 0, 0, 1 }, .port = port };
	int                     fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd == -1 ||
	    bind(fd, (struct sockaddr *)&name, addr_to_sockaddr(&here, &name)) != 0 ||
	    (type == SOCK_STREAM && listen(fd, 16) != 0)) {
		perror("support_odd_dns");
		exit(99);
	}
	return fd;
}

struct support_odd_dns *
support_odd_dns_new(bool with_tcp)
{
	struct support_odd_dns *odd = mem_alloc(sizeof(*odd));

	odd->port = support_dns_free_port();
	odd->udp = open_socket(SOCK_DGRAM, odd->port);
	odd->elsewhere = open_socket(SOCK_DGRAM, 0);
	odd->tcp = with_tcp ? open_socket(SOCK_STREAM, odd->port) : -1;
	if (pipe(odd->stop) != 0 || pthread_create(&odd->thread, NULL, serve, odd) != 0) {
		perror("support_odd_dns");
		exit(99);
	}
	return odd;
}

void
support_odd_dns_free(struct support_odd_dns *odd)
{
	if (odd == NULL)
		return;
	close(odd->stop[1]);
	pthread_join(odd->thread, NULL);
	for (size_t i = 0; i < odd->held_count; i++)
		close(odd->held[i]);
	close(odd->stop[0]);
	close(odd->udp);
	close(odd->elsewhere);
	if (odd->tcp != -1)
		close(odd->tcp);
	free(odd);
}

uint16_t
support_odd_dns_port(const struct support_odd_dns *odd)
{
	return odd->port;
}
