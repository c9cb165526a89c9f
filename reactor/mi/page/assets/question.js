// A question before something that cannot be taken back. Keeping things as they are is the answer at hand.

import { $, text } from "./dom.js";

const box = $("ask");
let answer = null; // is told yes or no

/** Asks; gives whether the answer was yes. A question that another one takes the place of is answered no. */
export function question({ title, more, no, yes }) {
  answer?.(false);
  text($("ask-title"), title);
  text($("ask-text"), more);
  text($("ask-no"), no);
  text($("ask-yes"), yes);
  if (!box.open) box.showModal();
  $("ask-no").focus();
  return new Promise((resolve) => { answer = resolve; });
}

function end(yes) {
  const told = answer;
  answer = null;
  if (box.open) box.close();
  told?.(yes);
}

$("ask-no").addEventListener("click", () => end(false));
$("ask-yes").addEventListener("click", () => end(true));
box.addEventListener("close", () => { if (!box.open) end(false); }); // by Escape
