/* support_dir: a folder for one test, and nothing left of it after.
 *
 * Nothing here returns an error: a helper that cannot help ends the program with a line on stderr.
 */
#ifndef TESTS_SUPPORT_DIR_H
#define TESTS_SUPPORT_DIR_H

/* A new empty folder under $TMPDIR or /tmp; its path, which support_dir_free() frees. */
char *support_dir_new(void);
void  support_dir_free(char *dir); /* with all that is in it; NULL is fine */

/* How many names it holds, "." and ".." not counted. */
unsigned support_dir_count(const char *dir);

#endif
