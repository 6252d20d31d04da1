"""The instance metadata service of a VM, as far as tokens of its identity go.

    imds.py ADDRESS [TOKEN_FILE]

Without a token the VM has no identity, which is said in the service's own words.
"""

import http.server
import json
import socketserver
import sys
import time
import urllib.parse

PATH = "/metadata/identity/oauth2/token"
RESOURCE = "https://cosmos.azure.com"
LIFE_S = 86399


class Handler(http.server.BaseHTTPRequestHandler):
    token = None                     # None: there is no identity

    def _send(self, status, facts):
        body = json.dumps(facts).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        asked = urllib.parse.parse_qs(parts.query)
        if self.headers.get("Metadata") != "true" or parts.path != PATH or \
                asked.get("resource", [""])[0].rstrip("/") != RESOURCE:
            self._send(400, {"error": "invalid_request",
                             "error_description": "Required metadata header not specified, or "
                                                  "another resource"})
        elif self.token is None:
            self._send(400, {"error": "invalid_request",
                             "error_description": "Identity not found"})
        else:
            self._send(200, {"access_token": self.token, "expires_in": str(LIFE_S),
                             "expires_on": str(int(time.time()) + LIFE_S),
                             "resource": RESOURCE, "token_type": "Bearer"})


def main():
    if len(sys.argv) > 2:
        with open(sys.argv[2], encoding="ascii") as file:
            Handler.token = file.read().strip()
    # Not http.server's own, which looks its address up in DNS.
    server = socketserver.ThreadingTCPServer((sys.argv[1], 80), Handler)
    print("listening", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
