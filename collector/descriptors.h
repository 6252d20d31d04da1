/* descriptors: how many connections the limit of open files leaves room for. */
#ifndef COLLECTOR_DESCRIPTORS_H
#define COLLECTOR_DESCRIPTORS_H

/* Raises the limit as far as it goes where that many connections need it.  What it leaves beside the
 * descriptors that are kept for the store, the page and the files of the collector itself; wanted at
 * most, 1 at least. */
unsigned descriptors_room(unsigned wanted);

#endif
