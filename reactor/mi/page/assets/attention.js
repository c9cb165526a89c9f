// What wants the operator's attention, most pressing first.

import { $, el, text } from "./dom.js";
import { count, day, plural, span } from "./format.js";

const soon = 30, verySoon = 7; // days that a certificate has left
const patientFor = 5; // seconds that a connect may take before it is told
const few = 5; // peers that are told one by one
const fewOf = 0.05; // share of handshakes that may fail

/** Lists [level, text, place] for an overview; recent are sums of the last minutes. */
export function findings(o, recent) {
  const all = [];
  const add = (level, what, place) => all.push({ level, what, place });
  if (!o.Listeners.length) add("bad", "Nothing listens.", "listeners");
  for (const d of o.Domains) {
    if (d.DaysLeft === null) continue;
    const who = `The certificate of domain ${d.Name} (${d.Role})`;
    if (new Date(d.NotBefore) > new Date(o.Now)) add("bad", `${who} is valid from ${day(d.NotBefore)} only.`, "domains");
    else if (d.DaysLeft < 0) add("bad", `${who} has expired on ${day(d.NotAfter)}.`, "domains");
    else if (d.DaysLeft <= verySoon) add("bad", `${who} has ${plural(d.DaysLeft, "day")} left.`, "domains");
    else if (d.DaysLeft < soon) add("warn", `${who} has ${plural(d.DaysLeft, "day")} left.`, "domains");
  }
  const dead = o.Peers.filter((p) => p.State === "down" || p.State === "left alone");
  for (const p of dead.slice(0, few)) {
    const lost = p.Refused ? ` ${plural(p.Refused, "request")} got a 503 for it so far.` : "";
    add("bad", `${p.Name} is down for ${span(p.DownFor)}: ${p.LastError}.${lost}`, "peers");
  }
  if (dead.length > few) add("bad", `${plural(dead.length - few, "more peer is", "more peers are")} down.`, "peers");
  if (o.Counted.RefusedRecent) add("bad", `${plural(o.Counted.RefusedRecent, "connection")} refused in the last five minutes.`, "errors");
  const full = o.Closes.find((c) => c.Reason === "queue full");
  if (full?.Recent) add("bad", `${plural(full.Recent, "connection")} closed in the last five minutes because too much waited for them.`, "closes");
  if (o.Counted.Stuck) add("warn", `${plural(o.Counted.Stuck, "peer takes", "peers take")} no bytes at the moment.`, "slow");
  const mute = o.Connecting.filter((d) => d.Oldest > patientFor);
  if (mute.length) {
    const oldest = span(mute[0].Oldest);
    add("warn", `${plural(mute.length, "destination does", "destinations do")} not answer: ${mute[0].Remote} for ${oldest}${mute.length > 1 ? " and others" : ""}.`, "connecting");
  }
  const tried = recent.handshakes + recent.failed;
  if (recent.failed > 0 && recent.failed >= fewOf * tried) {
    add("warn", `${count(recent.failed)} of ${plural(tried, "handshake")} failed in the last five minutes.`, "errors");
  }
  if (o.EventsLost) add("warn", `${plural(o.EventsLost, "event")} came too fast to be listed here; every figure is right all the same.`, "errors");
  return all.sort((a, b) => (a.level === b.level ? 0 : a.level === "bad" ? -1 : 1));
}

/** Shows findings. */
export function showFindings(all) {
  const level = all[0]?.level ?? "good";
  const box = $("attention");
  if (box.dataset.level !== level) box.dataset.level = level;
  text($("attention-title"), all.length ? `${plural(all.length, "thing wants", "things want")} attention` : "All is well");
  const list = $("attention-list");
  all.forEach((f, i) => {
    let item = list.children[i];
    if (!item) {
      item = el("li", "", el("a"));
      list.append(item);
    }
    item.className = f.level;
    const link = item.firstChild;
    text(link, f.what);
    if (link.getAttribute("href") !== `#${f.place}`) link.setAttribute("href", `#${f.place}`);
  });
  while (list.children.length > all.length) list.lastChild.remove();
}
