// The address feed of the fake gateway, which no public client reads: signed here once more, from
// the rule alone.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import https from "node:https";
import { after, before, test } from "node:test";
import { Backend, lookup } from "./backend.mjs";

const KEY = Buffer.alloc(64, 5).toString("base64");
const RIDS = "dbs%2fZWUNAA%3d%3d%2fcolls%2fZWUNALftZ78%3d%2fdocs";
const HOSTS = { west: "contoso-westeurope.documents.azure.com", north: "contoso-northeurope.documents.azure.com" };

const replica = (region, port, number, more) => ({ host: HOSTS[region], port, view: region,
  path: `/apps/a/services/s/partitions/p/replicas/${number}${number === 1 ? "p" : "s"}/`, primary: number === 1, ...more });
const set = (region, ports, more) => ports.map((port, at) => replica(region, port, at + 1, more));

const ACCOUNT = { accounts: [{
  name: "contoso", keys: [KEY],
  regions: [{ name: "West Europe", host: HOSTS.west, port: 443, writable: true }, { name: "North Europe", host: HOSTS.north, port: 443 }],
  thin: [{ name: "West Europe", host: HOSTS.west, port: 10250, writable: true }],
  views: [{ name: "west", hosts: ["contoso.documents.azure.com", HOSTS.west], clients: ["127.0.0."] }, { name: "north", hosts: [HOSTS.north] }],
  steps: [{ path: "/dbs", answer: "throttled", times: 1 }, { path: "/dbs/db1", answer: "half" },
    { path: "/dbs/db1/colls", body: "{\"DocumentCollections\":", delay: 300 }],
  master: [...set("west", [3001, 3002]), ...set("north", [3003])],
  databases: [{ id: "db1", rid: "ZWUNAA==", containers: [{ id: "c1", rid: "ZWUNALftZ78=", ranges: [
    { id: "0", max: "7F", replicas: [...set("west", [1001, 1002, 1003, 1004]), ...set("north", [1005]),
      ...set("west", [2001, 2002], { refreshed: true }), replica("west", 443, 1, { protocol: "https" })] },
    { id: "1", min: "7F", replicas: set("west", [1101]) }] }] }] }] };

let backend;

before(async () => {
  backend = await Backend.start(["gateway"], { account: ACCOUNT });
});
after(() => backend.stop());

function get(path, [type, link], { host = HOSTS.west, headers = {} } = {}) {
  const date = new Date().toUTCString();
  const signature = createHmac("sha256", Buffer.from(KEY, "base64")).update(`get\n${type}\n${link}\n${date.toLowerCase()}\n\n`).digest("base64");
  return new Promise((resolve, reject) => {
    https.get({ host, port: backend.ports.gateway[0], path, lookup, ca: backend.ca, agent: false, headers: {
      "x-ms-date": date, "x-ms-version": "2020-07-15", authorization: encodeURIComponent(`type=master&ver=1.0&sig=${signature}`),
      ...headers } }, (answer) => {
      let text = "";
      answer.on("data", (some) => { text += some; });
      answer.on("error", reject);
      answer.on("end", () => {
        try {
          resolve({ status: answer.statusCode, headers: answer.headers, body: JSON.parse(text) });
        } catch (error) {
          reject(error);
        }
      });
    }).on("error", reject);
  });
}

const ports = (answer, protocol = "rntbd") => answer.body.Addresss.filter((each) => each.protocol === protocol)
  .map((each) => Number(new URL(each.physcialUri.replace("rntbd:", "http:")).port));
const feed = (resolve, ids) => `//addresses/?$resolveFor=${resolve}&$filter=protocol%20eq%20rntbd` + (ids ? `&$partitionKeyRangeIds=${ids}` : "");

test("by resource id, with another protocol mixed in", async () => {
  const answer = await get(feed(RIDS, "0"), ["docs", "zwunalftz78="]);
  assert.equal(answer.status, 200);
  assert.deepEqual(ports(answer), [1001, 1002, 1003, 1004]);
  assert.equal(answer.body._count, 5);
  const { isPrimary, partitionKeyRangeId, partitionTargetReplicaSetSize, physcialUri } = answer.body.Addresss[0];
  assert.deepEqual([isPrimary, partitionKeyRangeId, partitionTargetReplicaSetSize], [true, "0", 4]);
  assert.equal(physcialUri, `rntbd://${HOSTS.west}:1001/apps/a/services/s/partitions/p/replicas/1p/`);
});

