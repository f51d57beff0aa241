// Questions to the server, asked until it answers: a lost connection or a busy server only ever means later.

const FIRST_MS = 500;
const LONGEST_MS = 15000;
const ANSWER_MS = 20000;
const FILE_MS = 180000;
const LATER = new Set([408, 425, 429]);

// the server answered, and the answer is no
export class Refused extends Error {
  constructor(status, reply) {
    super(reply?.message ?? `The server refused this (${status}).`);
    this.status = status;
    this.hint = reply?.hint ?? "";
  }

  // the link itself is not, or no longer, any good
  get final() {
    return this.status === 404 || this.status === 410;
  }
}

// no answer now, perhaps one later; `busy`: the server said so itself
class Later extends Error {
  constructor(busy, seconds = 0) {
    super(busy ? "The server is busy." : "The server did not answer.");
    this.busy = busy;
    this.seconds = seconds;
  }
}

const doubled = (attempt) => Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);

// half of it by chance, so that many raters do not come back at once
export const pause = (attempt, chance = Math.random()) => doubled(attempt) * (0.5 + 0.5 * chance);

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
  // onwait(null | {busy, sending}): whether something is being tried again
  constructor(base, onwait) {
    this.base = base;
    this.waiting = new Map();
    this.onwait = onwait;
  }

  get(path) {
    return this.insist(() => this.once(path), false);
  }

  post(path, body, valid = () => true) {
    return this.insist(() => this.once(path, body, valid), true);
  }

  file(url) {
    return this.insist(async () => {
      const answer = await this.reach(url, { signal: AbortSignal.timeout(FILE_MS) });
      if (answer.status === 410) throw new Refused(410, await answer.json().catch(() => null));
      if (!answer.ok)
        throw new Error(
          `An image is missing (${answer.status}). Reload the page; if that does not help, tell whoever invited you.`,
        );
      return this.read(answer.arrayBuffer());
    }, false);
  }

  async once(path, body, valid = () => true) {
    const sent =
      body === undefined
        ? {}
        : {
            method: "POST",
            body: JSON.stringify(body),
            headers: { "Content-Type": "application/json" },
          };
    const answer = await this.reach(`${this.base}/${path}`, {
      ...sent,
      cache: "no-store",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const reply = await this.read(answer.text()).then((text) => {
      try {
        return JSON.parse(text);
      } catch {
        return null;
      }
    });
    // what is not JSON comes from something in between, such as the sign-in page of a guest network
    if (answer.status !== 413 && (typeof reply !== "object" || reply === null)) throw new Later(false);
    if (!answer.ok) throw new Refused(answer.status, reply);
    if (!valid(reply)) throw new Later(false);
    return reply;
  }

  async reach(url, how) {
    const answer = await this.read(fetch(url, how));
    if (!LATER.has(answer.status) && answer.status < 500) return answer;
    throw new Later(true, Number(answer.headers.get("retry-after")) || 0);
  }

  async read(pending) {
    try {
      return await pending;
    } catch {
      throw new Later(false);
    }
  }

  async insist(work, sending) {
    const token = {};
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof Later)) throw error;
          this.tell(token, { busy: error.busy, sending });
          await sleep(Math.min(LONGEST_MS, Math.max(pause(attempt), 1000 * error.seconds)));
        }
      }
    } finally {
      this.tell(token, null);
    }
  }

  tell(token, state) {
    this.waiting.delete(token);
    if (state) this.waiting.set(token, state);
    const all = [...this.waiting.values()];
    this.onwait(all.find((one) => one.sending) ?? all[0] ?? null);
  }
}
