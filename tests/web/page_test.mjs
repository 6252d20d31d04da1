// The page against the real collector: batches go in over TLS, a browser looks and clicks.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const build = process.env.PLPROBE_BUILD ?? "build/dev";
const folder = mkdtempSync(join(tmpdir(), "plprobe-web-"));
const conf = join(folder, "collector.yaml");
let collector, browser, ingest, home;

const readyLine = /ready: agents on ([\d.:]+), page on (https?:[^,]+\/)/;
const collectorProgram = join(build, "plprobe-collector");
const host = (account, region) => `${account}${region && `-${region}`}.documents.azure.com`;

function makeDocument(account, regions) {
	const location = ([label, name], at) => ({
		id: `${account}-${label}`, locationName: name, failoverPriority: at, provisioningState: "Succeeded",
		documentEndpoint: `https://${host(account, label)}:443/`,
	});
	return {
		id: `/subscriptions/0/resourceGroups/rg/providers/Microsoft.DocumentDB/databaseAccounts/${account}`,
		name: account, kind: "GlobalDocumentDB", type: "Microsoft.DocumentDB/databaseAccounts",
		documentEndpoint: `https://${host(account, "")}:443/`, provisioningState: "Succeeded",
		publicNetworkAccess: "Disabled", locations: regions.map(location),
		privateEndpointConnections: [{ name: "pe-1", privateLinkServiceConnectionState: { status: "Approved" } }],
	};
}

// A measurement of a private, healthy gateway; change() spoils it.
function measure(account, region, address, change = () => {}) {
	const name = host(account, region);
	const seen = {
		target: { account, region, host: name, port: 443 },
		took_us: 15000,
		dns: [{
			resolver: "10.0.0.4", outcome: "ok", transport: "udp", took_us: 1200, aaaa_outcome: "nodata", tries: 1,
			hops: [{ owner: name, target: name.replace(".documents", ".privatelink.documents"), ttl_s: 300 }],
			addresses: [{ address, ttl_s: 10 }],
		}],
		endpoints: [{
			address, port: 443, tcp: "ok", tcp_us: 900, tls: "ok", tls_us: 5000, tls_version: "TLSv1.3", verify_text: "ok",
			subject: "CN=*.documents.azure.com", issuer: "CN=Test CA", not_after_ms: Date.now() + 200 * 86400000,
			http: "ok", http_status: 401, http_total_us: 9000,
		}],
	};
	change(seen);
	return { measurement: seen };
}

function makeMissing(seen) {
	Object.assign(seen.dns[0], { outcome: "nxdomain", rcode: 3, addresses: [] });
	seen.endpoints = [];
}

function post(agent, network, records, at = { conf, ingest }) {
	const token = join(folder, `${agent}.token`);
	writeFileSync(token, execFileSync(collectorProgram, ["token", "create", agent, "--bearer", "--config", at.conf]));
	const answer = execFileSync(join(build, "tests/post_batch"), [`https://${at.ingest}/v1/batches`, join(folder, "cert.pem"), token],
		{ input: JSON.stringify({ agent, network, records }) });
	assert.match(answer.toString(), /"stored"/);
}

function waitForLine(child, pattern) {
	return new Promise((resolve, reject) => {
		let text = "";
		child.stderr.on("data", (bytes) => {
			text += bytes;
			const found = text.match(pattern);
			if (found)
				resolve(found);
		});
		child.on("exit", () => reject(new Error(`the collector ended: ${text}`)));
	});
}

