// Answers on their way: kept in the browser before they are sent, and until the server has returned under which id it has them.

/** @import { Api } from "./api.js" */
/** @import { Payload, Saved } from "./rating-json.d.ts" */
/** @import { Store } from "./store.js" */

import { Refused } from "./api.js";

/** @typedef {{ at: number, payload: Payload }} Entry an answer and when it was put here */

const START = "out:";

export function newId() {
  const bytes = Array.from(crypto.getRandomValues(new Uint8Array(16)));
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Outbox {
  /**
   * @param {Pick<Store, "get" | "set" | "drop" | "names">} store
   * @param {Pick<Api, "post">} api
   */
  constructor(store, api) {
    this.store = store;
    this.api = api;
  }

  /** What is on its way, the oldest first. */
  get waiting() {
    const kept = this.store.names(START).map((name) => this.store.get(name));
    const all = /** @type {Partial<Entry>[]} */ (kept);
    // what another version of the page has left may be none
    const entries = /** @type {Entry[]} */ (all.filter((one) => one?.payload));
    return entries.sort((one, other) => one.at - other.at).map((one) => one.payload);
  }

  /**
   * @param {Omit<Payload, "client_id">} answer
   * @returns {Payload}
   */
  put(answer) {
    const payload = { client_id: newId(), ...answer };
    this.store.set(START + payload.client_id, { at: Date.now(), payload });
    return payload;
  }

  /**
   * Sends an answer. One that the server refuses goes back to the rater; one whose link has ended is kept.
   * @param {Payload} payload
   * @returns {Promise<Saved>}
   */
  async send(payload) {
    const name = START + payload.client_id;
    try {
      /** @type {Saved} */
      const saved = await this.api.post("answers", payload, (/** @type {Saved} */ reply) => Boolean(reply.saved));
      this.store.drop(name);
      return saved;
    } catch (error) {
      if (error instanceof Refused && !error.final) this.store.drop(name);
      throw error;
    }
  }
}
