/* words: what a command line of plprobe-collector says, and the steps that its commands share. */
#ifndef COLLECTOR_WORDS_H
#define COLLECTOR_WORDS_H

#include "collector/collector_conf.h"
#include "collector/sync_command.h"

/* What the options of any command say, and what follows them. */
struct words {
	const char       *config; /* NULL: the system's file */
	const char       *network;
	const char       *output, *uses, *expires;
	bool              any, bearer, reader, replace;
	bool              no_color, exit_zero, failover, rejudge, help;
	struct sync_words sync;  /* of `accounts sync` */
	int               count; /* operands */
	char *const      *operands;
};

/* Says err on stderr; returns code. */
int words_complain(const struct err *err, int code);
/* Reads the configuration, which the arena holds; has complained where it returns false. */
bool words_read_conf(
    struct collector_conf *conf, struct arena *arena, const struct words *words) MUST_CHECK;

#endif
