// The panels, filled from an overview.

import { $, rows, text } from "./dom.js";
import { bytes, clock, count, day, opened, plural, rate, span, took } from "./format.js";

const few = 8, slow = 6; // rows of what could be many: connections, handshakes
const phases = [["connecting", "enrolling"], ["handshaking"], ["established"], ["closing"]];

/** The figures on top. last are rates of the last seconds, recent sums of minutes. */
export function figures(o, last, recent) {
  const t = o.Totals, now = o.Counted;
  text($("f-connections"), count(t["net:connections"]));
  text($("f-connections-more"), `${count(now.Established)} established`);
  text($("f-in"), `${rate(last.in)}/s`);
  text($("f-in-more"), `${bytes(last.bytesIn)}/s, ${count(t["net:messages_in"])} so far`);
  text($("f-out"), `${rate(last.out)}/s`);
  text($("f-out-more"), `${bytes(last.bytesOut)}/s, ${count(t["net:messages_out"])} so far`);
  text($("f-handshakes"), `${rate(last.handshakes)}/s`);
  text($("f-handshakes-more"), `${count(t["tls:handshakes"])} so far, ${count(t["tls:resumed"])} resumed`);
  text($("f-failed"), count(recent.failed));
  text($("f-failed-more"), `in 5 minutes, ${count(t["tls:handshakes_failed"])} so far`);
  text($("f-queued"), count(now.Queued));
  text($("f-queued-more"), `${plural(now.Stuck, "peer takes", "peers take")} no bytes`);
}

/** All tables but that of the search. */
export function tables(o) {
  peerTable(o);
  phaseTable(o);
  rows(inside("listeners"), o.Listeners, (l) => l.Proto + l.Address, (l) => [
    { text: `${l.Proto}:${l.Address}`, more: l.Tag },
    { text: l.Proto === "udp" ? "–" : count(l.Connections), n: true },
  ], "Nothing listens.");
  rows(inside("slow"), o.Slow, (p) => p.ID, (p) => [
    { text: p.Remote, more: p.Proto, conn: p.ID },
    { text: count(p.Queue), n: true },
    { text: p.Stuck ? "no" : "yes", tone: p.Stuck ? "warn" : "" },
    { text: span(p.Idle), n: true },
  ], "None: every message is out.");
  rows(inside("connecting"), o.Connecting, (d) => d.Proto + d.Remote, (d) => [
    { text: d.Remote, more: d.Proto, conn: d.Last },
    { text: count(d.Connecting), n: true },
    { text: count(d.Handshaking), n: true },
    { text: count(d.Parked), n: true },
    { text: span(d.Oldest), n: true, tone: d.Oldest > 5 ? "warn" : "" },
  ], "None.");
  const refused = o.Refused.map((r) => ({ ...r, Reason: `refused: ${r.Reason.replaceAll("_", " ")}`, Recent: null }));
  rows(inside("closes"), [...o.Closes, ...refused], (c) => c.Reason, (c) => [
    c.Reason,
    { text: c.Recent === null ? "–" : count(c.Recent), n: true },
    { text: count(c.Total), n: true },
  ], "No connection has closed yet.");
  rows(inside("slowest"), o.Slowest.slice(0, slow), (h) => h.ID, (h) => [
    { text: h.Remote, more: h.Direction === "out" ? opened("out") : "", conn: h.ID },
    { text: took(h.Took), n: true },
    { text: h.TLS, more: h.Resumed ? "resumed" : "" },
    h.Domain,
    { text: clock(h.At), n: true },
  ], "No handshake yet.");
  rows(inside("domains"), o.Domains, (d) => d.Role + d.Name, domainCells, "No TLS domain is configured.");
  rows(inside("errors"), o.Errors, (e) => [e.First, e.Reason, e.Remote, e.Detail, !e.ID].join(), (e) => [
    clock(e.Last),
    { text: e.Remote, more: `${e.Proto}, opened ${opened(e.Direction)}`, conn: e.ID },
    { text: e.Reason, more: e.Detail },
    e.Blame,
    { text: count(e.Times), n: true },
  ], "None.");
}

const inside = (id) => $(id).querySelector("table");

/** A row is a trunk, those in most trouble first. */
function peerTable(o) {
  text($("peers-count"), o.PeersTotal > o.Peers.length ? `${count(o.Peers.length)} of ${count(o.PeersTotal)}` : "");
  rows(inside("peers"), o.Peers, (p) => p.Name, (p) => [
    { text: p.Name, more: p.Configured ? "configured" : "" },
    { text: p.State, more: p.DownFor ? `for ${span(p.DownFor)}` : "", tone: p.State === "down" || p.State === "left alone" ? "bad" : "" },
    { text: count(p.Connections), n: true },
    { text: count(p.RequestsIn), n: true },
    { text: count(p.RequestsOut), more: p.Unanswered ? `${count(p.Unanswered)} unanswered` : "", n: true },
    p.Answers.map((n, i) => (n ? `${i + 1}xx ${count(n)}` : "")).filter(Boolean).join(", ") || "–",
    { text: count(p.Refused), n: true, tone: p.Refused ? "warn" : "" },
    p.P99 ? { text: took(p.P50), more: `99 % below ${took(p.P99)}`, n: true } : { text: "–", n: true },
    p.LastError ? { text: p.LastError, more: clock(p.LastErrorAt) } : "–",
  ], "No request has come or gone yet.");
}

function phaseTable(o) {
  const kinds = new Map();
  for (const c of o.Connections) {
    const key = `${c.Proto}, ${opened(c.Direction)}`;
    if (!kinds.has(key)) kinds.set(key, new Map());
    kinds.get(key).set(c.Phase, c.Count);
  }
  rows(inside("phases"), [...kinds], ([key]) => key, ([key, byPhase]) => [
    key,
    ...phases.map((names) => ({ text: count(names.reduce((sum, p) => sum + (byPhase.get(p) ?? 0), 0)), n: true })),
  ], "No connection.");
}

function domainCells(d) {
  let left = { text: "none" };
  if (d.DaysLeft !== null) {
    const tone = d.DaysLeft <= 7 ? "bad" : d.DaysLeft < 30 ? "warn" : "good";
    left = { text: d.DaysLeft < 0 ? "expired" : `${plural(d.DaysLeft, "day")} left`, more: `until ${day(d.NotAfter)}`, tone };
  }
  const matches = [...(d.Addresses ?? []), ...(d.Names ?? [])];
  return [
    { text: d.Name, more: d.Library },
    d.Role,
    left,
    d.Versions.replaceAll("_", ".").replace("-", " to "),
    d.Verify ? (d.Role === "server" && !d.Require ? "checked if shown" : "must be good") : "not checked",
    matches.length ? matches.slice(0, 6).join(", ") + (matches.length > 6 ? ", …" : "") : "any",
    { text: count(d.Connections), n: true },
  ];
}

/** Connections: what a search found, or else a few. */
export function found(result, searched) {
  const list = searched ? result.Connections : result.Connections.slice(0, few);
  text($("found-count"), result.Total > list.length ? `${count(list.length)} of ${count(result.Total)}` : count(result.Total));
  rows($("found"), list, (c) => c.ID, (c) => [
    { text: c.Remote, more: c.Name || c.Proto, conn: c.ID },
    opened(c.Direction),
    c.Phase,
    c.TLS || "–",
    c.Domain || "–",
    { text: count(c.Queue), n: true, tone: c.Stuck ? "warn" : "" },
    { text: span(c.Age), n: true },
    { text: span(c.Idle), n: true },
  ], "No connection.");
}
