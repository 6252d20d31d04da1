// The official JavaScript SDK against the fake gateway: its signatures, made by code that is not
// ours, have to pass the check of the fake, and its parser has to read what the fake answers.
import assert from "node:assert/strict";
import https from "node:https";
import { after, before, test } from "node:test";
import { CosmosClient } from "@azure/cosmos";
import { Backend, lookup } from "./backend.mjs";

const KEY = "dsZQi3KtZmCv1ljt3VNWNm7sQUF1y5rJfC6kv5JiwvW0EndXdDku/dkKBp8/ufDToSxLzR4y+O/0H/t4bQtVNw==";
const READONLY = Buffer.alloc(64, 7).toString("base64");
const OTHER = Buffer.alloc(64, 9).toString("base64");

const place = (name, account, writable) => ({
  name, host: `${account}-${name.replaceAll(" ", "").toLowerCase()}.documents.azure.com`, port: "gateway:0", writable });

function databases(account) {
  const replicas = [1, 2, 3, 4].map((n) => ({ host: `${account}-westeurope.documents.azure.com`, port: 21000 + n,
    path: `/apps/a/services/s/partitions/p/replicas/${n}${n === 1 ? "p" : "s"}/`, primary: n === 1 }));
  return [
    { id: "To Do", rid: "ZWUNAA==", containers: [
      { id: "Items", rid: "ZWUNALftZ78=", partition_key: "/pk", ranges: [
        { id: "0", min: "", max: "7F", replicas }, { id: "1", min: "7F", max: "FF", replicas }] },
      { id: "Öther+1", rid: "ZWUNALftZ7+=", ranges: [{ id: "0", replicas }] }] },
    { id: "empty", rid: "ZWUOAA==" }];
}

const account = (name, rest) => ({ name, keys: [KEY], readonly_keys: [READONLY],
  regions: [place("West Europe", name, true), place("North Europe", name, false)], databases: databases(name), ...rest });

const ACCOUNTS = { accounts: [
  account("contoso", { tokens: [
    { token: "all.of.it", scopes: ["/"], may_query: true },
    { token: "one.container", scopes: ["/dbs/To Do/colls/Items"] },
    { token: "of.yesterday", scopes: ["/"], expires: 1700000000 }] }),
  account("paged", { page: 1, chunked: true }),
  account("locked", { local_auth: false }),
  account("fast", { clock: 1000 }),
  account("public", { views: [{ name: "all", answer: "forbidden-public" }] })] };

let backend, agent;

before(async () => {
  backend = await Backend.start(["gateway"], { account: ACCOUNTS });
  agent = new https.Agent({ ca: backend.ca, lookup, keepAlive: false });
});
after(() => backend.stop());

function client(name, credentials) {
  return new CosmosClient({ endpoint: `https://${name}.documents.azure.com:${backend.ports.gateway[0]}/`, agent,
    connectionPolicy: { retryOptions: { maxRetryAttemptCount: 0 } }, ...credentials });
}

const entra = (token) => ({ aadCredentials: {
  getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3600_000 }) } });

async function readAll(cosmos) {
  const { resource } = await cosmos.getDatabaseAccount();
  assert.deepEqual(resource.readableLocations.map((each) => each.name), ["West Europe", "North Europe"]);
  assert.deepEqual(resource.writableLocations.map((each) => each.name), ["West Europe"]);
  assert.equal(resource.consistencyPolicy, "Session");
  const found = (await cosmos.databases.readAll().fetchAll()).resources;
  assert.deepEqual(found.map((each) => each.id), ["To Do", "empty"]);
  const database = cosmos.database("To Do");
  assert.equal((await database.read()).resource._rid, "ZWUNAA==");
  const containers = (await database.containers.readAll().fetchAll()).resources;
  assert.deepEqual(containers.map((each) => each.id), ["Items", "Öther+1"]);
  for (const id of ["Items", "Öther+1"])
    assert.equal((await database.container(id).read()).resource.id, id);
  const ranges = (await database.container("Items").readPartitionKeyRanges().fetchAll()).resources;
  assert.deepEqual(ranges.map((each) => [each.id, each.minInclusive, each.maxExclusive]), [["0", "", "7F"], ["1", "7F", "FF"]]);
}

async function query(cosmos) {
  const items = cosmos.database("To Do").container("Items").items;
  assert.deepEqual((await items.query("SELECT * FROM c").fetchAll()).resources, []);
  assert.deepEqual((await items.query("SELECT * FROM c ORDER BY c.id", { partitionKey: "x" }).fetchAll()).resources, []);
}

const refused = (status, substatus, words) => (error) => {
  assert.equal(Number(error.code), status, error.message);
  if (substatus !== undefined) assert.equal(Number(error.substatus), substatus);
  assert.match(error.message, words);
  return true;
};

test("the key reads all, and queries", async () => {
  const cosmos = client("contoso", { key: KEY });
  await readAll(cosmos);
  await query(cosmos);
  const seen = backend.log();
  for (const path of ["/dbs ", "/dbs/To%20Do/colls ", "/dbs/To%20Do/colls/Items ", "/dbs/To%20Do/colls/Items/pkranges "])
    assert.ok(seen.includes(`GET ${path}`), path);
  assert.match(seen, /answered 200 auth=key/);
  assert.match(seen, /sni=contoso-westeurope\.documents\.azure\.com/, "the SDK goes on to the region");
});

test("the read-only key reads all", async () => {
  await readAll(client("contoso", { key: READONLY }));
  assert.match(backend.log(), /answered 200 auth=readonly-key/);
});

test("feeds come in pages, bodies in chunks", async () => {
  await readAll(client("paged", { key: KEY }));
});

test("an Entra token reads all, and queries", async () => {
  const cosmos = client("contoso", entra("all.of.it"));
  await readAll(cosmos);
  await query(cosmos);
  assert.match(backend.log(), /answered 200 auth=entra/);
});

test("another key is refused with what was signed", async () => {
  await assert.rejects(client("contoso", { key: OTHER }).databases.readAll().fetchAll(),
    refused(401, undefined, /Server used the following payload to sign: 'get\n\n\n[a-z]{3}, /));
});

test("a token that has expired", async () => {
  await assert.rejects(client("contoso", entra("of.yesterday")).databases.readAll().fetchAll(), refused(401, 5006, /expired/));
});

test("a role for one container reads no more than that", async () => {
  const cosmos = client("contoso", entra("one.container"));
  assert.equal((await cosmos.database("To Do").container("Items").read()).resource.id, "Items");
  await assert.rejects(cosmos.database("To Do").container("Öther+1").read(), refused(403, 5301, /readMetadata/));
  await assert.rejects(cosmos.databases.readAll().fetchAll(), refused(403, 5301, /readMetadata/));
});

test("keys are off", async () => {
  await assert.rejects(client("locked", { key: KEY }).databases.readAll().fetchAll(), refused(401, 5202, /Local Authorization is disabled/));
});

test("the clocks differ", async () => {
  await assert.rejects(client("fast", { key: KEY }).databases.readAll().fetchAll(), refused(403, undefined, /not valid at the current time/));
});

test("the firewall refuses who is authorized", async () => {
  await assert.rejects(client("public", { key: KEY }).databases.readAll().fetchAll(),
    refused(403, undefined, /Request originated from IP 127\.0\.0\.1 through public internet/));
});
