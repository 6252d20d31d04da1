/* accounts_command: the commands about documents of accounts: `accounts ...`.
 *
 * Each reads the configuration that the words name, and returns an exit code.  The folder is all that
 * they touch: a collector that runs sees what changed there by itself.
 */
#ifndef COLLECTOR_ACCOUNTS_COMMAND_H
#define COLLECTOR_ACCOUNTS_COMMAND_H

#include "collector/words.h"

int accounts_list(const struct words *words);
/* A file that cannot be read as documents leaves what is there as it is. */
int accounts_add(const struct words *words);
/* Takes away files that tell of the account alone; of others it says so, and takes away nothing. */
int accounts_remove(const struct words *words);
int accounts_sync(const struct words *words);
int accounts_history(const struct words *words);

#endif
