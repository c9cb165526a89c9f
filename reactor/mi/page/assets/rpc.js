// Requests to the management interface, in JSON-RPC 2.0, where this page came from.

// Without the user and password that the page's own address may have: fetch refuses an address with them.
const root = new URL(document.documentElement.dataset.root, location.origin);
const patience = 8000; // milliseconds
const key = "sipreactor-token";

/** The listener wants a token, or another one. */
export class Unauthorized extends Error {}

/** A command was refused; its message tells why. */
export class Refused extends Error {
  constructor({ code, message, data }) {
    super(data ? `${message}: ${data}` : message);
    this.code = code;
  }
}

export function setToken(token) {
  sessionStorage.setItem(key, token);
}

export function hasToken() {
  return sessionStorage.getItem(key) !== null;
}

/**
 * Sends commands, each [method, params], in one request. Gives their results in
 * order; of those that were refused, a Refused.
 */
export async function batch(commands) {
  const headers = { "Content-Type": "application/json" };
  if (hasToken()) headers.Authorization = "Bearer " + encodeToken(sessionStorage.getItem(key));
  const requests = commands.map(([method, params], id) => ({ jsonrpc: "2.0", id, method, params }));
  const response = await fetch(root, {
    method: "POST", headers, body: JSON.stringify(requests), cache: "no-store", credentials: "omit",
    redirect: "error", signal: AbortSignal.timeout(patience),
  });
  if (response.status === 401) throw new Unauthorized();
  if (!response.ok) throw new Error((await response.text()).trim() || `status ${response.status}`);
  const answers = new Map((await response.json()).map((a) => [a.id, a]));
  return commands.map((_, id) => {
    const answer = answers.get(id);
    if (!answer) throw new Error("an answer is missing");
    return answer.error ? new Refused(answer.error) : answer.result;
  });
}

/** Sends one command and gives its result; throws what it was refused with. */
export async function call(method, params) {
  const [result] = await batch([[method, params]]);
  if (result instanceof Refused) throw result;
  return result;
}

// A header holds bytes: the token's, in UTF-8.
function encodeToken(token) {
  return String.fromCharCode(...new TextEncoder().encode(token));
}
