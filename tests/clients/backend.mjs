// Starts tests/fake/fake_backend with certificates of its own, for one file of tests.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import readline from "node:readline";

const CONFIG = `[req]
distinguished_name = dn
x509_extensions = v3
prompt = no
[dn]
CN = client tests
[v3]
basicConstraints = critical, CA:true
subjectAltName = DNS:*.documents.azure.com, DNS:*.mongo.cosmos.azure.com, DNS:*.cassandra.cosmos.azure.com, IP:127.0.0.1
`;

// Every name is this machine's; also for callers that want all addresses.
export function lookup(host, options, done) {
  if (options.all) done(null, [{ address: "127.0.0.1", family: 4 }]);
  else done(null, "127.0.0.1", 4);
}

export class Backend {
  // listeners: "gateway", "rntbd", "thin", "mongo", ..., as often as wanted.
  static async start(listeners, { account, more = [] } = {}) {
    const backend = new Backend();
    backend.folder = mkdtempSync(join(tmpdir(), "plprobe-clients."));
    const path = (name) => join(backend.folder, name);
    writeFileSync(path("openssl.cnf"), CONFIG);
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
      "-keyout", path("key.pem"), "-out", path("cert.pem"), "-days", "2", "-config", path("openssl.cnf")],
      { stdio: "ignore" });
    backend.ca = readFileSync(path("cert.pem"));
    const args = ["--cert", path("cert.pem"), "--key", path("key.pem"), "--log", path("log"), ...more];
    for (const protocol of listeners) args.push(`--${protocol}`, "127.0.0.1:0");
    if (account !== undefined) {
      writeFileSync(path("account.json"), JSON.stringify(account));
      args.push("--account", path("account.json"));
    }
    backend.logPath = path("log");
    backend.ports = Object.fromEntries(listeners.map((protocol) => [protocol, []]));
    backend.child = spawn(join(process.env.PLPROBE_BUILD ?? "build/dev", "tests/fake_backend"), args,
      { stdio: ["ignore", "pipe", "inherit"] });
    let wanted = listeners.length;
    for await (const line of readline.createInterface({ input: backend.child.stdout })) {
      const [, protocol, port] = line.match(/^listening (\w+) .*:(\d+)$/);
      backend.ports[protocol].push(Number(port));
      if (--wanted === 0) break;
    }
    if (wanted !== 0) throw new Error("fake_backend did not start");
    return backend;
  }

  log() {
    return readFileSync(this.logPath, "utf8");
  }

  async stop() {
    this.child.kill("SIGTERM");
    const [status] = await once(this.child, "exit");
    rmSync(this.folder, { recursive: true });
    if (status !== 0) throw new Error(`fake_backend ended with ${status}`);
  }
}