before(async () => {
	mkdirSync(join(folder, "accounts"));
	mkdirSync(join(folder, "state"));
	execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
		"-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem"), "-subj", "/CN=localhost",
		"-addext", "subjectAltName=IP:127.0.0.1"], { stdio: "ignore" });
	writeFileSync(join(folder, "accounts/contoso.json"), JSON.stringify(makeDocument("contoso",
		[["westeurope", "West Europe"], ["eastus", "East US"]])));
	writeFileSync(conf, ["listen: 127.0.0.1:0", "page: 127.0.0.1:0", `certificate: ${folder}/cert.pem`, `key: ${folder}/key.pem`,
		"store: 'memory:'", `state_dir: ${folder}/state`, `accounts_dir: ${folder}/accounts`].join("\n") + "\n");
	collector = spawn(collectorProgram, ["run", "--config", conf], { stdio: ["ignore", "ignore", "pipe"] });
	const ready = await waitForLine(collector, readyLine);
	[, ingest, home] = ready;
	post("vm-a", "vnet-a/default", [measure("contoso", "", "10.1.0.4"), measure("contoso", "westeurope", "10.1.0.5"),
		measure("contoso", "eastus", "10.1.0.6", makeMissing)]);
	post("vm-b", "vnet-b/<b onclick=alert(1)>", [measure("contoso", "", "10.2.0.4"), measure("contoso", "westeurope", "10.2.0.5"),
		measure("contoso", "eastus", "10.2.0.6", (seen) => { seen.endpoints[0].subject = "CN=<img src=x onerror=alert(1)>"; })]);
	browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
		args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
			"--disable-component-update", "--disable-sync"] });
});

after(async () => {
	await browser?.close();
	if (collector && collector.exitCode === null) {
		const ended = new Promise((resolve) => collector.once("exit", resolve));
		collector.kill("SIGTERM");
		assert.equal(await ended, 0, "the collector ends with 0");
	}
	rmSync(folder, { recursive: true, force: true });
});

