/* readers_command: the commands about who may look: `user ...` and `token create --reader`.
 *
 * Each reads the configuration that the words name, and returns an exit code.
 */
#ifndef COLLECTOR_READERS_COMMAND_H
#define COLLECTOR_READERS_COMMAND_H

#include "collector/words.h"

int readers_command_add(const struct words *words);
int readers_command_list(const struct words *words);
int readers_command_remove(const struct words *words);
/* Prints the token, once. */
int readers_command_token(const struct words *words);

#endif
