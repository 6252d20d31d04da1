#include "analyze/generation.h"

#include <stdio.h>

static const struct generation {
	uint32_t    wire;
	const char *name;
} generations[] = {
	{ 2, "2.6" },
	{ 3, "3.0" },
	{ 4, "3.2" },
	{ 5, "3.4" },
	{ 6, "3.6" },
	{ 7, "4.0" },
	{ 8, "4.2" },
	{ 9, "4.4" },
	{ 13, "5.0" },
	{ 17, "6.0" },
	{ 18, "6.1" },
	{ 19, "6.2" },
	{ 20, "6.3" },
	{ 21, "7.0" },
	{ 25, "8.0" },
};

const char *
generation_find(uint32_t wire)
{
	for (size_t i = 0; i < sizeof(generations) / sizeof(generations[0]); i++) {
		if (generations[i].wire == wire)
			return generations[i].name;
	}
	return NULL;
}

char *
generation_render(uint32_t wire, char *text, size_t room)
{
	const char *name = generation_find(wire);

	if (name != NULL)
		snprintf(text, room, "wire %lu (%s generation)", (unsigned long)wire, name);
	else
		snprintf(text, room, "wire %lu", (unsigned long)wire);
	return text;
}
