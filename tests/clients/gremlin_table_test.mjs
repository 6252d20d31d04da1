// The official clients against the fakes, over TLS, as far as one comes without a good key: what the
// probes hold for a front end is what the clients hold for one.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { AzureNamedKeyCredential, TableServiceClient } from "@azure/data-tables";
import gremlin from "gremlin";

const build = process.env.PLPROBE_BUILD ?? fileURLToPath(new URL("../../build/dev", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "plprobe-clients-"));
const cert = join(folder, "cert.pem"), key = join(folder, "key.pem");
const wrongKey = Buffer.from("not the key of any account").toString("base64");
const running = [];

before(() => {
	execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=fake", "-addext",
		"subjectAltName=IP:127.0.0.1"], { stdio: "ignore" });
});

after(() => {
	running.forEach((child) => child.kill("SIGTERM"));
	rmSync(folder, { recursive: true });
});

// The address of a fake that does so.
async function start(protocol, does) {
	const child = spawn(join(build, "tests/fake_web"), [`--${protocol}`, "127.0.0.1:0", "--cert", cert,
		"--key", key, "--does", does], { stdio: ["ignore", "pipe", "inherit"] });

	running.push(child);
	for await (const line of createInterface({ input: child.stdout }))
		return line.split(" ")[2];
	throw new Error("the fake did not start");
}

async function submit(does, mimeType) {
	const { Client, auth } = gremlin.driver;
	const client = new Client(`wss://${await start("gremlin", does)}/gremlin`, {
		authenticator: new auth.PlainTextSaslAuthenticator("/dbs/x/colls/y", wrongKey),
		ca: [readFileSync(cert)], mimeType, traversalSource: "g",
	});

	try {
		return await client.submit("g.inject(0)");
	} finally {
		await client.close().catch(() => {});
	}
}

for (const version of ["2.0", "3.0"]) {
	for (const does of ["good", "text", "pieces", "drip"]) {
		test(`gremlin, GraphSON ${version}, ${does}: challenged for a login, then denied`, async () => {
			await assert.rejects(submit(does, `application/vnd.gremlin-v${version}+json`),
				(error) => error.statusCode === 401 && /Access Denied/.test(error.message));
		});
	}
}

test("gremlin: a wrong accept is no server", async () => {
	await assert.rejects(submit("wrong-accept"), /Sec-WebSocket-Accept/);
});

test("gremlin: a masked frame is none", async () => {
	await assert.rejects(submit("masked"));
});

test("gremlin: a front end that answers 404", async () => {
	await assert.rejects(submit("missing"), /404/);
});

async function listTables(does) {
	const client = new TableServiceClient(`https://${await start("table", does)}`,
		new AzureNamedKeyCredential("contoso", wrongKey),
		{ tlsOptions: { ca: readFileSync(cert) }, retryOptions: { maxRetries: 0 } });

	return client.listTables().next();
}

for (const does of ["good", "chunked", "drip"]) {
	test(`table, ${does}: a wrong key gets the OData error`, async () => {
		await assert.rejects(listTables(does), (error) => error.statusCode === 403 &&
			error.details?.odataError?.code === "AuthenticationFailed");
	});
}

test("table: the words of the firewall arrive", async () => {
	await assert.rejects(listTables("firewall-public"), (error) => error.statusCode === 403 &&
		/originated from IP 203\.0\.113\.9 through public internet/.test(
			error.details?.odataError?.message?.value ?? error.message));
});
