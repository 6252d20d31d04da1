// Official drivers against the fake front ends: they have to take them for servers, go where
// these send them, and be refused at the login in the words of the service.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import cassandra from "cassandra-driver";
import { MongoClient } from "mongodb";
import { Backend, lookup } from "./backend.mjs";

// The driver's own encoder and decoder, for a request that it sends only when it has idled.
const require = createRequire(import.meta.url);
const Connection = require("cassandra-driver/lib/connection");
const requests = require("cassandra-driver/lib/requests");
const { defaultOptions } = require("cassandra-driver/lib/client-options");

const MONGO = "contoso.mongo.cosmos.azure.com";
const CASSANDRA = "contoso.cassandra.cosmos.azure.com";
let ca; // path of the running back end's certificate

// A front end of the protocol that does so, for the length of run(port).
async function serve(protocol, does, run) {
	const backend = await Backend.start([protocol], { more: [`--${protocol}-does`, does] });
	ca = join(backend.folder, "cert.pem");
	try {
		await run(backend.ports[protocol][0]);
	} finally {
		await backend.stop();
	}
}

function makeMongo(port, { user = "contoso:d3Jvbmc%3D@", ...options } = {}) {
	return new MongoClient(`mongodb://${user}${MONGO}:${port}/?tls=true&replicaSet=globaldb&retrywrites=false` +
		"&maxIdleTimeMS=120000&appName=%40contoso%40", { tlsCAFile: ca, lookup,
		serverSelectionTimeoutMS: 1000, ...options });
}

// What the driver learned of the set, and how connecting ended.
async function connectMongo(port, options) {
	const client = makeMongo(port, options);
	const replies = [], topologies = [];
	let error;
	client.on("serverHeartbeatSucceeded", (event) => replies.push(event.reply));
	client.on("topologyDescriptionChanged", (event) => topologies.push(event.newDescription));
	try {
		await client.connect();
		await client.db("admin").command({ ping: 1 });
	} catch (caught) {
		error = caught;
	} finally {
		await client.close();
	}
	return { error, reply: replies[0], topology: (type) => topologies.findLast((each) => each.type === type) };
}

test("mongodb takes the fake for a replica set, and is refused at the login", async () => {
	await serve("mongo", "good", async (mongo) => {
		const { error, reply, topology } = await connectMongo(mongo);
		const set = topology("ReplicaSetWithPrimary");
		assert.equal(error.name, "MongoServerError");
		assert.equal(error.code, 18);
		assert.equal(error.codeName, "AuthenticationFailed");
		assert.equal(reply.maxWireVersion, 18);
		assert.equal(reply.tags.region, "West Europe");
		assert.equal(set.setName, "globaldb");
		assert.deepEqual([...set.servers.keys()], [`${MONGO}:${mongo}`]);
		assert.equal([...set.servers.values()][0].type, "RSPrimary");
	});
});

test("mongodb without credentials connects, and may do nothing", async () => {
	await serve("mongo", "good", async (mongo) => {
		const { error } = await connectMongo(mongo, { user: "" });
		assert.equal(error.code, 115);
		assert.equal(error.message, "Command Ping not supported prior to authentication");
	});
});

test("mongodb that begins with hello is refused by the service, and not by a server that takes it", async () => {
	const serverApi = { version: "1" };
	await serve("mongo", "good", async (mongo) => {
		const { error } = await connectMongo(mongo, { serverApi });
		assert.match(error.message, /Command Hello not supported prior to authentication/);
	});
	await serve("mongo", "takes-hello", async (mongo) => {
		const { error, reply } = await connectMongo(mongo, { serverApi });
		assert.equal(error.code, 18);
		assert.equal(reply.isWritablePrimary, true);
	});
});

test("mongodb goes where hosts send it", async () => {
	await serve("mongo", "many-hosts", async (mongo) => {
		const { error, topology } = await connectMongo(mongo);
		assert.equal(error.name, "MongoServerSelectionError");
		const set = topology("ReplicaSetNoPrimary");
		assert.equal(set.servers.has(`${MONGO}:${mongo}`), false);
		assert.deepEqual([...set.servers.keys()].sort(), ["contoso-northeurope.mongo.cosmos.azure.com:10255",
			"contoso-westeurope.mongo.cosmos.azure.com:10255"]);
	});
});

test("mongodb does not take a server of an old wire version", async () => {
	await serve("mongo", "old", async (mongo) => {
		const { error } = await connectMongo(mongo);
		assert.match(error.message, /reports maximum wire version 2, but this version .* requires at least/);
	});
});

test("mongodb tells the firewall's words", async () => {
	await serve("mongo", "blocked-public", async (mongo) => {
		const { error } = await connectMongo(mongo);
		const cause = error.reason?.servers.values().next().value.error ?? error;
		assert.equal(cause.code, 13);
		assert.match(cause.message, /originated from IP 127\.0\.0\.1 through public internet/);
	});
});

const sslOptions = () => ({ ca: [readFileSync(ca)], servername: CASSANDRA, rejectUnauthorized: true });

async function connectCassandra(port, options) {
	const client = new cassandra.Client({ contactPoints: [`127.0.0.1:${port}`], localDataCenter: "West Europe",
		sslOptions: sslOptions(), ...options });
	try {
		await client.connect();
	} catch (caught) {
		return Object.values(caught.innerErrors ?? {})[0] ?? caught;
	} finally {
		await client.shutdown();
	}
	return undefined;
}

const wrong = { authProvider: new cassandra.auth.PlainTextAuthProvider("contoso", "d3Jvbmc=") };

test("cassandra-driver is asked for credentials, and is refused at the login", async () => {
	await serve("cassandra", "good", async (port) => {
		const error = await connectCassandra(port, { ...wrong, protocolOptions: { maxVersion: 4 } });
		assert.equal(error.name, "AuthenticationError");
		assert.match(error.message, /Provided username and\/or password are incorrect/);
	});
});

test("cassandra-driver steps down to the version that a protocol error names", async () => {
	await serve("cassandra", "good", async (port) => {
		const error = await connectCassandra(port, wrong);
		assert.equal(error.name, "AuthenticationError");
	});
});

test("cassandra-driver without credentials is told to have some", async () => {
	await serve("cassandra", "good", async (port) => {
		const error = await connectCassandra(port, { protocolOptions: { maxVersion: 4 } });
		assert.equal(error.name, "AuthenticationError");
		assert.match(error.message, /requires authentication, but no authenticator found/);
	});
});

test("cassandra-driver tells an overload", async () => {
	await serve("cassandra", "overloaded", async (port) => {
		const error = await connectCassandra(port, { ...wrong, protocolOptions: { maxVersion: 4 } });
		assert.equal(error.code, cassandra.types.responseErrorCodes.overloaded);
	});
});

test("cassandra-driver reads the answer to OPTIONS", async () => {
	await serve("cassandra", "open", async (port) => {
		const connection = new Connection(`127.0.0.1:${port}`, 4,
			{ ...defaultOptions(), sslOptions: sslOptions(), id: cassandra.types.Uuid.random(), logEmitter() {} });
		await new Promise((done, fail) => connection.open((error) => error ? fail(error) : done()));
		const answer = await new Promise((done, fail) =>
			connection.sendStream(requests.options, null, (error, response) => error ? fail(error) : done(response)));
		assert.deepEqual(answer.supported, { COMPRESSION: ["snappy", "lz4"], CQL_VERSION: ["3.4.4"] });
		await new Promise((done) => connection.close(done));
	});
});
