// One connection: what is known of it, and the button that ends it.

import { $, el, say, text } from "./dom.js";
import { bytes, clock, count, day, opened, span, took } from "./format.js";
import { question } from "./question.js";
import { call } from "./rpc.js";

let shown = null; // id of the connection that is shown
let known = null; // its details, once they are there
let sections = "";

/** The id of the connection that is shown, or null. */
export const current = () => shown;

/** Shows the connection that the address names after #conn=, if it does. */
export function follow() {
  const match = /^#conn=(\d{1,20})$/.exec(location.hash);
  const dialog = $("conn");
  if (!match) {
    shown = null;
    if (dialog.open) dialog.close();
    return;
  }
  if (shown === match[1]) return;
  shown = match[1];
  known = null;
  sections = "";
  text($("conn-title"), "Connection");
  $("conn-body").replaceChildren(el("p", "muted", "reading…"));
  $("conn-close").hidden = true;
  if (!dialog.open) dialog.showModal();
}

/** Leaves the details; what was shown before them stays where it was. */
function leave() {
  history.replaceState(null, "", location.pathname + location.search);
  follow();
}

/** Shows details, or the error that came instead of them. */
export function details(d) {
  if (d instanceof Error) {
    if (known) return; // what was known stays to be read
    $("conn-body").replaceChildren(el("p", "", d.code === 404 ? "This connection is gone, and too long ago to be remembered." : d.message));
    return;
  }
  if (d.ID !== shown) return;
  known = d;
  text($("conn-title"), `${d.Proto ? d.Proto.toUpperCase() : "Connection"} ${d.Direction === "out" ? "to" : "from"} ${d.Remote || d.ID}`);
  $("conn-close").hidden = !d.Open;
  const parts = [part("", summary(d))];
  if (d.State) parts.push(part("Traffic", traffic(d.State)));
  if (d.State?.TLS) parts.push(part("TLS", tls(d.State)));
  if (d.Certificate) parts.push(part("Peer’s certificate", certificate(d.Certificate)));
  else if (d.State?.TLS) parts.push(part("Peer’s certificate", [["Shown", "none"]]));
  parts.push(part("History", null, events(d)));
  // The same parts again only get new texts: a selection in them survives.
  const outline = parts.map((p) => p.dataset.outline).join("|");
  if (outline === sections) refresh($("conn-body"), parts);
  else $("conn-body").replaceChildren(...parts);
  sections = outline;
}

function refresh(body, parts) {
  parts.forEach((p, i) => {
    const old = body.children[i].querySelectorAll("dd, li");
    p.querySelectorAll("dd, li").forEach((fresh, j) => text(old[j], fresh.textContent));
  });
}

function part(title, pairs, more) {
  const section = el("section");
  if (title) section.append(el("h3", "", title));
  if (pairs) {
    section.append(el("dl", "pairs", ...pairs.filter(([, value]) => value !== "").map(([name, value]) => el("div", "", el("dt", "", name), el("dd", "", String(value))))));
  }
  if (more) section.append(more);
  section.dataset.outline = title + [...section.querySelectorAll("dt, li")].map((e) => (e.localName === "dt" ? e.textContent : "-")).join();
  return section;
}

function summary(d) {
  const s = d.State;
  return [
    ["State", s ? s.Phase : d.EndReason ? `closed: ${d.EndReason}` : "closed"],
    ["Why", d.EndDetail], ["Blame", d.EndBlame && d.EndBlame !== "none" ? d.EndBlame : ""],
    ["Opened", opened(d.Direction)], ["Peer", d.Remote], ["Here", d.Local], ["Listener", d.Listener],
    ["Age", s ? span(s.Age) : ""], ["Idle", s ? span(s.Idle) : ""], ["ID", d.ID],
  ];
}

const traffic = (s) => [
  ["Messages in", count(s.MessagesIn)], ["Messages out", count(s.MessagesOut)],
  ["Bytes in", bytes(s.BytesIn)], ["Bytes out", bytes(s.BytesOut)],
  ["Waiting", count(s.Queue)], ["Unanswered", count(s.Unanswered)], ["Takes bytes", s.Stuck ? "no" : "yes"],
];

const tls = (s) => [
  ["Version", s.TLS], ["Cipher", s.Cipher], ["Key", `${s.CipherBits} bits`], ["Domain", s.Domain],
  ["Handshake", took(s.Handshake) + (s.Resumed ? ", resumed" : "")],
];

const certificate = (c) => [
  ["Subject", c.Subject], ["Issuer", c.Issuer],
  ["Names", c.Names.join(", ") + (c.MoreNames ? ` and ${count(c.MoreNames)} more` : "")],
  ["Valid", `${day(c.NotBefore)} – ${day(c.NotAfter)}`], ["Checked", c.Verified ? "yes, and found good" : "no"],
  ["Key", c.Key], ["Serial", c.Serial], ["SHA-256", c.Fingerprint],
];

function events(d) {
  if (!d.EventsKept) return el("p", "muted", "None kept: there were too many connections when it came.");
  return el("ol", "events", ...d.Events.map((e) => el("li", "", `${clock(e.Time)}  +${took(e.After * 1000)}  ${e.Event}`)));
}

async function close(id, remote) {
  try {
    await call("tcp_close_conn", [id]);
    say(`The connection with ${remote} is being closed.`);
  } catch (e) {
    say(`It was not closed: ${e.message}`);
  }
}

/** Makes the dialogs work. */
export function install() {
  addEventListener("hashchange", follow);
  document.addEventListener("click", (e) => {
    const conn = e.target.closest?.("[data-conn]")?.dataset.conn;
    if (conn) location.hash = `conn=${conn}`;
  });
  $("conn-leave").addEventListener("click", leave);
  $("conn").addEventListener("cancel", (e) => { e.preventDefault(); leave(); });
  $("conn-close").addEventListener("click", async () => {
    if (!known?.Open) return;
    const waiting = known.State.Queue ? ` ${count(known.State.Queue)} waiting messages may be lost.` : "";
    const { ID, Remote } = known;
    const more = `${known.Proto.toUpperCase()} ${known.Direction === "out" ? "to" : "from"} ${known.Remote}, ${known.State.Phase} for ${span(known.State.Age)}.${waiting} The peer may connect again at once.`;
    if (await question({ title: "Close this connection?", more, no: "Keep it", yes: "Close it" })) close(ID, Remote);
  });
}
