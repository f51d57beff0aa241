// What is kept of items until the server has their answers.

/** @import { Answers } from "./rating-json.d.ts" */
/** @import { Store } from "./store.js" */

/**
 * @typedef {object} Draft
 * @property {Answers} answers
 * @property {number} changes how often an answer was changed
 * @property {number} seconds
 * @property {Record<string, number[]>} slices axis -> the slices seen
 * @property {string} shown_at
 */

const START = "draft:";

export class Drafts {
  /** @param {Pick<Store, "get" | "set" | "drop" | "names">} store */
  constructor(store) {
    this.store = store;
  }

  /**
   * Returns what was kept of a showing.
   * @param {string} showing
   * @returns {Partial<Draft>}
   */
  of(showing) {
    return /** @type {Partial<Draft> | null} */ (this.store.get(START + showing)) ?? {};
  }

  /**
   * @param {string} showing
   * @param {Draft} draft
   */
  keep(showing, draft) {
    this.store.set(START + showing, draft);
  }

  /** @param {string} showing */
  drop(showing) {
    this.store.drop(START + showing);
  }

  clear() {
    for (const name of this.store.names(START)) this.store.drop(name);
  }
}