test("several ranges, one slash, or by name", async () => {
  assert.deepEqual(ports(await get(feed(RIDS, "0,1").slice(1), ["docs", "zwunalftz78="])), [1001, 1002, 1003, 1004, 1101]);
  assert.deepEqual(ports(await get(feed("dbs/db1/colls/c1/docs", "1"), ["docs", "dbs/db1/colls/c1"])), [1101]);
});

test("each region tells of its own", async () => {
  assert.deepEqual(ports(await get(feed(RIDS, "0,1"), ["docs", "zwunalftz78="], { host: HOSTS.north })), [1005]);
  assert.deepEqual(ports(await get(feed("dbs"), ["dbs", ""])), [3001, 3002]);
  assert.deepEqual(ports(await get(feed("dbs"), ["dbs", ""], { host: HOSTS.north })), [3003]);
});

test("after a refresh the replicas have moved", async () => {
  const headers = { "x-ms-force-refresh": "True" };
  assert.deepEqual(ports(await get(feed(RIDS, "0"), ["docs", "zwunalftz78="], { headers })), [2001, 2002]);
  assert.deepEqual(ports(await get(feed(RIDS, "1"), ["docs", "zwunalftz78="], { headers })), [1101]);
  assert.match(backend.log(), /answered 200 auth=key refresh\n/);
});

test("what is not asked as it has to be", async () => {
  assert.equal((await get(feed(RIDS, "0"), ["docs", "ZWUNALftZ78="])).status, 401);
  assert.equal((await get(feed(RIDS), ["docs", "zwunalftz78="])).status, 400);
  assert.equal((await get(`//addresses/?$resolveFor=${RIDS}&$partitionKeyRangeIds=0`, ["docs", "zwunalftz78="])).status, 400);
  assert.equal((await get("//addresses/", ["", ""])).status, 400);
  assert.equal((await get(feed("dbs/db2/colls/c1/docs", "0"), ["docs", "dbs/db2/colls/c1"])).status, 404);
  assert.equal((await get("/", ["", ""], { host: "other.documents.azure.com" })).status, 403);
});

test("a feed goes on where it ended", async () => {
  const sign = ["pkranges", "dbs/db1/colls/c1"];
  const first = await get("/dbs/db1/colls/c1/pkranges", sign, { headers: { "x-ms-max-item-count": "1" } });
  assert.deepEqual(first.body.PartitionKeyRanges.map((each) => each.id), ["0"]);
  const next = first.headers["x-ms-continuation"];
  const second = await get("/dbs/db1/colls/c1/pkranges", sign, { headers: { "x-ms-max-item-count": "1", "x-ms-continuation": next } });
  assert.deepEqual(second.body.PartitionKeyRanges.map((each) => each.id), ["1"]);
  assert.equal(second.headers["x-ms-continuation"], undefined);
});

test("Gateway V2 is told to who asks for it", async () => {
  assert.equal((await get("/", ["", ""])).body.thinClientReadableLocations, undefined);
  const { body } = await get("/", ["", ""], { headers: { "x-ms-cosmos-use-thinclient": "true" } });
  assert.deepEqual(body.thinClientReadableLocations, [{ name: "West Europe", databaseAccountEndpoint: `https://${HOSTS.west}:10250/` }]);
});

test("a step that goes wrong once, or always", async () => {
  const first = await get("/dbs", ["dbs", ""]);
  assert.equal(first.status, 429);
  assert.equal(first.headers["x-ms-retry-after-ms"], "1000");
  assert.equal((await get("/dbs", ["dbs", ""])).status, 200);
  await assert.rejects(get("/dbs/db1", ["dbs", "dbs/db1"]));
  const started = Date.now();
  await assert.rejects(get("/dbs/db1/colls", ["colls", "dbs/db1"]), SyntaxError);
  assert.ok(Date.now() - started >= 300);
  assert.match(backend.log(), /answered half auth=key/);
});
