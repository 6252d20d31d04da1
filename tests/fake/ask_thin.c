/* ask_thin: one probe of Gateway V2, printed as JSON, for scripts that play the server.
 *
 * usage: ask_thin HOST ADDRESS PORT CA_FILE LIMIT_MS */
#include "base/wbuf.h"
#include "probe/probe.h"
#include "proto/render.h"
#include "tests/support/support_probe.h"

#include <stdio.h>
#include <stdlib.h>

int
main(int argc, char **argv)
{
	struct thin           thin = { 0 };
	struct probe_options  options = { 0 };
	struct probe_ask      ask = { .kind = "thin", .thin = &thin };
	struct support_probe *run;
	struct err            err;
	struct wbuf           out;

	if (argc != 6) {
		fputs("usage: ask_thin HOST ADDRESS PORT CA_FILE LIMIT_MS\n", stderr);
		return 2;
	}
	ask.host = argv[1];
	options.ca_file = argv[4];
	ask.limit_ms = atoi(argv[5]);
	if (!addr_parse(&ask.peer, argv[2], (uint16_t)atoi(argv[3]), &err)) {
		fprintf(stderr, "ask_thin: %s\n", err.text);
		return 2;
	}
	run = support_probe_run(&options, &ask);
	thin.host = argv[1];
	thin.port = ask.peer.port;
	thin.end = &run->endpoint;
	wbuf_init(&out);
	render_json_text(&thin_desc, &thin, false, 0, &out);
	puts(wbuf_text(&out));
	wbuf_fini(&out);
	support_probe_free(run);
	return 0;
}
