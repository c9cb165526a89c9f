// The page's heart: asks once a second, shows the answers, and comes back by
// itself when the program does.

import { findings, showFindings } from "./attention.js";
import { calls, install as installCalls, questions as aboutCalls } from "./calls.js";
import { Chart } from "./chart.js";
import * as conn from "./conn.js";
import { destinations } from "./destinations.js";
import { $, say, text } from "./dom.js";
import { clock, span } from "./format.js";
import { figures, found, tables } from "./panels.js";
import { install as installRegistrations, questions as aboutRegistrations, registrations } from "./registrations.js";
import { batch, call, hasToken, Refused, setToken, Unauthorized } from "./rpc.js";

const every = 1000, slowly = 4000; // milliseconds between questions; while there is no answer, at most
const window = 5 * 60_000;

const charts = [
  new Chart("Messages", "per second", ["in", "out"]),
  new Chart("Handshakes", "per second", ["done", "failed"]),
  new Chart("Connections", "open", ["open"], true),
];
$("graphs").append(...charts.map((c) => c.figure));

let samples = []; // objects by the names that the program gives the fields
let next = 0; // number of the next sample
let started = null; // when the program that answers began
let failures = 0;
let answered = null; // when it last answered
let timer, asking = false, again = false;

/** Asks now; and again if somebody wants that while it is under way. */
async function ask() {
  clearTimeout(timer);
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  const id = conn.current();
  const commands = [["overview", { since: next }], ["find_conns", { words: $("find-words").value }]];
  const phones = aboutRegistrations(started), running = aboutCalls(started);
  commands.push(...phones, ...running);
  if (id) commands.push(["conn_details", { id }]);
  let answers = null;
  try {
    answers = await batch(commands);
    if (answers[0] instanceof Refused) throw answers[0];
    failures = 0;
    answered = Date.now();
  } catch (e) {
    if (e instanceof Unauthorized) {
      asking = false;
      login();
      return;
    }
    answers = null;
    failures++;
    link("lost", answered ? `no answer since ${clock(answered)}, trying again` : "no answer, trying again");
  }
  asking = false;
  const soon = again;
  again = false;
  if (answers) {
    const [overview, conns] = answers, details = id ? answers.at(-1) : null;
    link("live", "live");
    show(overview);
    if (!(conns instanceof Refused)) found(conns, $("find-words").value !== "");
    if (phones.length) registrations(started, answers[2], answers[3]);
    if (running.length) calls(started, answers[2 + phones.length]);
    if (details && id === conn.current()) conn.details(details);
  }
  if (!document.hidden) timer = setTimeout(ask, soon || again ? 0 : failures ? Math.min(every * failures, slowly) : every);
}

/** Tells whether the program answers. */
function link(state, words) {
  const box = $("link");
  if (box.dataset.state === "lost" && state === "live") say("The program answers again.");
  if (box.dataset.state === "live" && state === "lost") say("The program does not answer. The figures are old.");
  if (box.dataset.state !== state) box.dataset.state = state;
  text($("link-text"), words);
  document.body.classList.toggle("stale", state === "lost");
}

function show(o) {
  if (started !== null && o.Started !== started) {
    // Another run of the program: it counts anew, and we asked for a part only.
    samples = [];
    next = 0;
    again = true;
  } else {
    take(o);
  }
  started = o.Started;
  const now = samples.length ? samples.at(-1).Time : Date.parse(o.Now);
  const rates = pairs().map(([a, b]) => {
    const per = (name) => Math.max(0, b[name] - a[name]) / ((b.Time - a.Time) / 1000);
    return { time: b.Time, in: per("MessagesIn"), out: per("MessagesOut"), bytesIn: per("BytesIn"), bytesOut: per("BytesOut"),
      handshakes: per("Handshakes"), failed: per("HandshakesFailed") };
  });
  charts[0].update(rates.map((r) => [r.time, r.in, r.out]), now);
  charts[1].update(rates.map((r) => [r.time, r.handshakes, r.failed]), now);
  charts[2].update(samples.map((s) => [s.Time, s.Connections]), now);

  const first = samples[0], latest = samples.at(-1);
  const recent = { handshakes: first ? latest.Handshakes - first.Handshakes : 0, failed: first ? latest.HandshakesFailed - first.HandshakesFailed : 0 };
  const last = rates.at(-1) ?? { in: 0, out: 0, bytesIn: 0, bytesOut: 0, handshakes: 0 };
  figures(o, last, recent);
  tables(o);
  destinations(o);
  showFindings(findings(o, recent));
  text($("about"), `${o.Version.replace(/^sipreactor \((.*)\)$/, "$1")} · up ${span((Date.parse(o.Now) - Date.parse(o.Started)) / 1000)}`);
  showTracing(o.Tracing);
}

/** Takes the samples that came, and lets those go that are out of the window. */
function take(o) {
  for (const row of o.Samples) samples.push(Object.fromEntries(o.SampleFields.map((name, i) => [name, row[i]])));
  next = o.Next;
  const newest = samples.at(-1)?.Time ?? 0;
  samples = samples.filter((s) => s.Time > newest - window);
}

function pairs() {
  return samples.slice(1).map((s, i) => [samples[i], s]).filter(([a, b]) => b.Time > a.Time);
}

function showTracing(state) {
  const button = $("trace");
  button.hidden = state === "";
  const on = String(state === "on");
  if (button.getAttribute("aria-checked") !== on) button.setAttribute("aria-checked", on);
}

$("trace").addEventListener("click", async () => {
  const to = $("trace").getAttribute("aria-checked") === "true" ? "off" : "on";
  try {
    await call("tls_trace", [to]);
    showTracing(to);
    say(`TLS tracing is ${to}.`);
  } catch (e) {
    say(`Tracing stays as it was: ${e.message}`);
  }
});

/** Asks for the token, then goes on. */
function login() {
  link("waiting", "waiting for the token");
  text($("login-wrong"), hasToken() ? "This token was not accepted." : "");
  if (!$("login").open) $("login").showModal();
  $("login-token").focus();
}

$("login-form").addEventListener("submit", (e) => {
  e.preventDefault();
  setToken($("login-token").value);
  $("login-token").value = "";
  $("login").close();
  ask();
});
$("login").addEventListener("cancel", (e) => e.preventDefault());

$("find-form").addEventListener("submit", (e) => { e.preventDefault(); ask(); });
let typing;
$("find-words").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(ask, 150);
});
installRegistrations(ask);
installCalls(ask);
conn.install();
addEventListener("hashchange", () => { if (conn.current()) ask(); });
// A page that nobody sees asks nothing.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else if (!$("login").open) ask();
});

conn.follow();
ask();
