// Who is registered: totals, rates, and contacts by what they have in them.

import { $, rows, text } from "./dom.js";
import { count, plural, rate, span } from "./format.js";
import { Refused } from "./rpc.js";

const box = $("registrations"), table = box.querySelector("table"), words = $("registrations-words");
let without = null; // the run of the program that keeps no contacts
let before = null; // the counters of the last answer, with their time

/** The questions of the panel, none where the program keeps no contacts. */
export function questions(run) {
  return without !== null && without === run ? [] : [["ul_find", { words: words.value }], ["get_statistics", { statistics: ["registrar:"] }]];
}

/** Shows the answers to the questions. */
export function registrations(run, found, counted) {
  if (found === undefined) return;
  box.hidden = found instanceof Refused;
  if (box.hidden) {
    without = run;
    return;
  }
  text($("registrations-count"), [plural(found.Users, "user"), plural(found.Contacts, "contact"), speed(counted)].filter(Boolean).join(" · "));
  rows(table, found.Found, (f) => JSON.stringify([f.Table, f.AOR, f.Contact]), (f) => [
    { text: f.AOR, more: f.Table },
    { text: f.Contact, more: f.Received },
    f.Agent || "–",
    f.Connection ? { text: f.Lost ? "ended" : "open", more: f.Lost ? "" : f.Connection, conn: f.Connection, tone: f.Lost ? "warn" : "" } : "–",
    { text: f.Left < 0 ? "never" : span(f.Left), n: true },
  ], words.value ? "None has these words." : "Nobody.");
  text($("registrations-more"), found.Total > found.Found.length ? `${count(found.Total)} in all; ${count(found.Found.length)} are shown.` : "");
}

/** Registrations a second since the last answer. */
function speed(counted) {
  if (!counted || counted instanceof Refused) return "";
  const now = { time: Date.now(), good: Number(counted["registrar:accepted_regs"] ?? 0), bad: Number(counted["registrar:rejected_regs"] ?? 0) };
  const last = before;
  before = now;
  if (!last || now.time <= last.time) return "";
  const per = (a, b) => Math.max(0, b - a) / ((now.time - last.time) / 1000);
  return `${rate(per(last.good, now.good))} accepted and ${rate(per(last.bad, now.bad))} refused a second`;
}

/** Has ask called when the words change. */
export function install(ask) {
  $("registrations-form").addEventListener("submit", (e) => { e.preventDefault(); ask(); });
  let typing;
  words.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(ask, 150);
  });
}
