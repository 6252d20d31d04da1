/* scene_modes: Direct mode and Gateway V2 of a scene: their sites, and what was met at each replica.
 *
 * Sorts; check_direct.c and check_thin.c judge.
 */
#ifndef ANALYZE_SCENE_MODES_H
#define ANALYZE_SCENE_MODES_H

#include "analyze/names.h"
#include "analyze/scene.h"

/* How far a contact came, in the order of life. */
enum contact_stage { CONTACT_DNS, CONTACT_TCP, CONTACT_TLS, CONTACT_CONTEXT, CONTACT_OVER };

enum contact_kind {
	CONTACT_NONE,  /* not tried to the end, or our own trouble: says nothing */
	CONTACT_WELL,  /* a context response, of a status below 400 */
	CONTACT_FAILED /* at the stage, with the outcome */
};

/* One host and port of Direct mode. */
struct contact {
	const struct replica *replica; /* borrowed from the measurement */
	enum contact_kind     kind;
	enum contact_stage    stage;
	enum outcome          outcome; /* of that stage */
	bool                  own;     /* the host is the site's own name, not a public host */
	/* The address, as the name's answers lead to it; end NULL: there is none. */
	struct attempt        attempt;
	const struct attempt *gateway; /* the gateway at the same address; NULL: not tried */
};

/* What Direct mode met behind one name. */
struct direct {
	enum origin     origin;
	struct contact *contacts;
	size_t          count;
	size_t          well, failed;
};

/* Adds the sites of both modes, and gateway sites for names that only these know.  room: of the
 * array of names. */
void scene_modes_add(struct scene *scene, struct name_list *names, size_t room);

/* Adds to names what was measured in the mode as configured, and is not among them. */
void scene_modes_add_beside(const struct scene *scene, struct name_list *names, enum mode mode);

/* "contoso-westeurope...:21226 (10.1.1.6)". */
const char *scene_modes_peer(struct arena *arena, const struct replica *replica);
/* Port 10000 to 20000, where those of public replicas are [cosmos-connection-modes]. */
bool scene_modes_is_low(const struct replica *replica);
/* At least one replica of the region answered well, none failed, and the ports were not guessed. */
bool scene_modes_is_proven(const struct site *site);

#endif
