// The page of the collector: the grid, the findings below it, and a panel for one cell.
// All that came from the network goes through textContent or attributes, never through markup.

const REFRESH_MS = 10000;
const byId = (id) => document.getElementById(id);
const seen = { text: "", state: null, findings: null, incidents: null, propagation: null, failover: null, atMs: 0, offsetMs: 0 };

// Makes an element: el("b.name", {title: "x"}, child, "text", ...).  null children are left out.
function el(spec, ...rest) {
	const [tag, ...classes] = spec.split(".");
	const node = document.createElement(tag);
	if (classes.length > 0)
		node.className = classes.join(" ");
	for (const part of rest) {
		if (part === null || part === undefined || part === false)
			continue;
		if (part instanceof Node)
			node.append(part);
		else if (Array.isArray(part))
			node.append(...part.filter(Boolean));
		else if (typeof part === "object")
			for (const [name, value] of Object.entries(part))
				node.setAttribute(name, value);
		else
			node.append(document.createTextNode(String(part)));
	}
	return node;
}

const glyph = () => el("b.glyph", { "aria-hidden": "true" });
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const nowMs = () => Date.now() + seen.offsetMs;

// Local time, with UTC as the title.
function time(ms) {
	if (!ms)
		return el("span", "never");
	const date = new Date(ms);
	const sameDay = date.toDateString() === new Date().toDateString();
	const text = sameDay ? date.toLocaleTimeString() : date.toLocaleString();
	return el("time", { datetime: date.toISOString(), title: `${date.toISOString()} (UTC)` }, text);
}

function age(ms) {
	const seconds = Math.max(0, Math.round((nowMs() - ms) / 1000));
	if (seconds < 90)
		return `${seconds} s ago`;
	if (seconds < 5400)
		return `${Math.round(seconds / 60)} min ago`;
	if (seconds < 129600)
		return `${Math.round(seconds / 3600)} h ago`;
	return `${Math.round(seconds / 86400)} days ago`;
}

function millis(us) {
	if (!us)
		return "";
	return us < 10000 ? `${(us / 1000).toFixed(1)} ms` : `${Math.round(us / 1000)} ms`;
}

/* ---- the grid ------------------------------------------------------------------------- */

// Mode and API stand only where they are not the gateway's and NoSQL's.
const cellKey = (agent, account, row) => [agent, account, row.region, row.host,
	...(row.mode === "gateway" && row.api === "sql" ? [] : [row.mode]), ...(row.api === "sql" ? [] : [row.api])]
	.map(encodeURIComponent).join("/");

function cellWords(cell) {
	if (cell.stale)
		return cell.seen_ms ? `no news for ${age(cell.seen_ms).replace(" ago", "")}` : "not measured";
	if (cell.state === "ok")
		return cell.short ? `ok: ${cell.short}` : cell.words || "ok";
	return cell.short || cell.words || cell.state;
}

function makeCell(account, row, agent) {
	const cell = row.cells.find((one) => one.agent === agent.agent);
	const label = agent.network || agent.agent;
	if (!cell)
		return el("td", { "data-label": label }, el("span.blank", { title: "this agent does not measure it" }, "–"));
	const words = cellWords(cell);
	const button = el(`button.cell.${cell.state}`, {
		type: "button",
		"data-key": cellKey(agent.agent, account.account, row),
		title: cell.code ? `${cell.code}: ${cell.words}` : cell.words,
		"aria-label": `${account.account}, ${row.name}, seen from ${label}: ${cell.state}, ${words}`,
	}, glyph(), el("span", words));
	return el("td", { "data-label": label }, button);
}

function makeRow(account, row, agents) {
	const notes = row.role === "sweep" ? "not configured" : "";
	const head = el("th", { scope: "row", title: row.host }, row.name, notes ? el("span.sub", notes) : null);
	return el("tr", head, agents.map((agent) => makeCell(account, row, agent)));
}

function makeHead(agents) {
	return el("thead", el("tr", el("th", { scope: "col" }, "Region"), agents.map((agent) => {
		const silent = agent.state === "silent";
		return el("th", { scope: "col" }, el("b", agent.network || agent.agent), agent.network ? agent.agent : "",
			agent.refused_items > 0 ? el("span.sub.silent", { title: agent.refused_first }, `refuses ${agent.refused_items} names by its own settings`) : null,
			silent ? el("span.sub.silent", `silent, last heard ${age(agent.last_seen_ms)}`) : null);
	})));
}

