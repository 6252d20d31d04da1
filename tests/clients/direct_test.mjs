// Direct mode and Gateway V2 of the fake back end, from clients that share no code with it: bytes
// as the reference writes them, and the HTTP/2 of Node.
import assert from "node:assert/strict";
import http2 from "node:http2";
import { after, test } from "node:test";
import tls from "node:tls";
import { Backend, lookup } from "./backend.mjs";

const HOST = "contoso-westeurope.documents.azure.com";
const ACTIVITY = "cc22338f8617b44d9b97b229c2c6f0aa";
const A = `4100000000000000${ACTIVITY}000002010000000100070a323032302d30372d313502000710636f736d6f732d70726f62652f312e30`;
const R1 = `50000000c8000000${ACTIVITY}02000711446f63756d656e7444422053657276657203000711` +
  "2076657273696f6e3d322e31342e302e300400027800000005000219000000";
const E1 = `5700000090010000${ACTIVITY}000002010000000100070a323031342d30382d323102000711446f63756d656e74444220536572766572` +
  "030007112076657273696f6e3d322e31342e302e303e0000007b22636f6465223a2242616452657175657374222c226d657373616765223a22556e73" +
  "7570706f727465642070726f746f636f6c2076657273696f6e227d";
const REFUSED = '{"code":"Unauthorized","message":"Required Header authorization is missing."}';
const backends = [];

async function start(listeners, more) {
  const backend = await Backend.start(listeners, { more });
  backends.push(backend);
  return backend;
}

after(async () => {
  for (const backend of backends) await backend.stop();
});

// A connection that gathers what comes.
function open(backend, port = backend.ports.rntbd[0]) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: HOST, port, servername: HOST, ca: backend.ca, lookup }, () => resolve(socket));
    socket.heard = Buffer.alloc(0);
    socket.ended = new Promise((done) => socket.once("close", done));
    socket.on("data", (some) => { socket.heard = Buffer.concat([socket.heard, some]); });
    socket.on("error", (error) => { socket.error = error; reject(error); });
  });
}

// Says bytes and waits for as many as are wanted, or the end.
async function ask(socket, hex, count) {
  if (hex !== "") socket.write(Buffer.from(hex, "hex"));
  const ends = Date.now() + 10_000;
  while (socket.heard.length < count && !socket.closed && Date.now() < ends)
    await new Promise((done) => setTimeout(done, 5));
  const heard = socket.heard.subarray(0, count);
  socket.heard = socket.heard.subarray(count);
  return heard.toString("hex");
}

function request(id, replica) {
  const string = (token, text) => Buffer.concat([Buffer.from([token, 0, 8, text.length, 0]), Buffer.from(text)]);
  const tokens = Buffer.concat([Buffer.from("02000000", "hex"),
    string(0x13, `/apps/a/services/s/partitions/p/replicas/${replica}`),
    Buffer.from("4d0002", "hex"), Buffer.from(Uint32Array.of(id).buffer)]);
  const head = Buffer.alloc(24, 0x55);
  head.writeUInt32LE(24 + tokens.length, 0);
  head.writeUInt16LE(3, 4);
  head.writeUInt16LE(3, 6);
  return Buffer.concat([head, tokens]).toString("hex");
}

const answer = (status, id, substatus) =>
  `2a000000${status}${"55".repeat(16)}` + (substatus === "00000000"
    ? `00000001350002${id}1c0002${substatus}4d000000${Buffer.from(REFUSED).toString("hex")}`
    : `000000001c0002${substatus}350002${id}`);

test("the context is negotiated, byte for byte", async () => {
  const backend = await start(["rntbd"], []);
  const socket = await open(backend);
  assert.equal(await ask(socket, A, 80), R1);
  assert.equal(await ask(socket, request(7, "1p"), 42 + 4 + 77), answer("91010000", "07000000", "00000000"));
  // Nobody of that name is at this port any more.
  assert.equal(await ask(socket, request(9, "9s"), 42), answer("9a010000", "09000000", "ea030000"));
  socket.destroy();
  assert.match(backend.log(), /sni=contoso-westeurope\S+ rntbd context length=65 version=1 client=2020-07-15 agent="cosmos-probe\/1\.0" ok/);
});

test("what is said a byte at a time is understood", async () => {
  const socket = await open(await start(["rntbd"], []));
  for (let at = 0; at < A.length - 2; at += 2) socket.write(Buffer.from(A.slice(at, at + 2), "hex"));
  assert.equal(await ask(socket, A.slice(-2), 80), R1);
  socket.destroy();
});

test("who sends another version is told so", async () => {
  const backend = await start(["rntbd"], []);
  const socket = await open(backend);
  assert.equal(await ask(socket, A.replace("0201000000", "0202000000"), 153), E1);
  await socket.ended;
  assert.match(backend.log(), /bad: ProtocolVersion 2/);
});

