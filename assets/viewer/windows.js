// Intensity windows: one for all images of equal units, so that only comparable grey values are shown alike.

/** @import { Image } from "./niivue.d.ts" */

/** @typedef {[low: number, high: number]} Range */
/** @typedef {Pick<Image, "robust_min" | "robust_max" | "global_min" | "global_max">} Extent grey values of an image */

/** @type {Record<string, (image: Extent) => Range>} */
const PRESETS = {
  auto: ({ robust_min: low, robust_max: high }) => [low, high],
  full: ({ global_min: least, global_max: most }) => [least, most],
  bright: ({ robust_min: low, robust_max: high }) => [low, low + 0.7 * (high - low)],
};

export class Windows {
  constructor() {
    this.preset = "auto";
    /** @type {Map<string, { image: Extent, range: Range }>} */
    this.kept = new Map();
  }

  clear() {
    this.preset = "auto";
    this.kept.clear();
  }

  /**
   * Returns the window of `units`, which the first image in them decides.
   * @param {string} units
   * @param {Extent} image
   */
  of(units, image) {
    const known = this.kept.get(units) ?? { image, range: PRESETS[this.preset](image) };
    this.kept.set(units, known);
    return known.range;
  }

  /**
   * @param {string} units
   * @param {number} low
   * @param {number} high
   */
  set(units, low, high) {
    const known = this.kept.get(units);
    if (known) known.range = [low, high];
  }

  /** @param {string} name */
  setPreset(name) {
    this.preset = name;
    for (const known of this.kept.values()) known.range = PRESETS[name](known.image);
  }

  /**
   * Forgets what is no longer on the page, with the voxels behind it.
   * @param {Set<string>} units
   */
  keep(units) {
    for (const key of this.kept.keys()) if (!units.has(key)) this.kept.delete(key);
  }
}
