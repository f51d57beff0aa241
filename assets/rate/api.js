// Requests to the server, repeated until it answers: a lost connection or a busy server only ever means later.

/** @import { Refusal } from "./rating-json.d.ts" */

/** @typedef {{ busy: boolean, sending: boolean }} Waiting what is being tried again: whether the server is busy, whether an answer waits */

const FIRST_MS = 500;
const LONGEST_MS = 15000;
const ANSWER_MS = 20000;
const FILE_MS = 180000;
const LATER = new Set([408, 425, 429]);
const TOO_LARGE = 413;

/** The server answered, and the answer is no. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {Refusal | null} reply
   */
  constructor(status, reply) {
    super(reply?.message ?? `The server refused this (${status}).`);
    this.status = status;
    this.hint = reply?.hint ?? "";
  }

  /** Whether the link itself is not, or no longer, any good. */
  get final() {
    return this.status === 404 || this.status === 410;
  }
}

/** No answer now, perhaps one later. */
class Later extends Error {
  /**
   * @param {boolean} busy whether the server itself answered that it is busy
   * @param {ErrorOptions & { seconds?: number }} [options] after how long it wants to be tried again
   */
  constructor(busy, { seconds = 0, cause } = {}) {
    super(busy ? "The server is busy." : "The server did not answer.", { cause });
    this.busy = busy;
    this.seconds = seconds;
  }
}

/**
 * Returns the milliseconds before the next attempt, half of them by chance, so that many raters do not come back at once.
 * @param {number} attempt from 0
 * @param {number} [chance] from 0 to 1
 */
export function pause(attempt, chance = Math.random()) {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt) * (0.5 + 0.5 * chance);
}

/**
 * Waits, but not longer than until the connection comes back.
 * @param {number} milliseconds
 * @returns {Promise<void>}
 */
function sleep(milliseconds) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    addEventListener("online", done);
  });
}

export class Api {
  /**
   * @param {string} base address of the page
   * @param {(waiting: Waiting | null) => void} onwait something is tried again, or nothing any more
   */
  constructor(base, onwait) {
    this.base = base;
    this.onwait = onwait;
    /** @type {Map<object, Waiting>} one entry for each request that is tried again */
    this.waiting = new Map();
  }

  /**
   * @template Reply
   * @param {string} path
   * @returns {Promise<Reply>}
   */
  get(path) {
    return this.insist(() => this.once(path), false);
  }

  /**
   * @template Reply
   * @param {string} path
   * @param {object} body
   * @param {(reply: Reply) => boolean} [valid] whether the answer is one
   * @returns {Promise<Reply>}
   */
  post(path, body, valid = () => true) {
    return this.insist(() => this.once(path, body, valid), true);
  }

  /**
   * Returns the bytes of an image.
   * @param {string} url
   */
  file(url) {
    return this.insist(async () => {
      const answer = await reach(url, { signal: AbortSignal.timeout(FILE_MS) });
      if (answer.status === 410) throw new Refused(410, await answer.json().catch(() => null));
      if (!answer.ok) {
        throw new Error(
          `An image is missing (${answer.status}). Reload the page; if that does not help, tell whoever invited you.`,
        );
      }
      return orLater(answer.arrayBuffer());
    }, false);
  }

  /**
   * Makes one attempt.
   * @template Reply
   * @param {string} path
   * @param {object} [body] what to post
   * @param {(reply: Reply) => boolean} [valid]
   * @returns {Promise<Reply>}
   */
  async once(path, body, valid = () => true) {
    const post = { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    const sent = body === undefined ? {} : post;
    const how = { ...sent, cache: /** @type {const} */ ("no-store"), signal: AbortSignal.timeout(ANSWER_MS) };
    const answer = await reach(`${this.base}/${path}`, how);
    const reply = parsed(await orLater(answer.text()));
    // what is not JSON comes from something in between, such as the sign-in page of a guest network
    if (answer.status !== TOO_LARGE && (typeof reply !== "object" || reply === null)) throw new Later(false);
    if (!answer.ok) throw new Refused(answer.status, reply);
    if (!valid(reply)) throw new Later(false);
    return reply;
  }

  /**
   * Repeats what only failed for now.
   * @template Made
   * @param {() => Promise<Made>} work
   * @param {boolean} sending
   * @returns {Promise<Made>}
   */
  async insist(work, sending) {
    const token = {};
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof Later)) throw error;
          this.note(token, { busy: error.busy, sending });
          await sleep(Math.min(LONGEST_MS, Math.max(pause(attempt), 1000 * error.seconds)));
        }
      }
    } finally {
      this.note(token, null);
    }
  }

  /**
   * @param {object} token
   * @param {Waiting | null} state
   */
  note(token, state) {
    this.waiting.delete(token);
    if (state) this.waiting.set(token, state);
    const all = [...this.waiting.values()];
    this.onwait(all.find((one) => one.sending) ?? all[0] ?? null);
  }
}

/**
 * @param {string} url
 * @param {RequestInit} how
 */
async function reach(url, how) {
  const answer = await orLater(fetch(url, how));
  if (!LATER.has(answer.status) && answer.status < 500) return answer;
  throw new Later(true, { seconds: Number(answer.headers.get("retry-after")) || 0 });
}

/**
 * @template Read
 * @param {Promise<Read>} pending what fails only where the connection does
 * @returns {Promise<Read>}
 */
async function orLater(pending) {
  try {
    return await pending;
  } catch (cause) {
    throw new Later(false, { cause });
  }
}

/**
 * Returns the value of a JSON text; null where it is none.
 * @param {string} text
 */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
