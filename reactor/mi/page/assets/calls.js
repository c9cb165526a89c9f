// The calls that run: who with whom, since when, by profile, with a button that ends one.

import { $, el, rows, say, text } from "./dom.js";
import { count, plural, span } from "./format.js";
import { question } from "./question.js";
import { call, Refused } from "./rpc.js";

const box = $("calls"), table = $("calls-found"), words = $("calls-words"), profiles = $("calls-profiles");
let without = null; // the run of the program that follows no calls

/** The questions of the panel, none where the program follows no calls. */
export function questions(run) {
  return without !== null && without === run ? [] : [["dlg_find", { words: words.value }]];
}

/** Shows the answer to the question. */
export function calls(run, found) {
  if (found === undefined) return;
  box.hidden = found instanceof Refused;
  if (box.hidden) {
    without = run;
    return;
  }
  text($("calls-count"), [plural(found.Active, "call"), found.Early ? `${count(found.Early)} ringing` : ""].filter(Boolean).join(" · "));
  profiles.hidden = !found.Profiles.length;
  rows(profiles, found.Profiles, (p) => JSON.stringify([p.Name, p.Value]), (p) => [p.Name, p.Value || "–", { text: count(p.Calls), n: true }], "None.");
  rows(table, found.Found, (f) => f.ID, (f) => [
    { text: f.From, more: f.Caller },
    { text: f.To, more: f.Callee },
    { text: f.State, tone: f.State === "running" ? "good" : "" },
    f.Profiles.join(", ") || "–",
    { text: f.Since ? span(f.For) : "–", more: f.Since ? new Date(f.Since * 1000).toLocaleString() : "", n: true },
    "",
  ], words.value ? "None has these words." : "None.");
  for (const f of found.Found) {
    const row = [...table.tBodies[0].rows].find((r) => r.dataset.key === f.ID);
    if (row) action(row.lastElementChild, f);
  }
  text($("calls-more"), found.Total > found.Found.length ? `${count(found.Total)} in all; ${count(found.Found.length)} are shown.` : "");
}

/** The button of a row. */
function action(td, f) {
  let b = td.querySelector("button");
  if (!b) {
    b = el("button", "quiet", "end…");
    b.type = "button";
    td.append(el("span", "acts", b));
  }
  b.dataset.id = f.ID;
  b.dataset.who = `${f.From} and ${f.To}`;
  b.setAttribute("aria-label", `End the call between ${b.dataset.who}`);
}

async function end(id, who) {
  try {
    await call("dlg_end_dlg", { dialog_id: id });
    say(`The call between ${who} is being ended.`);
  } catch (e) {
    say(`It was not ended: ${e.message}`);
  }
}

/** Has ask called when the words change or a call was ended. */
export function install(ask) {
  table.addEventListener("click", async (e) => {
    const b = e.target.closest("button[data-id]");
    if (!b) return;
    const { id, who } = b.dataset;
    const yes = await question({ title: "End this call?", more: `${who}. Both sides are sent a BYE; one that rings is cancelled.`, no: "Keep it", yes: "End it" });
    if (!yes) return;
    await end(id, who);
    ask();
  });
  $("calls-form").addEventListener("submit", (e) => { e.preventDefault(); ask(); });
  let typing;
  words.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(ask, 150);
  });
}
