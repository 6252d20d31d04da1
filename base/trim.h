/* trim: giving back the memory that only the start of a daemon needed.
 *
 * The heap's free pages, and from the address space the program text that was run once (libraries
 * that come with others test themselves when they are loaded).  What is needed again comes back
 * from the page cache, a page at a time.  Saves a daemon megabytes on a machine where nobody else
 * uses its libraries, and costs nothing where somebody does.
 */
#ifndef BASE_TRIM_H
#define BASE_TRIM_H

void trim_memory(void);

#endif
