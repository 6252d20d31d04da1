/* speech: what a fake front end says over TLS, well or with a fault that any protocol can have.
 */
#ifndef TESTS_FAKE_SPEECH_H
#define TESTS_FAKE_SPEECH_H

#include <stdbool.h>
#include <stddef.h>

struct ssl_st;

enum speech_fault {
	SPEECH_WELL,
	SPEECH_SILENT, /* hears, and says nothing */
	SPEECH_CLOSES, /* hears, and goes */
	SPEECH_RESETS, /* hears, and sends RST */
	SPEECH_HTTP,   /* answers as a web server that was not spoken to */
	SPEECH_GARBAGE,
	SPEECH_CUT, /* half of its words, and goes */
	SPEECH_DRIP /* a byte a record, which is slow but right */
};

/* So many bytes, or false: the peer is gone. */
bool speech_hear(struct ssl_st *ssl, void *bytes, size_t count);
/* Says the words, or does what the fault is; false: the connection is over. */
bool speech_say(struct ssl_st *ssl, enum speech_fault fault, const void *words, size_t count);

#endif
