/* conf_changes: what of a configuration can be put in force while the collector runs, and what waits
 * for a restart. */
#ifndef COLLECTOR_CONF_CHANGES_H
#define COLLECTOR_CONF_CHANGES_H

#include "collector/collector_conf.h"

/* The names of the settings that differ and need a restart, with ", " between them, in the arena; ""
 * where there are none. */
const char *conf_changes_late(
    const struct collector_conf *now, const struct collector_conf *fresh, struct arena *arena);

#endif
