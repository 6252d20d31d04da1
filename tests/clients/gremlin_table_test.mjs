// The official clients against the fakes, over TLS, as far as one comes without a good key: what the
// probes hold for a front end is what the clients hold for one.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { AzureNamedKeyCredential, TableServiceClient } from "@azure/data-tables";
import gremlin from "gremlin";
import { Backend } from "./backend.mjs";

const wrongKey = Buffer.from("not the key of any account").toString("base64");
const running = [];

after(async () => {
	for (const backend of running) await backend.stop();
});

// A front end of the protocol that does so: its address and certificate.
async function start(protocol, does) {
	const backend = await Backend.start([protocol], { more: [`--${protocol}-does`, does] });

	running.push(backend);
	return { at: `127.0.0.1:${backend.ports[protocol][0]}`, ca: backend.ca };
}

async function submit(does, mimeType) {
	const { Client, auth } = gremlin.driver;
	const { at, ca } = await start("gremlin", does);
	const client = new Client(`wss://${at}/gremlin`, {
		authenticator: new auth.PlainTextSaslAuthenticator("/dbs/x/colls/y", wrongKey),
		ca: [ca], mimeType, traversalSource: "g",
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
	const { at, ca } = await start("table", does);
	const client = new TableServiceClient(`https://${at}`,
		new AzureNamedKeyCredential("contoso", wrongKey),
		{ tlsOptions: { ca }, retryOptions: { maxRetries: 0 } });

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
