// What was done to a drawing, step by step, so that every step of every tool can be taken back and made again.

/** @import { Bitmap } from "./niivue.d.ts" */

/** @typedef {Uint32Array} Runs starts and lengths of the voxels that a step flipped, in turn */

const MOST_STEPS = 2000;
const MOST_BYTES = 96 << 20;
const WORD = 4;

/**
 * Returns the runs of voxels in which two drawings differ.
 * @param {Bitmap} before
 * @param {Bitmap} after of the same length
 * @returns {Runs}
 */
export function flipped(before, after) {
  /** @type {number[]} */
  const runs = [];
  const whole = before.length - (before.length % WORD);
  const [a, b] = [before, after].map((one) => new Uint32Array(one.buffer, one.byteOffset, whole / WORD));
  let end = -1;
  /** @param {number} i */
  const look = (i) => {
    if (before[i] === after[i]) return;
    if (i === end) runs[runs.length - 1]++;
    else runs.push(i, 1);
    end = i + 1;
  };
  for (let word = 0; word < a.length; word++) {
    // most of a drawing is as it was: four voxels are compared at once
    if (a[word] !== b[word]) for (let i = 0; i < WORD; i++) look(word * WORD + i);
  }
  for (let i = whole; i < before.length; i++) look(i);
  return Uint32Array.from(runs);
}

/**
 * Flips every voxel of some runs.
 * @param {Bitmap} bitmap of zeros and ones
 * @param {Runs} runs
 */
export function flip(bitmap, runs) {
  for (let i = 0; i < runs.length; i += 2) {
    for (let place = runs[i]; place < runs[i] + runs[i + 1]; place++) bitmap[place] ^= 1;
  }
}

export class History {
  /** @param {Bitmap} bitmap zeros and ones, as it is before the first step */
  constructor(bitmap) {
    this.base = bitmap.slice();
    /** @type {Runs[]} */
    this.done = [];
    /** @type {Runs[]} */
    this.undone = [];
    this.bytes = 0;
  }

  /**
   * Ends a step: what was drawn since the one before can be undone at once. Returns whether there was something.
   * @param {Bitmap} bitmap
   */
  commit(bitmap) {
    const runs = flipped(this.base, bitmap);
    if (!runs.length) return false;
    this.done.push(runs);
    this.undone = [];
    this.bytes += runs.byteLength;
    while (this.done.length > 1 && (this.done.length > MOST_STEPS || this.bytes > MOST_BYTES)) {
      this.bytes -= this.done.shift()?.byteLength ?? 0;
    }
    flip(this.base, runs);
    return true;
  }

  /**
   * Takes back what was drawn since the last step.
   * @param {Bitmap} bitmap
   */
  revert(bitmap) {
    bitmap.set(this.base);
  }

  /**
   * Takes back the last step; returns whether there was one.
   * @param {Bitmap} bitmap
   */
  undo(bitmap) {
    return this.move(bitmap, this.done, this.undone);
  }

  /**
   * Makes the step again that was taken back last; returns whether there was one.
   * @param {Bitmap} bitmap
   */
  redo(bitmap) {
    return this.move(bitmap, this.undone, this.done);
  }

  /**
   * @param {Bitmap} bitmap
   * @param {Runs[]} from
   * @param {Runs[]} to
   */
  move(bitmap, from, to) {
    const runs = from.pop();
    if (!runs) return false;
    to.push(runs);
    flip(this.base, runs);
    bitmap.set(this.base);
    return true;
  }
}