test("who does not authenticate is closed", async () => {
  const socket = await open(await start(["rntbd"], ["--rntbd-does", "unauthenticated=1"]));
  const started = Date.now();
  assert.equal(await ask(socket, A, 80), R1.replace("05000219", "05000201"));
  await socket.ended;
  assert.ok(Date.now() - started > 500 && Date.now() - started < 5000);
});

test("five hundred at once", async () => {
  const backend = await start(["rntbd", "rntbd"], []);
  const some = await Promise.all(Array.from({ length: 500 }, (_, number) => open(backend, backend.ports.rntbd[number % 2])));
  for (const heard of await Promise.all(some.map((socket) => ask(socket, A, 80)))) assert.equal(heard, R1);
  for (const socket of some) socket.destroy();
});

// What comes of misbehaviour: bytes, or a pattern of them, and whether it ends there.
const WAYS = [
  ["refuse", E1],
  ["status=503", /^50000000f7010000/],
  ["wrong-echo", R1.replace(ACTIVITY, `33${ACTIVITY.slice(2)}`)],
  ["close-after=10", R1.slice(0, 20)],
  ["drip", R1],
  ["delay-before-answer=50", R1],
  ["delay-before-tls=50", R1],
  ["trailing", R1 + Buffer.from("and more").toString("hex")],
  ["oversized", R1.replace("50000000", "ffffffff")],
  ["short", R1.replace("50000000", "17000000")],
  ["no-tokens", `18000000c8000000${ACTIVITY}`],
  ["http", Buffer.from("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").toString("hex")],
  ["tls-in-tls", "15030300020228"],
  ["garbage", /^[0-9a-f]{400}$/],
  ["r2", /^5f000000c8000000/],
  ["r3", /^54000000c8000000/],
  ["close-after-tls", ""],
];

for (const [way, wanted] of WAYS) {
  test(`a replica that does ${way}`, async () => {
    const socket = await open(await start(["rntbd"], ["--rntbd-does", way]));
    const count = typeof wanted === "string" && wanted !== "" ? wanted.length / 2 : 24;
    const heard = await ask(socket, A, way === "garbage" ? 200 : count);
    if (typeof wanted === "string") assert.equal(heard, wanted);
    else assert.match(heard, wanted);
    socket.destroy();
  });
}

for (const [way, code] of [["reset", "ECONNRESET"], ["close-after-accept", "ECONNRESET"]]) {
  test(`a replica that does ${way}`, async () => {
    await assert.rejects(open(await start(["rntbd"], ["--rntbd-does", way])), { code });
  });
}

test("a replica that speaks TLS of another age", async () => {
  await assert.rejects(open(await start(["rntbd"], ["--rntbd-does", "old-tls"])), { code: /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/ });
});

test("a replica that resets after the handshake", async () => {
  const backend = await start(["rntbd"], ["--rntbd-does", "reset-after-tls"]);
  // It may arrive together with the end of the handshake; Node then says ECONNRESET, and else just ends.
  const heard = await open(backend).then((socket) => socket.ended.then(() => socket.heard.length), () => 0);
  assert.equal(heard, 0);
});

test("a replica that is silent", async () => {
  const socket = await open(await start(["rntbd"], ["--rntbd-does", "silence"]));
  socket.write(Buffer.from(A, "hex"));
  await new Promise((done) => setTimeout(done, 300));
  assert.equal(socket.heard.length, 0);
  assert.ok(!socket.closed);
  socket.destroy();
});

test("a replica that is gone", async () => {
  const socket = await open(await start(["rntbd"], ["--rntbd-does", "410"]));
  assert.equal(await ask(socket, A, 80), R1);
  assert.equal(await ask(socket, request(1, "1p"), 42), answer("9a010000", "01000000", "ea030000"));
  socket.destroy();
});

// Status of a POST over HTTP/2; rejects when there is none.
function probe(backend, path = "/connectivity-probe") {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`https://${HOST}:${backend.ports.thin[0]}`, { ca: backend.ca, lookup });
    session.on("error", reject);
    const stream = session.request({ ":method": "POST", ":path": path, "x-ms-thinclient-proxy-operation-type": "ConnectivityProbe" });
    stream.on("error", reject);
    stream.on("response", (headers) => { resolve(headers[":status"]); session.close(); });
    stream.on("close", () => reject(new Error("no answer")));
    stream.end();
  });
}

test("Gateway V2 is ready", async () => {
  const backend = await start(["thin"], []);
  assert.equal(await probe(backend), 200);
  assert.equal(await probe(backend, "/dbs"), 404);
  assert.match(backend.log(), /thin POST \/connectivity-probe authority=contoso-\S+ operation=ConnectivityProbe answered 200/);
});

test("Gateway V2 is switched off", async () => {
  assert.equal(await probe(await start(["thin"], ["--thin-does", "status=503"])), 503);
});

for (const way of ["no-alpn", "http1", "reset", "close", "goaway", "reset-stream", "garbage"]) {
  test(`a proxy that does ${way}`, async () => {
    await assert.rejects(probe(await start(["thin"], ["--thin-does", way])));
  });
}
