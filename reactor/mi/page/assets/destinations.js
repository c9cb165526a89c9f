// Where modules send calls: sets, gateways and carriers, with buttons for each.

import { $, el, rows, say, text } from "./dom.js";
import { count, span, took } from "./format.js";
import { call } from "./rpc.js";

const tones = { Active: "good", Inactive: "", Probing: "bad", Unreachable: "bad", Resting: "warn" };
const key = (d) => JSON.stringify([d.Module, d.Group, d.Name]);
const table = $("destinations").querySelector("table");

/** The table, filled from an overview; it is not there when nothing sends calls anywhere. */
export function destinations(o) {
  $("destinations").hidden = !o.DestinationsTotal;
  text($("destinations-count"), o.DestinationsTotal > o.Destinations.length ? `${count(o.Destinations.length)} of ${count(o.DestinationsTotal)}` : "");
  rows(table, o.Destinations, key, (d) => [
    { text: d.Kind ? `${d.Kind} ${d.Name}` : d.URI, more: d.Kind || d.Name === d.URI ? "" : d.Name },
    { text: d.Module, more: d.Group },
    { text: d.State, more: [d.For ? `for ${span(d.For)}` : "", d.Why].filter(Boolean).join(", "), tone: tones[d.State] ?? "" },
    { text: d.Kind ? "–" : count(d.Calls), more: d.Running ? `${count(d.Running)} under way` : "", n: true },
    d.Answers.map((n, i) => (n ? `${i + 1}xx ${count(n)}` : "")).filter(Boolean).join(", ") || "–",
    { text: d.Silent + d.Failed ? count(d.Silent + d.Failed) : "–", more: d.Failed ? `${count(d.Failed)} not sent` : "", n: true, tone: d.Silent + d.Failed ? "warn" : "" },
    { text: d.Latency ? took(d.Latency) : "–", n: true },
    "",
  ], "None.");
  for (const d of o.Destinations) {
    const row = [...table.tBodies[0].rows].find((r) => r.dataset.key === key(d));
    if (row) actions(row.lastElementChild, d);
  }
}

/** The buttons of a row: what is done depends on its state. */
function actions(td, d) {
  let box = td.querySelector(".acts");
  if (!box) {
    box = el("span", "acts", button("enable"), button("disable"), button("probe"));
    td.append(box);
  }
  const [enable, disable, probe] = box.children;
  enable.hidden = d.State === "Active";
  disable.hidden = d.State === "Inactive";
  probe.hidden = d.Kind !== "";
  for (const b of box.children) b.setAttribute("aria-label", `${b.textContent} ${d.Name}`);
}

function button(what) {
  const b = el("button", "quiet", what);
  b.type = "button";
  b.dataset.act = what;
  return b;
}

table.addEventListener("click", async (e) => {
  const b = e.target.closest("button[data-act]");
  if (!b) return;
  const params = JSON.parse(b.closest("tr").dataset.key);
  b.disabled = true;
  try {
    const answer = await call(`destination_${b.dataset.act}`, params);
    say(answer.Answer ? `${params[2]} answered: ${answer.Answer}` : `${params[2]}: ${b.dataset.act}d.`);
  } catch (error) {
    say(`${params[2]}: ${error.message}`);
  } finally {
    b.disabled = false;
  }
});
