/* embed: files of collector/web as bytes in the program (cmake/embed.cmake writes the table). */
#ifndef COLLECTOR_EMBED_H
#define COLLECTOR_EMBED_H

#include <stddef.h>

struct embedded_file {
	const char          *name;  /* NULL ends the table */
	const unsigned char *bytes; /* a NUL stands behind */
	size_t               count;
};

extern const struct embedded_file collector_web[];

#endif
