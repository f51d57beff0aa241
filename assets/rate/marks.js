// What was drawn, as runs of the image's own voxels: [start, length, ...], first axis fastest, sorted, not touching.

/** @import { Bitmap, Image } from "../viewer/niivue.d.ts" */
/** @import { Answer, Mark } from "./rating-json.d.ts" */

/** @typedef {Pick<Image, "dimsRAS" | "img2RASstart" | "img2RASstep"> & { hdr: Pick<Image["hdr"], "dims"> }} Grid how an image's voxels lie in the RAS grid */

/** @param {Grid} image */
const shapeOf = (image) => image.hdr.dims.slice(1, 4);

/**
 * Returns where a voxel of NiiVue's drawing, which is turned to RAS, lies in the image's own array.
 * @param {Grid} image
 * @returns {(i: number) => number}
 */
function placing({ dimsRAS, img2RASstart: start, img2RASstep: step }) {
  const [, nx, ny] = dimsRAS;
  const first = start[0] + start[1] + start[2];
  return (i) => {
    const row = Math.floor(i / nx);
    return first + (i % nx) * step[0] + (row % ny) * step[1] + Math.floor(row / ny) * step[2];
  };
}

/**
 * Returns a drawing as runs; null where nothing is drawn.
 * @param {Bitmap} bitmap
 * @param {Grid} image
 * @returns {Mark | null}
 */
export function toRuns(bitmap, image) {
  const place = placing(image);
  const own = new Uint8Array(bitmap.length);
  for (let i = 0; i < bitmap.length; i++) if (bitmap[i]) own[place(i)] = 1;
  /** @type {number[]} */
  const runs = [];
  for (let from = own.indexOf(1); from >= 0; ) {
    const end = own.indexOf(0, from);
    runs.push(from, (end < 0 ? own.length : end) - from);
    from = end < 0 ? -1 : own.indexOf(1, end);
  }
  return runs.length ? { shape: shapeOf(image), runs } : null;
}

/**
 * Draws a mark; nothing where it belongs to another grid.
 * @param {Bitmap} bitmap
 * @param {Mark | null} mark
 * @param {Grid} image
 */
export function fill(bitmap, mark, image) {
  bitmap.fill(0);
  if (!mark || shapeOf(image).some((size, i) => size !== mark.shape[i])) return;
  const own = new Uint8Array(bitmap.length);
  for (let i = 0; i < mark.runs.length; i += 2) own.fill(1, mark.runs[i], mark.runs[i] + mark.runs[i + 1]);
  const place = placing(image);
  for (let i = 0; i < bitmap.length; i++) bitmap[i] = own[place(i)];
}

/**
 * Returns how many voxels a mark has.
 * @param {Mark | null} mark
 */
export function voxels(mark) {
  return (mark?.runs ?? []).reduce((sum, value, i) => sum + (i % 2 ? value : 0), 0);
}

/**
 * @param {Mark | null} one
 * @param {Mark | null} other
 */
export const sameMark = (one, other) => JSON.stringify(one?.runs ?? []) === JSON.stringify(other?.runs ?? []);

/**
 * Returns an answer as the mark that it is; null where nothing was marked or answered.
 * @param {Answer | undefined} answer
 */
export const asMark = (answer) => (typeof answer === "object" ? answer : null);
