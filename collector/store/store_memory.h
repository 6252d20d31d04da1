/* store_memory: the store that forgets at the end of the process, and says what a store is. */
#ifndef COLLECTOR_STORE_STORE_MEMORY_H
#define COLLECTOR_STORE_STORE_MEMORY_H

#include "collector/store/store.h"

extern const struct store_ops store_memory;

#endif
