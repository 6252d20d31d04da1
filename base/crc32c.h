/* crc32c: the Castagnoli checksum, for finding damage, never for security [rfc3720 B.4]. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of bytes that follow those that gave `before`; 0 to begin. */
uint32_t crc32c(uint32_t before, const void *bytes, size_t count);

#endif
