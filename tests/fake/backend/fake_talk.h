/* fake_talk: one connection of the fake back end, served by a thread of its own.
 *
 * Blocking reads and writes, with TLS or before it, and the rude ways to end.  Says nothing about
 * what is spoken.
 */
#ifndef TESTS_FAKE_TALK_H
#define TESTS_FAKE_TALK_H

#include "base/addr.h"

struct ssl_ctx_st;
struct ssl_st;

enum { FAKE_IDLE_S = 60 }; /* a peer that says nothing for so long is gone */

struct fake_talk {
	int            fd;  /* owned */
	struct ssl_st *ssl; /* owned; NULL before the handshake */
	struct addr    peer, local;
	int64_t        accepted_ms; /* monotonic */
};

/* Ends the connection, and the talk. */
void fake_talk_free(struct fake_talk *talk);

/* The handshake; when it fails, returns after the peer has gone. */
bool fake_talk_secure(struct fake_talk *talk, struct ssl_ctx_st *tls);
bool fake_talk_send(struct fake_talk *talk, const void *bytes, size_t count);
bool fake_talk_text(struct fake_talk *talk, const char *text);
/* At least one byte; 0 when the peer has gone, or has said nothing for FAKE_IDLE_S. */
size_t fake_talk_hear(struct fake_talk *talk, void *bytes, size_t room);
bool   fake_talk_hear_all(struct fake_talk *talk, void *bytes, size_t count);
/* From now on hearing ends when left_ms have passed. */
void fake_talk_limit(struct fake_talk *talk, int64_t left_ms);
void fake_talk_end(struct fake_talk *talk); /* close_notify */

/* Below TLS, whether it stands or not. */
void fake_talk_wait(struct fake_talk *talk); /* silent until the peer goes */
/* Hears the ClientHello: a close with bytes unread would be a reset of our kernel's. */
bool fake_talk_hello(struct fake_talk *talk);
void fake_talk_reset(struct fake_talk *talk); /* the close that follows sends RST */
void fake_talk_plain(struct fake_talk *talk, const char *text); /* says so, and waits */

/* Where fake_talk_log() appends; without it nothing is logged. */
bool fake_log_open(const char *path, struct err *err) MUST_CHECK;
/* One line: "PEER LOCAL sni=NAME " and the words. */
void fake_talk_log(const struct fake_talk *talk, const char *format, ...) PRINTF_LIKE(2, 3);

int64_t fake_now_ms(void); /* monotonic */
void    fake_sleep_ms(int64_t ms);

#endif
