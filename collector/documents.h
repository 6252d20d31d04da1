/* documents: the folder of the documents of accounts, private endpoints and zones, and what they
 * say.
 *
 * Files of the folder and of the folders in it, one for each account for example; which document is
 * in which file does not matter.  A file that is malformed or cannot be read keeps what it said last;
 * a file that is gone takes what it said with it.  Each change is a version that is told.
 */
#ifndef COLLECTOR_DOCUMENTS_H
#define COLLECTOR_DOCUMENTS_H

#include "analyze/account.h"
#include "base/digest.h"

struct documents;

/* One file is another than before, by its content.  All is valid for the call. */
struct documents_change {
	const char *id;      /* its path within the folder: "contoso/account.json" */
	const char *kind;    /* "account", "private endpoint", ... */
	const char *account; /* the only one that it tells of; "" */
	const char *what;    /* one line: "region added: North Europe" */
	uint8_t     digest[DIGEST_BYTES]; /* of the content; all zero: the file is gone */
	const void *bytes;
	size_t      count;
};

/* folder "": there are none, ever. */
struct documents *documents_new(const char *folder);
void              documents_free(struct documents *documents); /* NULL is fine */

/* Who is told of each change, from inside documents_scan(). */
void documents_watch(struct documents *documents,
    void (*on_change)(void *arg, const struct documents_change *change), void *arg);

/* What a file said when it was good last, as an earlier run has kept it: in force until its file
 * says something else, and a change is told against it.  Before the first scan; the last of an id
 * counts, and without bytes its file was gone.  What cannot be read any more is ignored.  What
 * the folder's files said may be borrowed until documents_release(). */
void documents_recall(
    struct documents *documents, const char *id, const void *bytes, size_t count);

/* What was recalled is in force, without a look at the folder: for who judges the past.  The old is
 * valid until documents_release(). */
void documents_settle(struct documents *documents);

/* Looks at the folder and reads what is new or has changed.  True when something is said that was
 * not before; the old is valid until documents_release().  Each trouble is told once for each state
 * of its file. */
bool documents_scan(struct documents *documents,
    void (*on_trouble)(void *arg, const struct err *err), void *arg);
void documents_release(struct documents *documents);

/* Whether the last change may have anything to do with an account: it was in a document of its own,
 * or in one of endpoints or zones, which are everybody's. */
bool documents_touched(const struct documents *documents, const char *account);
/* Which state of all documents is in force; each change makes another. */
uint64_t documents_generation(const struct documents *documents);
/* Lets go of what nobody borrows who took it in this generation or a later one. */
void documents_release_before(struct documents *documents, uint64_t generation);
/* How much is kept for those who took it in an earlier generation. */
size_t documents_retired(const struct documents *documents);

/* In the order of their names; each name once. */
size_t                documents_count(const struct documents *documents);
const struct account *documents_at(const struct documents *documents, size_t at);
const struct account *documents_find(const struct documents *documents, const char *name);
/* Those of all files; NULL when there are none. */
const struct endpoint_index *documents_endpoints(const struct documents *documents);
const struct zone_index     *documents_zones(const struct documents *documents);
const struct plink_list     *documents_plinks(const struct documents *documents);
/* One file, by path; list NULL: nothing good was ever in it. */
struct documents_file {
	const char                *id; /* its path within the folder */
	const struct account_list *list;
};
size_t                documents_file_count(const struct documents *documents);
struct documents_file documents_file_at(const struct documents *documents, size_t at);
/* Files whose present content is not in force, and folders that cannot be read. */
size_t documents_broken(const struct documents *documents);

#endif
