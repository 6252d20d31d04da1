/* credentials: the commands about what lets agents and readers in: `token ...` and `agents ...`.
 *
 * Each reads the configuration that the words name, and returns an exit code.
 */
#ifndef COLLECTOR_CREDENTIALS_H
#define COLLECTOR_CREDENTIALS_H

#include "collector/words.h"

int credentials_create(const struct words *words);
int credentials_list_tokens(const struct words *words);
int credentials_revoke_token(const struct words *words);
int credentials_list_agents(const struct words *words);
int credentials_revoke(const struct words *words);

#endif