function isWanted(account, row, agents) {
	const words = byId("search").value.trim().toLowerCase();
	if (byId("problems").checked && row.state === "ok")
		return false;
	if (words === "")
		return true;
	const text = [account.account, row.name, row.region, row.host, ...agents.map((agent) => `${agent.network} ${agent.agent}`)];
	return words.split(/\s+/).every((word) => text.join(" ").toLowerCase().includes(word));
}

function makeAccount(account, all) {
	const agents = all.filter((agent) => account.places.some((row) => row.cells.some((cell) => cell.agent === agent.agent)));
	const rows = account.places.filter((row) => isWanted(account, row, agents));
	if (rows.length === 0)
		return null;
	const regions = new Set(account.places.filter((row) => row.role === "configured" && row.region).map((row) => row.region));
	const note = account.document ? plural(regions.size, "region")
		: "no document: only what can be seen from outside";
	const table = el("table.grid", makeHead(agents), el("tbody", rows.map((row) => makeRow(account, row, agents))));
	table.style.minWidth = `${210 + 160 * agents.length}px`;
	return el(`section.account.${account.state}`,
		el(`div.account-head.${account.state}`, glyph(), el("h2", account.account), el("span.note", note)),
		agents.length > 0 ? el("div.scroll", table) : el("p.empty", "No agent has reported on this account yet.",
			all.filter((agent) => agent.refused_items > 0).map((agent) => el("span.sub",
				`${agent.agent} refuses ${agent.refused_items} names by its own settings: ${agent.refused_first}`))));
}

function makeEmpty(state) {
	if (state.accounts.length > 0)
		return el("p.empty", el("b", "Nothing to show"), byId("problems").checked ? "No place has a problem that matches." : "Nothing matches the filter.");
	return el("p.empty", el("b", "Nothing is known yet"), "Put account documents into accounts_dir, and start an agent in each VNet.");
}

function drawGrid() {
	const grid = byId("grid");
	const focus = document.activeElement?.dataset?.key;
	const scrolls = [...grid.querySelectorAll(".scroll")].map((node) => node.scrollLeft);
	const accounts = seen.state.accounts.map((account) => makeAccount(account, seen.state.agents)).filter(Boolean);
	grid.replaceChildren(...(accounts.length > 0 ? accounts : [makeEmpty(seen.state)]));
	grid.querySelectorAll(".scroll").forEach((node, at) => { node.scrollLeft = scrolls[at] ?? 0; });
	if (focus)
		grid.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
}

function drawOverall() {
	const overall = byId("overall");
	const counts = seen.state.cells;
	const parts = ["critical", "warning", "unknown"].filter((name) => counts[name] > 0).map((name) => `${counts[name]} ${name}`);
	overall.className = `overall ${seen.state.state}`;
	overall.replaceChildren(glyph(), el("span", parts.length > 0 ? parts.join(" · ") : seen.state.state === "ok" ? "all well" : "nothing known yet"));
	document.title = (parts.length > 0 ? `${parts[0]} – ` : "") + "plprobe";
}

/* ---- findings ------------------------------------------------------------------------- */

