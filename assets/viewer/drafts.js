// Drawings that were begun, kept in this browser under the scan's id, which only its visitor has. Where the browser keeps
// nothing, a drawing lives as long as the page.

/** @import { Bitmap } from "./niivue.d.ts" */

import { flip, flipped } from "./history.js";

/** @typedef {{ scan: string, length: number, runs: Uint32Array, kept: number }} Draft the runs of marked voxels */

const NAME = "counterscan";
const STORE = "drawings";
const MOST = 20;
const DAYS = 180;
const DAY_MS = 86_400_000;

/**
 * @template Value
 * @param {IDBRequest<Value>} request
 * @returns {Promise<Value>}
 */
const answer = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export class Drafts {
  /** @param {() => IDBFactory | undefined} [factory] */
  constructor(factory = () => globalThis.indexedDB) {
    this.factory = factory;
    /** @type {Promise<IDBDatabase> | null} */
    this.opened = null;
  }

  /** @param {IDBTransactionMode} mode */
  async store(mode) {
    this.opened ??= this.open();
    return (await this.opened).transaction(STORE, mode).objectStore(STORE);
  }

  /** @returns {Promise<IDBDatabase>} */
  open() {
    const request = /** @type {IDBFactory} */ (this.factory()).open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "scan" });
    return answer(request);
  }

  /**
   * Does something that may fail without harm.
   * @template Value
   * @param {() => Promise<Value>} work
   */
  async attempt(work) {
    try {
      // in a frame, or a private window, merely to name it may be forbidden
      return this.factory() ? await work() : null;
    } catch (error) {
      console.warn(error);
      return null;
    }
  }

  /**
   * Returns the drawing that was begun on a scan; null where there is none of its size.
   * @param {string} scan
   * @param {number} length voxels of the scan
   * @returns {Promise<Bitmap | null>}
   */
  get(scan, length) {
    return this.attempt(async () => {
      /** @type {Draft | undefined} */
      const draft = await answer((await this.store("readonly")).get(scan));
      if (!draft || draft.length !== length) return null;
      const bitmap = new Uint8Array(length);
      flip(bitmap, draft.runs);
      return bitmap;
    });
  }

  /**
   * Returns whether a drawing was begun on a scan.
   * @param {string} scan
   */
  async has(scan) {
    return (await this.attempt(async () => answer((await this.store("readonly")).count(scan)))) === 1;
  }

  /**
   * @param {string} scan
   * @param {Bitmap} bitmap zeros and ones
   */
  keep(scan, bitmap) {
    const runs = flipped(new Uint8Array(bitmap.length), bitmap);
    /** @type {Draft} */
    const draft = { scan, length: bitmap.length, runs, kept: Date.now() };
    return this.attempt(async () => {
      await answer((await this.store("readwrite")).put(draft));
      await this.tidy();
    });
  }

  /** @param {string} scan */
  drop(scan) {
    return this.attempt(async () => answer((await this.store("readwrite")).delete(scan)));
  }

  /** Drops what is old, and the oldest of many. */
  async tidy() {
    /** @type {Draft[]} */
    const all = await answer((await this.store("readonly")).getAll());
    all.sort((a, b) => b.kept - a.kept);
    for (const [i, { scan, kept }] of all.entries()) {
      if (i >= MOST || Date.now() - kept > DAYS * DAY_MS) await this.drop(scan);
    }
  }
}
