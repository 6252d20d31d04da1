#include "collector/words.h"

#include "collector/command.h"

#include <stdio.h>

int
words_complain(const struct err *err, int code)
{
	fprintf(stderr, "plprobe-collector: %s\n", err->text);
	return code;
}

bool
words_read_conf(struct collector_conf *conf, struct arena *arena, const struct words *words)
{
	struct err err = { 0 };

	if (collector_conf_read(conf, arena, words->config, &err))
		return true;
	words_complain(&err, COMMAND_FAILED);
	return false;
}
