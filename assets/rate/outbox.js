// Answers on their way: kept in the browser before they are sent, and until the server has said under which id it has them.

const START = "out:";

export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Outbox {
  constructor(store, api) {
    this.store = store;
    this.api = api;
  }

  // the oldest first
  get waiting() {
    const all = this.store
      .names(START)
      .map((name) => this.store.get(name))
      .filter((one) => one?.payload);
    return all.sort((one, other) => one.at - other.at).map((one) => one.payload);
  }

  put(answer) {
    const payload = { client_id: newId(), ...answer };
    this.store.set(START + payload.client_id, { at: Date.now(), payload });
    return payload;
  }

  // an answer that the server will not take is given back to the rater; one whose link has ended is kept
  async send(payload) {
    try {
      const saved = await this.api.post("answers", payload, (reply) => Boolean(reply.saved));
      this.store.drop(START + payload.client_id);
      return saved;
    } catch (error) {
      if (!error.final) this.store.drop(START + payload.client_id);
      throw error;
    }
  }
}