// A page on which any complaint of the browser, or any request elsewhere, fails the test.
async function openPage(options = {}, at = home) {
	const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
	const page = await context.newPage();
	const troubles = [];
	page.on("console", (message) => { if (["error", "warning"].includes(message.type())) troubles.push(message.text()); });
	page.on("pageerror", (error) => troubles.push(String(error)));
	page.on("dialog", (dialog) => { troubles.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
	page.on("request", (request) => { if (!request.url().startsWith(at)) troubles.push(request.url()); });
	await page.goto(at);
	await page.locator(".cell").first().waitFor();
	return { page, done: async () => { await context.close(); assert.deepEqual(troubles, []); } };
}

test("the grid says what each network sees of each region", async () => {
	const { page, done } = await openPage();
	assert.deepEqual(await page.locator(".grid tbody th").allTextContents(), ["Global", "West Europe", "East US"]);
	assert.deepEqual(await page.locator(".grid thead b").allTextContents(), ["vnet-a/default", "vnet-b/<b onclick=alert(1)>"]);
	const cells = await page.locator(".grid tbody tr").nth(2).locator(".cell").evaluateAll((nodes) => nodes.map((node) => node.className));
	assert.deepEqual(cells, ["cell critical", "cell ok"]);
	assert.match(await page.locator("#overall").textContent(), /1 critical/);
	assert.match(await page.title(), /1 critical/);
	await done();
});

test("a cell opens by keyboard, and shows chain, evidence and fix", async () => {
	const { page, done } = await openPage();
	await page.locator(".cell.critical").focus();
	await page.keyboard.press("Enter");
	const panel = page.locator("#panel");
	await panel.locator(".finding").first().waitFor();
	assert.equal(await panel.getAttribute("open"), "");
	assert.match(await panel.locator("h2").textContent(), /contoso · East US/);
	assert.match(await panel.textContent(), /PLP-101-REGION-NAME-MISSING/);
	assert.match(await panel.locator(".evidence").first().textContent(), /nxdomain/i);
	assert.match(await panel.locator(".fix pre").first().textContent(), /contoso-eastus/);
	assert.deepEqual(await panel.locator(".chain li").evaluateAll((nodes) => nodes.map((node) => node.firstChild.textContent)),
		["contoso-eastus.documents.azure.com", "contoso-eastus.privatelink.documents.azure.com"]);
	assert.match(page.url(), /#\/vm-a\/contoso\/eastus\//);
	await page.keyboard.press("Escape");
	assert.equal(await panel.getAttribute("open"), null);
	await done();
});

test("the address of a cell opens it again", async () => {
	const { page, done } = await openPage();
	await page.goto(`${home}#/vm-b/contoso/westeurope/${host("contoso", "westeurope")}`);
	await page.locator("#panel .stages").first().waitFor();
	assert.match(await page.locator("#panel .stages").first().textContent(), /TCP.*TLS.*401/s);
	await done();
});

test("what a peer sent is text and nothing else", async () => {
	const { page, done } = await openPage();
	await page.goto(`${home}#/vm-b/contoso/eastus/${host("contoso", "eastus")}`);
	await page.locator("#panel .facts").first().waitFor();
	assert.match(await page.locator("#panel .facts").first().textContent(), /<img src=x onerror=alert\(1\)>/);
	assert.equal(await page.locator("#panel img, #grid b[onclick]").count(), 0);
	await done();
});

test("only problems, and the filter", async () => {
	const { page, done } = await openPage();
	await page.locator("#problems").check();
	assert.deepEqual(await page.locator(".grid tbody th").allTextContents(), ["East US"]);
	await page.locator("#problems").uncheck();
	await page.locator("#search").fill("west");
	assert.deepEqual(await page.locator(".grid tbody th").allTextContents(), ["West Europe"]);
	await page.locator("#search").fill("no such thing");
	assert.match(await page.locator("#grid").textContent(), /Nothing matches/);
	await done();
});

test("a narrow screen shows everything without scrolling sideways", async () => {
	const { page, done } = await openPage({ viewport: { width: 360, height: 740 } });
	const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
	assert.ok(widths[0] <= widths[1], `${widths[0]} of ${widths[1]} pixels`);
	assert.equal(await page.locator(".cell").count(), 6);
	await page.locator(".cell.critical").click();
	await page.locator("#panel .finding").first().waitFor();
	await done();
});

test("both colour schemes have readable states", async () => {
	for (const colorScheme of ["light", "dark"]) {
		const { page, done } = await openPage({ colorScheme });
		const ratios = await page.locator(".cell").evaluateAll((nodes) => nodes.map((node) => {
			const light = (text) => {
				const [r, g, b] = text.match(/[\d.]+/g).slice(0, 3).map((part) => {
					const value = part / 255;
					return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
				});
				return 0.2126 * r + 0.7152 * g + 0.0722 * b;
			};
			const style = getComputedStyle(node);
			const [high, low] = [light(style.color), light(style.backgroundColor)].sort((left, right) => right - left);
			return (high + 0.05) / (low + 0.05);
		}));
		for (const ratio of ratios)
			assert.ok(ratio >= 4.5, `${colorScheme}: contrast ${ratio.toFixed(2)}`);
		await done();
	}
});

test("a page elsewhere cannot read the API by a name of its own", async () => {
	const answer = execFileSync("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: evil.example", `${home}v1/state`]);
	assert.equal(answer.toString(), "421");
	const headers = execFileSync("curl", ["-s", "-I", home]).toString();
	assert.match(headers, /Content-Security-Policy: default-src 'none'; script-src 'self';/i);
	assert.match(headers, /X-Content-Type-Options: nosniff/i);
});

test("the page says when the collector is gone", async () => {
	const { page } = await openPage(); // the browser's console names the 503: that is wanted
	await page.route("**/v1/**", (route) => route.fulfill({ status: 503, body: "" }));
	await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
	await page.locator("#banner").waitFor();
	assert.match(await page.locator("#banner").textContent(), /does not answer/);
	assert.equal(await page.locator(".cell").count(), 6);
	await page.context().close();
});

test("a region that is still being added is ok, and says that it is", async () => {
	const document = makeDocument("fabrikam", [["westus", "West US"]]);
	document.locations[0].provisioningState = "Creating";
	writeFileSync(join(folder, "accounts/fabrikam.json"), JSON.stringify(document));
	post("vm-a", "vnet-a/default", [measure("fabrikam", "", "10.1.1.4"), measure("fabrikam", "westus", "10.1.1.5", makeMissing)]);
	const { page, done } = await openPage();
	const cell = page.getByRole("button", { name: /^fabrikam, West US, seen from vnet-a\/default: ok, ok: being added or removed$/ });
	await cell.waitFor({ timeout: 15000 });
	assert.equal(await cell.getAttribute("class"), "cell ok");
	await done();
});

test("Direct mode has a row of its own, and its panel shows the replicas", async () => {
	const silent = (seen) => {
		const [end] = seen.endpoints;
		seen.target.mode = "direct";
		seen.origin = "feed";
		seen.endpoints = [];
		seen.replicas = [21226, 40511].map((port) => ({
			host: seen.target.host, port, origin: "feed", partitions: "0", primary: port === 21226,
			end: { address: end.address, port, tcp: "timeout", tls: "not-run" },
			context: "not-run", stage: "connect_timeout", sdk_code: 6,
		}));
	};
	writeFileSync(join(folder, "accounts/tailspin.json"), JSON.stringify(makeDocument("tailspin", [["eastus", "East US"]])));
	post("vm-a", "vnet-a/default", [measure("tailspin", "", "10.1.1.4"), measure("tailspin", "eastus", "10.1.1.6"),
		measure("tailspin", "eastus", "10.1.1.6", silent)]);
	const { page, done } = await openPage();
	const cell = page.getByRole("button", { name: /^tailspin, East US \(direct\), seen from vnet-a\/default: critical, Direct ports silent$/ });
	await cell.waitFor({ timeout: 15000 });
	await cell.click();
	await page.locator("#panel .stages").first().waitFor();
	assert.match(page.url(), /\/direct$/);
	assert.match(await page.locator("#panel").textContent(), /PLP-601-DIRECT-TIMEOUT/);
	assert.match(await page.locator("#panel").textContent(), /2 replicas.*port 21226.*TCP.*connect_timeout/s);
	await done();
});

test("an API has rows of its own, and its panel shows what the front end said", async () => {
	const cassandra = (seen) => {
		const [end] = seen.endpoints;
		const suffix = (name) => name.replace("documents.azure", "cassandra.cosmos.azure");
		seen.target = { ...seen.target, api: "cassandra", host: suffix(seen.target.host), port: 10350 };
		for (const hop of seen.dns[0].hops ?? [])
			Object.assign(hop, { owner: suffix(hop.owner), target: suffix(hop.target) });
		seen.endpoints = [{ address: end.address, port: 10350, tcp: "ok", tls: "ok",
			greeting: { outcome: "refused-by-peer", took_us: 900, error_code: "0x1001", error_text: "<b>busy</b>" } }];
	};
	writeFileSync(join(folder, "accounts/wingtip.json"), JSON.stringify({ ...makeDocument("wingtip", [["eastus", "East US"]]),
		capabilities: [{ name: "EnableCassandra" }] }));
	post("vm-a", "vnet-a/default", [measure("wingtip", "", "10.1.1.7", cassandra), measure("wingtip", "eastus", "10.1.1.8", cassandra)]);
	const { page, done } = await openPage();
	const cell = page.getByRole("button", { name: /^wingtip, East US \(Cassandra\), seen from vnet-a\/default: warning, front end refuses$/ });
	await cell.waitFor({ timeout: 15000 });
	assert.equal(await page.getByRole("button", { name: /^wingtip, East US, / }).count(), 0, "NoSQL is not served");
	await cell.click();
	await page.locator("#panel .stages").first().waitFor();
	assert.match(page.url(), /\/gateway\/cassandra$/);
	assert.match(await page.locator("#panel").textContent(), /PLP-710-API-REFUSES/);
	assert.match(await page.locator("#panel").textContent(), /front end.*refused-by-peer.*<b>busy<\/b>/s);
	await done();
});

test("the public address that a resolver outside gave stands apart", async () => {
	const outside = (seen) => {
		seen.outside = {
			dns: [{ resolver: "9.9.9.9", source: "outside", outcome: "ok", transport: "udp", took_us: 9000, addresses: [{ address: "20.50.1.1", ttl_s: 60 }] }],
			endpoints: [{ address: "20.50.1.1", port: 443, tcp: "ok", tls: "ok", http: "ok", http_status: 401 }],
			feed: { address: "20.50.1.1", credential: "key", outcome: "ok", step: "account", http_status: 200, admitted: true, account: "tailspin" },
		};
	};
	writeFileSync(join(folder, "accounts/tailspin.json"), JSON.stringify(makeDocument("tailspin", [["eastus", "East US"]])));
	post("vm-a", "vnet-a/default", [measure("tailspin", "", "10.1.3.7", outside), measure("tailspin", "eastus", "10.1.3.8")]);
	const { page, done } = await openPage();
	const cell = page.getByRole("button", { name: /^tailspin, Global, seen from vnet-a\/default: ok, gateway reached; public address admits requests$/ });
	await cell.waitFor({ timeout: 15000 });
	await cell.click();
	// The document may be read a moment after the batch; the panel follows by itself.
	await page.locator("#panel", { hasText: "PLP-511-PUBLIC-ADDRESS-OPEN" }).waitFor({ timeout: 15000 });
	assert.match(await page.locator("#panel").textContent(), /Public address, from outside: admitted.*9\.9\.9\.9.*20\.50\.1\.1.*signed requests/s);
	await done();
});

test("a public address that is refused as it should be shows nothing red", async () => {
	const outside = (seen) => {
		seen.outside = {
			dns: [{ resolver: "9.9.9.9", source: "outside", outcome: "ok", transport: "udp", took_us: 9000, addresses: [{ address: "20.50.1.2", ttl_s: 60 }] }],
			endpoints: [{ address: "20.50.1.2", port: 443, tcp: "ok", tls: "ok", http: "http-other", http_status: 403, error_code: "Forbidden", path: "public-internet" }],
		};
	};
	writeFileSync(join(folder, "accounts/adatum.json"), JSON.stringify(makeDocument("adatum", [["eastus", "East US"]])));
	post("vm-a", "vnet-a/default", [measure("adatum", "", "10.1.3.9", outside), measure("adatum", "eastus", "10.1.3.10")]);
	const { page, done } = await openPage();
	const cell = page.getByRole("button", { name: /^adatum, Global, seen from vnet-a\/default: ok, gateway reached; public address refused, as configured$/ });
	await cell.waitFor({ timeout: 15000 });
	await cell.click();
	await page.locator("#panel .stages").first().waitFor();
	assert.match(await page.locator("#panel").textContent(), /Public address, from outside: refused.*20\.50\.1\.2.*refused.*403 Forbidden/s);
	assert.equal(await page.locator("#panel .critical").count(), 0);
	await done();
});

test("what many agents see is told once, and what one look showed is not confirmed", async () => {
	const regions = [["eastus", "East US"], ["westeurope", "West Europe"]];
	const spoil = (seen) => { makeMissing(seen); seen.dns[0].negative_ttl_s = 900; };
	const say = (agent, network, net, extra = []) => post(agent, network, [measure("litware", "", `10.${net}.2.4`),
		measure("litware", "eastus", `10.${net}.2.5`), measure("litware", "westeurope", `10.${net}.2.6`, net === 1 ? undefined : makeMissing), ...extra]);
	writeFileSync(join(folder, "accounts/litware.json"), JSON.stringify(makeDocument("litware", regions)));
	say("vm-a", "vnet-a/default", 1);
	say("vm-w1", "vnet-w/app", 2);
	say("vm-w2", "vnet-w/<i>db</i>", 2);
	const { page, done } = await openPage();
	const incident = page.locator("#incident-list > li", { hasText: "litware West Europe: name does not exist in all of vnet-w: 2 agents" });
	await incident.waitFor({ timeout: 15000 });
	assert.equal(await incident.getAttribute("class"), "finding critical");
	assert.match(await incident.textContent(), /owner dns.*not yet confirmed/s);
	await incident.locator("summary").click();
	assert.deepEqual(await incident.locator(".members li b").allTextContents(), ["vnet-w/app", "vnet-w/<i>db</i>"]);
	assert.equal(await page.locator("#incidents i, #failover i").count(), 0);
	assert.match(await page.locator("#finding-list > li", { hasText: "litware" }).first().textContent(), /seen, not yet confirmed/);
	const account = page.locator("#failover .account", { hasText: "litware" });
	assert.match(await account.textContent(), /would move to West Europe, by hand only: 2 of 3 networks would lose the database/);
	assert.deepEqual(await account.locator("thead th").allTextContents(), ["Network", "East USwrites now", "West Europepriority 1"]);
	assert.deepEqual(await account.locator("tbody tr").nth(1).locator("td").allTextContents(), ["ok", "no, name does not exist"]);
	writeFileSync(join(folder, "accounts/litware.json"), JSON.stringify(makeDocument("litware", [...regions, ["westus", "West US"]])));
	await account.filter({ hasText: "West US" }).waitFor({ timeout: 15000 });
	say("vm-a", "vnet-a/default", 1, [measure("litware", "westus", "10.1.2.7")]);
	say("vm-w1", "vnet-w/app", 2, [measure("litware", "westus", "10.2.2.7", spoil)]);
	const region = page.locator("#propagation-list > li", { hasText: "litware · West US: 1 agent sees it right, 2 not yet" });
	await region.waitFor({ timeout: 15000 });
	await region.locator("summary").click();
	assert.match(await region.locator(".members li").nth(0).textContent(),
		/vnet-w\/app vm-w1: not yet at .*: name does not exist; by the negative TTL caches may keep that until/);
	assert.match(await region.locator(".members li").nth(1).textContent(), /vnet-w\/<i>db<\/i> vm-w2: has not looked at it yet/);
	assert.match(await region.locator(".members li").nth(2).textContent(), /vnet-a\/default vm-a: right after \d+ s/);
	if (process.env.SHOTS)
		for (const [name, options] of [["light", {}], ["dark", { colorScheme: "dark" }], ["narrow", { viewport: { width: 360, height: 740 } }]]) {
			const shot = await openPage(options);
			await shot.page.locator("#incident-list summary").first().click();
			await shot.page.screenshot({ path: join(process.env.SHOTS, `${name}.png`), fullPage: true });
			await shot.done();
		}
	await done();
});

test("on a narrow screen all regions of failover are in sight", async () => {
	const { page, done } = await openPage({ viewport: { width: 360, height: 740 } });
	await page.locator("#failover .account").first().waitFor();
	const widths = await page.evaluate(() => [document.documentElement, ...document.querySelectorAll("#failover .scroll")]
		.map((node) => [node.scrollWidth, node.clientWidth]));
	for (const [wants, has] of widths)
		assert.ok(wants <= has, `${wants} of ${has} pixels`);
	await done();
});

test("an agent that refuses names says so where nothing was measured", async () => {
	writeFileSync(join(folder, "accounts/northwind.json"), JSON.stringify(makeDocument("northwind", [["eastus", "East US"]])));
	post("vm-n", "vnet-n/app", [{ vitals: { at_ms: Date.now(), refused_items: 2, refusals: [
		{ host: host("northwind", ""), reason: "northwind: no <i>pattern</i> of 'allow_accounts' fits" }] } }]);
	const { page, done } = await openPage();
	const account = page.locator(".account", { hasText: "northwind" }).filter({ hasText: "No agent has reported" });
	await account.filter({ hasText: "vm-n refuses 2 names by its own settings: northwind: no <i>pattern</i> of 'allow_accounts' fits" })
		.waitFor({ timeout: 15000 });
	await done();
});

// Over TLS, with a login, and with everything that the page does by itself.
test("elsewhere than on loopback a browser has to log in, and then all is there", async () => {
	const at = { conf: join(folder, "guarded.yaml") };
	const credentials = { username: "ann", password: "Grüße an alle: 7" };
	const context = { ignoreHTTPSErrors: true };
	mkdirSync(join(folder, "guarded"));
	writeFileSync(at.conf, ["listen: 127.0.0.1:0", "page: 0.0.0.0:0", `certificate: ${folder}/cert.pem`, `key: ${folder}/key.pem`,
		"store: 'memory:'", `state_dir: ${folder}/guarded`, `accounts_dir: ${folder}/accounts`].join("\n") + "\n");
	execFileSync(collectorProgram, ["user", "add", "ann", "--config", at.conf], { input: `${credentials.password}\n` });
	const guarded = spawn(collectorProgram, ["run", "--config", at.conf], { stdio: ["ignore", "ignore", "pipe"] });
	try {
		const ready = await waitForLine(guarded, readyLine);
		at.ingest = ready[1];
		at.home = ready[2].replace("0.0.0.0", "127.0.0.1");
		assert.match(at.home, /^https:/);
		post("vm-a", "vnet-a/default", [measure("contoso", "", "10.1.0.4"), measure("contoso", "westeurope", "10.1.0.5"),
			measure("contoso", "eastus", "10.1.0.6", makeMissing)], at);
		for (const httpCredentials of [undefined, { ...credentials, password: "no such password" }]) {
			const stranger = await browser.newContext({ ...context, httpCredentials });
			const page = await stranger.newPage();
			const answer = await page.goto(at.home).catch((error) => error);
			if (answer instanceof Error)
				assert.match(answer.message, /ERR_INVALID_AUTH_CREDENTIALS/);
			else
				assert.equal(answer.status(), 401);
			await stranger.close();
		}
		const { page, done } = await openPage({ ...context, httpCredentials: credentials }, at.home);
		const violations = await page.evaluate(() => new Promise((resolve) => {
			const seen = [];
			document.addEventListener("securitypolicyviolation", (event) => seen.push(event.violatedDirective));
			document.dispatchEvent(new Event("visibilitychange")); // fetches all again
			setTimeout(() => resolve(seen), 500);
		}));
		assert.deepEqual(violations, []);
		assert.deepEqual(await page.locator(".grid tbody th").first().allTextContents(), ["Global"]);
		await page.locator(".cell.critical").first().click();
		await page.locator("#panel .finding").first().waitFor();
		assert.match(await page.locator("#panel").textContent(), /PLP-101-REGION-NAME-MISSING/);
		assert.equal(await page.locator("#banner").isHidden(), true);
		assert.equal(await page.evaluate(() => crossOriginIsolated), true);
		await done();
		// And text of peers would not become part of the page even if it were put there: that complains.
		const other = await openPage({ ...context, httpCredentials: credentials }, at.home);
		const policy = await other.page.evaluate(() => {
			const made = document.createElement("div");
			try {
				made.innerHTML = "<b>no</b>";
			} catch (error) {
				return String(error);
			}
			return "taken";
		});
		assert.match(policy, /TrustedHTML/);
		await other.page.context().close();
	} finally {
		const ended = new Promise((resolve) => guarded.once("exit", resolve));
		guarded.kill("SIGTERM");
		assert.equal(await ended, 0, "it ends with 0");
	}
});

// No login stands between them there: it is the browser, the headers and the doorkeeper.
test("another site's page gets nothing, on loopback either", async () => {
	const context = await browser.newContext();
	const page = await context.newPage();
	await page.route("http://other.example/", (route) => route.fulfill({ contentType: "text/html", body: "<p>elsewhere" }));
	await page.goto("http://other.example/");
	const heard = await page.evaluate(async (address) => {
		const tried = [];
		for (const options of [{}, { mode: "no-cors" }, { method: "POST", mode: "no-cors", body: "x" }])
			tried.push(await fetch(address, options).then((answer) => answer.type + answer.status, (error) => error.name));
		const picture = new Image();
		tried.push(await new Promise((resolve) => {
			picture.onload = () => resolve("picture");
			picture.onerror = () => resolve("none");
			picture.src = new URL("/icon.svg", address);
		}));
		return tried;
	}, `${home}v1/state`);
	assert.equal(heard[0], "TypeError");
	assert.equal(heard[3], "none");
	for (const said of heard)
		assert.doesNotMatch(said, /200/);
	await context.close();
});
