/* rcur: a read cursor that remembers having failed.
 *
 * Reading past the end yields zeroes and marks the cursor; a parser reads all its fields in a
 * row and asks rcur_ok() once.  It borrows the bytes and never writes.
 */
#ifndef BASE_RCUR_H
#define BASE_RCUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rcur {
	const uint8_t *at, *end; /* borrowed */
	bool           failed;
};

struct rcur    rcur_of(const void *bytes, size_t count);
bool           rcur_ok(const struct rcur *in);
size_t         rcur_left(const struct rcur *in);
uint8_t        rcur_u8(struct rcur *in);
uint16_t       rcur_u16be(struct rcur *in);
uint32_t       rcur_u32be(struct rcur *in);
uint64_t       rcur_u64be(struct rcur *in);
uint16_t       rcur_u16le(struct rcur *in);
uint32_t       rcur_u32le(struct rcur *in);
uint64_t       rcur_u64le(struct rcur *in);
const uint8_t *rcur_bytes(struct rcur *in, size_t count); /* NULL when there are fewer */
void           rcur_skip(struct rcur *in, size_t count);

#endif
