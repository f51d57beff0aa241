// Whether the visit to which this page belongs goes on: the server knows a browser by its cookie, which may be gone, or
// another visitor's, long before the page is.

/**
 * What has become of the visit, what to do, and what the button for it is called.
 * @typedef {{ message: string, hint: string, action: string }} Problem
 */

const SIGNED_OUT = {
  message: "You are signed out.",
  hint: "A run that has begun goes on. Sign in again to see it: your scans and runs are kept.",
  action: "Sign in again",
};
const GONE = {
  message: "The session of this page has ended.",
  hint:
    "Its cookie is gone from this browser, or somebody else has signed in here. Reload the page to go on; without an " +
    "account you begin as a new visitor, and what was loaded before can only be opened by a link that was made for it.",
  action: "Reload the page",
};
const FRAMED = {
  message: "This browser keeps no cookie for a page inside another.",
  hint: "Without it the server does not know whose scans are whose. Open the page in a tab of its own.",
  action: "Open in a tab of its own",
};
// until an answer is given up: after a sleep or a change of network it may never come, s
export const PATIENCE = 20;

// whose page this is, as the first answer of the server has it
let whose = "";
/** @type {Problem | null} */
let problem = null;
/** @type {Set<(problem: Problem | null) => void>} */
const listeners = new Set();

/** Calls `draw` with what has become of the visit, null while it goes on: now, and whenever that changes.
 * @param {(problem: Problem | null) => void} draw */
export function onVisit(draw) {
  listeners.add(draw);
  draw(problem);
}

/** Goes on: this page anew, or in a tab of its own where a frame keeps no cookie. */
export function goOn() {
  if (problem === FRAMED) globalThis.open(location.href, "_blank", "noopener");
  else location.reload();
}

/** Whether the visit of this page has ended. */
export const isOver = () => problem !== null;

/**
 * Returns status and body of an answer, and notes whether the visit goes on. The status is 0 without an answer, and 401
 * where a proxy sends to its log-in instead.
 * @param {string} address
 */
export async function ask(address) {
  const answer = await read(address);
  const { status, body } = answer;
  if (status === 401 || status === 403) note(problemOf(body));
  else if (status === 200 && body?.whose) {
    whose ||= body.whose;
    note(body.whose === whose ? null : GONE);
  }
  return answer;
}

const framed = () => Boolean(globalThis.top) && globalThis.top !== /** @type {unknown} */ (globalThis);

/** @param {{ code?: string, message?: string, hint?: string } | null} body */
function problemOf(body) {
  if (!body?.code || body.code === "sign_in") return SIGNED_OUT;
  if (body.code === "no_session") return whose === "" && framed() ? FRAMED : GONE;
  return { message: body.message ?? GONE.message, hint: body.hint ?? "", action: GONE.action };
}

/** @param {Problem | null} found */
function note(found) {
  if (found?.message === problem?.message) return;
  problem = found;
  for (const draw of listeners) draw(problem);
}

/** @param {string} address */
async function read(address) {
  const given = new AbortController();
  const late = setTimeout(() => given.abort(), 1000 * PATIENCE);
  try {
    const answer = await fetch(address, { signal: given.signal, redirect: "manual" });
    if (answer.type === "opaqueredirect") return { status: 401, body: null };
    return { status: answer.status, body: await answer.json().catch(() => null) };
  } catch {
    return { status: 0, body: null };
  } finally {
    clearTimeout(late);
  }
}