async function copyText(text, button) {
	let done = false;
	try {
		await navigator.clipboard.writeText(text);
		done = true;
	} catch {
		const range = document.createRange();
		range.selectNodeContents(button.parentNode.querySelector("pre"));
		getSelection().removeAllRanges();
		getSelection().addRange(range);
	}
	button.textContent = done ? "Copied" : "Selected";
	setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

function makeFix(text) {
	if (!text)
		return null;
	const button = el("button.copy", { type: "button" }, "Copy");
	button.addEventListener("click", () => copyText(text, button));
	return [el("p.label", "Fix"), el("div.fix", el("pre", text), button)];
}

// Many names may show one fault: the line of the wanted host first, and few of them unfolded.
function makeEvidence(text, host) {
	const lines = text.split("\n");
	lines.sort((left, right) => right.startsWith(`${host}:`) - left.startsWith(`${host}:`));
	const shown = lines.length > 3 ? 1 : lines.length;
	const rest = lines.slice(shown);
	/* A line may break within "->". */
	const join = (some) => some.join("\n").replaceAll("->", "\u2192");
	return [el("p.label", "Evidence"), el("p.evidence", join(lines.slice(0, shown))),
		rest.length > 0 ? el("details.rest", el("summary", `and ${rest.length} more like it`), el("p.evidence", join(rest))) : null];
}

function makeMore(finding, host) {
	return el("div.more",
		finding.evidence ? makeEvidence(finding.evidence, host ?? finding.host) : null,
		makeFix(finding.fix));
}

// What is confirmed needs no word; the looks stand in the title.
function makeLife(finding) {
	if (!finding.state || finding.state === "confirmed")
		return null;
	const words = { opened: "seen, not yet confirmed", flapping: "comes and goes" }[finding.state] ?? finding.state;
	const looks = [...finding.looks].map((look) => (look === "!" ? "bad" : "good")).join(", ");
	return el("span.life", { title: `newest looks: ${looks}` }, words);
}

function makeMeta(finding, withAgent) {
	return el("p.meta",
		el("span.mono", finding.code),
		withAgent ? el("span", "seen from ", el("b", finding.network || finding.agent)) : null,
		el("span", "owner ", el("b", finding.owner)),
		el("span", "since ", time(finding.opened_ms)),
		makeLife(finding),
		finding.stale ? el("span", "there is no news: whether it still holds is unknown") : null);
}

// A severity of "ok" is what is told and is no fault.
const tone = (finding) => (finding.stale ? "unknown" : finding.severity);

function makeFinding(finding) {
	const key = [finding.code, finding.agent, finding.account, finding.region, finding.host].join("/");
	const summary = el("summary", glyph(), el("div", el("p.sentence", finding.sentence), makeMeta(finding, true)));
	summary.className = tone(finding);
	return el(`li.finding.${tone(finding)}`, el("details", { "data-finding": key }, summary, makeMore(finding)));
}

function drawFindings() {
	const list = byId("finding-list");
	const open = new Set([...list.querySelectorAll("details[open]")].map((node) => node.dataset.finding));
	const words = byId("search").value.trim().toLowerCase().split(/\s+/);
	const wanted = seen.findings.findings.filter((finding) => {
		const text = `${finding.account} ${finding.place} ${finding.region} ${finding.host} ${finding.network} ${finding.agent} ${finding.code} ${finding.sentence}`.toLowerCase();
		return words.every((word) => text.includes(word));
	});
	list.replaceChildren(...wanted.map(makeFinding));
	list.querySelectorAll("details").forEach((node) => { node.open = open.has(node.dataset.finding); });
	byId("findings").hidden = wanted.length === 0;
	byId("findings-title").textContent = plural(wanted.length, "finding");
}

/* ---- what many see --------------------------------------------------------------------- */

const matches = (text) => byId("search").value.trim().toLowerCase().split(/\s+/).every((word) => text.toLowerCase().includes(word));

function makeIncident(incident) {
	const key = ["incident", incident.code, incident.scope, incident.place, incident.region, ...incident.accounts].join("/");
	const summary = el("summary", glyph(), el("div", el("p.sentence", incident.sentence), el("p.meta",
		el("span.mono", incident.code),
		el("span", "owner ", el("b", incident.owner)),
		el("span", "since ", time(incident.opened_ms)),
		el("span", plural(incident.findings, "finding")),
		incident.confirmed ? null : el("span.life", "seen, not yet confirmed"))));
	summary.className = incident.severity;
	const members = el("ul.members", incident.members.map((one) => el("li",
		el("b", one.network || one.agent), one.network ? ` ${one.agent}` : "", " · ", one.sentence)));
	if (incident.findings > incident.members.length)
		members.append(el("li", `and ${incident.findings - incident.members.length} more`));
	return el(`li.finding.${incident.severity}`, el("details", { "data-finding": key }, summary,
		el("div.more", el("p.label", "Seen by"), members, makeFix(incident.fix))));
}

// One of a single agent says nothing that its finding does not.
function drawIncidents() {
	const list = byId("incident-list");
	const open = new Set([...list.querySelectorAll("details[open]")].map((node) => node.dataset.finding));
	const wanted = (seen.incidents?.incidents ?? []).filter((one) => one.agents > 1
		&& matches([one.sentence, one.code, one.place, ...one.accounts, ...one.members.map((member) => `${member.network} ${member.agent}`)].join(" ")));
	list.replaceChildren(...wanted.map(makeIncident));
	list.querySelectorAll("details").forEach((node) => { node.open = open.has(node.dataset.finding); });
	byId("incidents").hidden = wanted.length === 0;
	byId("incidents-title").textContent = plural(wanted.length, "incident");
}

function span(ms) {
	const seconds = Math.round(ms / 1000);
	return seconds < 120 ? `${seconds} s` : seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

function makeArrival(view) {
	const who = [el("b", view.network || view.agent), view.network ? ` ${view.agent}: ` : ": "];
	if (view.state === "right")
		return el("li.ok", glyph(), el("span", who, view.right_ms === null ? "right since before the collector started" : view.after_ms < 0 ? "right even before the document said so" : `right after ${span(view.after_ms)}`));
	const silent = view.state === "silent";
	if (view.wrong_ms === null)
		return el("li.unknown", glyph(), el("span", who, silent ? "silent; has not looked at it yet" : "has not looked at it yet"));
	const whose = view.negative ? "the negative TTL" : "its TTL";
	const cache = view.until_ms > seen.propagation.now_ms ? `; by ${whose} caches may keep that until ` : `; by ${whose} no cache may keep that since `;
	return el(silent ? "li.unknown" : "li.critical", glyph(), el("span", who, silent ? "silent; not yet at " : "not yet at ", time(view.wrong_ms),
		view.why ? `: ${view.why}` : "", view.until_ms ? [document.createTextNode(cache), time(view.until_ms)] : null));
}

function makePropagation(region) {
	const key = ["region", region.account, region.region, region.added_ms].join("/");
	const tone = region.missing > 0 ? "warning" : "ok";
	const summary = el("summary", glyph(), el("div",
		el("p.sentence", `${region.account} · ${region.name}: ${plural(region.right, "agent")} ${region.right === 1 ? "sees" : "see"} it right, ${region.missing} not yet`),
		el("p.meta", el("span", "added ", time(region.added_ms), ` (${age(region.added_ms)})`))));
	summary.className = tone;
	return el(`li.finding.${tone}`, el("details", { "data-finding": key }, summary, el("div.more", el("ul.members", region.agents.map(makeArrival),
		region.right + region.missing > region.agents.length ? el("li", `and ${region.right + region.missing - region.agents.length} more`) : null))));
}

function drawPropagation() {
	const list = byId("propagation-list");
	const open = new Set([...list.querySelectorAll("details[open]")].map((node) => node.dataset.finding));
	const wanted = (seen.propagation?.regions ?? []).filter((region) => matches(`${region.account} ${region.region} ${region.name}`));
	list.replaceChildren(...wanted.map(makePropagation));
	list.querySelectorAll("details").forEach((node) => { node.open = open.has(node.dataset.finding); });
	byId("propagation").hidden = wanted.length === 0;
}

const readinessTone = { ok: "ok", unknown: "unknown", not: "critical" };

// One row a network, one column a region; what stands in a cell is one line a mode.
function makeReadiness(rows, network, region, label) {
	const here = rows.filter((row) => row.network === network && row.region === region);
	return el("td", { "data-label": label }, here.map((row) => el(`p.ready.${readinessTone[row.readiness]}`, glyph(),
		el("span", here.length > 1 || row.mode !== "gateway" ? `${row.api === "sql" ? "" : `${row.api} `}${row.mode}: ` : "", row.readiness === "not" ? "no" : row.readiness, row.reason ? `, ${row.reason}` : ""))));
}

function makeFailover(account) {
	const regions = [...new Map(account.rows.map((row) => [row.region, row])).values()];
	const networks = [...new Set(account.rows.map((row) => row.network))];
	const head = el("thead", el("tr", el("th", { scope: "col" }, "Network"), regions.map((row) => el("th", { scope: "col" },
		el("b", row.name), row.writes ? "writes now" : `priority ${row.priority}`))));
	const body = el("tbody", networks.map((network) => el("tr", el("th", { scope: "row" }, network),
		regions.map((row) => makeReadiness(account.rows, network, row.region, row.writes ? `${row.name}, writes now` : row.name)))));
	return el(`section.account.${account.state}`,
		el(`div.account-head.${account.state}`, glyph(), el("h3", account.account), el("span.note", account.sentence)),
		networks.length > 0 ? el("div.scroll", el("table.failover", head, body)) : null);
}

function drawFailover() {
	const wanted = (seen.failover?.accounts ?? []).filter((account) => account.rows.length > 0
		&& matches(`${account.account} ${account.rows.map((row) => `${row.network} ${row.name} ${row.region}`).join(" ")}`));
	byId("failover-list").replaceChildren(...wanted.map(makeFailover));
	byId("failover").hidden = wanted.length === 0;
}

/* ---- the panel ------------------------------------------------------------------------ */

const stageTone = (outcome) => ({ ok: "ok", "not-run": "unknown", "agent-late": "unknown", policy: "unknown", local: "unknown" }[outcome] ?? "critical");

// refused: that it ends here is what was looked for, and no fault.
function makeStage(name, outcome, took, words, refused = false) {
	const tone = refused && stageTone(outcome) === "critical" ? "ok" : stageTone(outcome);
	const head = el("b", glyph(), refused && outcome === "http-other" ? "refused" : outcome);
	head.className = tone;
	return el(`div.stage.${tone}`, head, el("small", [name, took, words].filter(Boolean).join(" · ")));
}

function makeFacts(pairs) {
	const list = el("dl.facts");
	for (const [name, value] of pairs)
		if (value !== "" && value !== null && value !== undefined && value !== 0)
			list.append(el("dt", name), el("dd", value));
	return list.childNodes.length > 0 ? list : null;
}

function makeDns(view, host) {
	const good = view.outcome === "ok";
	const steps = view.hops.map((hop) => el("li.mono", hop.owner, el("small", `CNAME, TTL ${hop.ttl_s} s`)));
	const end = view.hops.length > 0 ? view.hops[view.hops.length - 1].target : host;
	steps.push(el(`li.mono.end.${good ? "ok" : "critical"}`, end,
		good ? null : el("small", view.outcome)));
	for (const one of view.addresses)
		steps.push(el("li.mono.end.ok", one.address, el("small", `TTL ${one.ttl_s} s`)));
	return el("div.box",
		el("p.box-head", el("span", "resolver ", el("span.mono", view.resolver)),
			el("small", [view.outcome, millis(view.took_us), view.transport === "none" ? "" : view.transport,
				view.tries > 1 ? `${view.tries} tries` : "", view.authoritative ? "authoritative" : ""].filter(Boolean).join(" · "))),
		el("ol.chain", steps),
		view.detail ? el("p.aside", view.detail) : null);
}

function makeEndpoint(one, refused = false) {
	const http = one.http_status ? `${one.http_status}${one.error_code ? ` ${one.error_code}` : ""}` : "";
	return el("div.box",
		el("p.box-head", el("span.mono", `${one.address} port ${one.port}`), el("small", one.local ? `from ${one.local}` : "")),
		el("div.stages",
			makeStage("TCP", one.tcp, millis(one.tcp_us), "", refused),
			makeStage("TLS", one.tls, millis(one.tls_us), one.tls_version, refused),
			one.greeting ? makeStage("front end", one.greeting.outcome, millis(one.greeting.took_us), one.greeting.wants_login ? "asks for login" : "", refused)
				: makeStage("HTTP", one.http, millis(one.http_total_us), http, refused)),
		makeFacts([
			["said", one.error_text], ["path", one.path === "not-told" ? "" : one.path], ["seen as", one.seen_as],
			["certificate", one.subject], ["names", one.sans], ["issuer", one.issuer],
			["valid until", one.not_after_ms ? time(one.not_after_ms) : ""],
			["verification", one.verify_code ? `${one.verify_code}: ${one.verify_text}` : ""],
			["gateway", one.gateway_version], ["redirected to", one.location],
			...makeGreeting(one.greeting),
			["connection", one.detail], ["request", one.http_detail],
		]));
}

// What the front end of another API than NoSQL said before anybody logged in.
function makeGreeting(one) {
	if (!one)
		return [];
	return [["said", one.error_text], ["path", one.path === "not-told" ? "" : one.path], ["seen as", one.seen_as],
		["wire version", one.wire_most], ["hands out", one.hosts], ["CQL", one.versions], ["server", one.server], ["front end", one.detail]];
}

// Signed requests, and what they told.
function makeFeed(feed) {
	return el("div.box",
		el("p.box-head", el("span", "signed requests ", el("span.mono", feed.address)), el("small", feed.container)),
		el("div.stages", makeStage("up to", feed.outcome, millis(feed.took_us), [feed.step, feed.http_status || ""].filter(Boolean).join(" "))),
		makeFacts([["said", feed.error_text], ["what went wrong", feed.detail], ["seen as", feed.seen_as],
			["admitted", feed.admitted ? "yes" : ""], ["short of replicas", feed.short_detail]]));
}

function makeReplica(one) {
	const end = one.end ?? { tcp: "not-run", tls: "not-run" };
	return el("div.box",
		el("p.box-head", el("span.mono", `${one.host} port ${one.port}`), el("small", [end.address, one.primary ? "primary" : ""].filter(Boolean).join(" · "))),
		el("div.stages",
			one.dns === "not-run" ? null : makeStage("name", one.dns, millis(one.dns_us), ""),
			makeStage("TCP", end.tcp, millis(end.tcp_us), ""),
			makeStage("TLS", end.tls, millis(end.tls_us), end.tls_version),
			makeStage("context", one.context, millis(one.context_us), one.status ? `status ${one.status}` : "")),
		makeFacts([["server", one.server_version], ["said", one.error_text], ["SDK stage", one.stage],
			["TransportErrorCode", one.sdk_code], ["connection", end.detail], ["context", one.detail], ["issuer", end.issuer]]));
}

function makeThin(one) {
	const end = one.end ?? { tcp: "not-run", tls: "not-run" };
	return el("div.box",
		el("p.box-head", el("span.mono", `${one.host} port ${one.port}`), el("small", [end.address, one.advertised ? "advertised" : ""].filter(Boolean).join(" · "))),
		el("div.stages",
			makeStage("TCP", end.tcp, millis(end.tcp_us), ""),
			makeStage("TLS", end.tls, millis(end.tls_us), one.alpn),
			makeStage("probe", one.outcome, millis(one.wait_us), one.status ? `status ${one.status}` : "")),
		makeFacts([["connection", end.detail], ["probe", one.detail]]));
}

// What a mode of its own showed, if it was measured.
function makeModes(measurement) {
	const body = [];
	const replicas = measurement.replicas ?? [], thins = measurement.thins ?? [];
	if (measurement.feed)
		body.push(el("h3", "Credentials"), makeFeed(measurement.feed));
	if (replicas.length > 0)
		body.push(el("h3", plural(replicas.length, "replica")), ...replicas.map(makeReplica));
	if (thins.length > 0)
		body.push(el("h3", "Gateway V2"), ...thins.map(makeThin));
	return body;
}

// The negative test, where a resolver outside is configured.
function makeOutside(outside, kind) {
	return [el("h3", `Public address, from outside: ${kind}`), outside.detail ? el("p.aside", outside.detail) : null,
		...outside.dns.map((view) => makeDns(view, "")), ...outside.endpoints.map((one) => makeEndpoint(one, kind === "refused")),
		outside.feed ? makeFeed(outside.feed) : null].filter(Boolean);
}

function makePanel(cell) {
	const body = [];
	const state = cell.cell;
	body.push(el(`p.verdict.${state.state}`, glyph(), el("span", state.stale ? cellWords(state) : state.words || state.state)));
	body.push(el("p.aside", "measured ", state.seen_ms ? time(state.seen_ms) : "never", state.seen_ms ? `, ${age(state.seen_ms)}` : "",
		state.stale && state.last_state ? `; it was ${state.last_state} then` : "",
		cell.role === "sweep" ? "; this region is not configured: the name was asked for to find left-over records" : ""));
	for (const finding of cell.findings)
		body.push(el(`div.finding.plain.${tone(finding)}`, el("p.sentence", finding.sentence), makeMeta(finding, false), makeMore(finding, cell.host)));
	const measurement = cell.measurement;
	if (measurement) {
		if (measurement.detail)
			body.push(el("p.aside", measurement.detail));
		if (measurement.dns.length > 0)
			body.push(el("h3", "Name"), ...measurement.dns.map((view) => makeDns(view, cell.host)));
		if (measurement.endpoints.length > 0)
			body.push(el("h3", plural(measurement.endpoints.length, "address").replace("addresss", "addresses")), ...measurement.endpoints.map((one) => makeEndpoint(one)));
		body.push(...makeModes(measurement));
		if (measurement.outside)
			body.push(...makeOutside(measurement.outside, state.public_address));
	}
	return body;
}

async function openCell(key) {
	const [agent, account, region, host, mode = "gateway", api = "sql"] = key.split("/").map(decodeURIComponent);
	const query = new URLSearchParams({ agent, account, region, host, mode, api });
	const panel = byId("panel");
	const answer = await fetch(`/v1/cell?${query}`);
	if (!answer.ok) {
		closeCell();
		return;
	}
	const cell = await answer.json();
	byId("panel-title").textContent = `${cell.account} · ${cell.name}`;
	byId("panel-crumb").textContent = `${cell.host} seen from ${cell.agent.network || cell.agent.agent}${cell.agent.network ? ` (${cell.agent.agent})` : ""}`;
	const body = byId("panel-body");
	const top = panel.dataset.key === key ? body.scrollTop : 0;
	panel.dataset.key = key;
	body.replaceChildren(...makePanel(cell));
	if (!panel.open)
		panel.showModal();
	body.scrollTop = top;
}

function closeCell() {
	const panel = byId("panel");
	if (panel.open)
		panel.close();
}

// The address names the open cell, so that it can be sent to a colleague.
function followHash() {
	const key = location.hash.startsWith("#/") ? location.hash.slice(2) : "";
	if ([4, 5, 6].includes(key.split("/").length))
		openCell(key).catch(() => {});
	else
		closeCell();
}

/* ---- refreshing ----------------------------------------------------------------------- */

function draw() {
	if (!seen.state)
		return;
	drawOverall();
	drawIncidents();
	drawGrid();
	drawPropagation();
	drawFindings();
	drawFailover();
}

function drawFresh() {
	if (seen.atMs)
		byId("fresh").replaceChildren("as of ", time(seen.state.now_ms));
}

async function get(path) {
	const answer = await fetch(path, { cache: "no-store" });
	if (!answer.ok)
		throw new Error(`${path}: ${answer.status}`);
	return answer.json();
}

// What says when is no change by itself.
const essence = (answers) => JSON.stringify(answers.map((answer) => ({ ...answer, now_ms: 0 })));

async function refresh() {
	try {
		const answers = await Promise.all(["state", "findings", "incidents", "propagation", "failover"].map((name) => get(`/v1/${name}`)));
		const [state, findings, incidents, propagation, failover] = answers;
		const text = essence(answers);
		Object.assign(seen, { state, findings, incidents, propagation, failover, atMs: Date.now(), offsetMs: state.now_ms - Date.now() });
		byId("banner").hidden = true;
		if (text !== seen.text || state.agents.some((agent) => agent.state === "silent"))
			draw();
		seen.text = text;
		drawFresh();
		if (byId("panel").open)
			await openCell(byId("panel").dataset.key);
	} catch {
		byId("banner").textContent = seen.atMs ? `The collector does not answer; this is what it said at ${new Date(seen.atMs).toLocaleTimeString()}.`
			: "The collector does not answer.";
		byId("banner").hidden = false;
	}
}

function start() {
	byId("grid").addEventListener("click", (event) => {
		const button = event.target.closest("button[data-key]");
		if (button)
			location.hash = `/${button.dataset.key}`;
	});
	byId("panel").addEventListener("close", () => {
		if (location.hash)
			history.replaceState(null, "", location.pathname + location.search);
	});
	byId("panel").addEventListener("click", (event) => {
		if (event.target === byId("panel"))
			closeCell();
	});
	byId("panel-close").addEventListener("click", closeCell);
	byId("problems").addEventListener("change", draw);
	byId("search").addEventListener("input", draw);
	addEventListener("hashchange", followHash);
	document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
	setInterval(() => { if (!document.hidden) refresh(); }, REFRESH_MS);
	refresh().then(followHash);
}

start();
