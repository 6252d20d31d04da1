/* support_rntbd: context requests and responses of RNTBD as bytes, made from the SDKs' description
 * and taken by their own decoders.
 */
#ifndef TESTS_SUPPORT_RNTBD_H
#define TESTS_SUPPORT_RNTBD_H

#include <stddef.h>
#include <stdint.h>

enum { SUPPORT_RNTBD_MAX = 256, SUPPORT_RNTBD_ID_AT = 8, SUPPORT_RNTBD_ID_BYTES = 16 };

enum support_rntbd {
	SUPPORT_RNTBD_A,  /* context request of three tokens */
	SUPPORT_RNTBD_R1, /* the service's likeliest answer: four tokens */
	SUPPORT_RNTBD_R2, /* all six classic tokens */
	SUPPORT_RNTBD_R3, /* with two unknown ids */
	SUPPORT_RNTBD_E1, /* refusal with a body */
	SUPPORT_RNTBD_COUNT
};

/* All of them are for the activity 8f3322cc-1786-4db4-9b97-b229c2c6f0aa, whose 16 bytes are these. */
extern const uint8_t support_rntbd_id[SUPPORT_RNTBD_ID_BYTES];

/* Writes the bytes, at most SUPPORT_RNTBD_MAX, and says how many. */
size_t support_rntbd_bytes(enum support_rntbd which, uint8_t *bytes);

#endif
