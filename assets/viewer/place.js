// From a place on the screen to a voxel, and what two fingers do to the view.

/** @import { Niivue } from "@niivue/niivue" */

import { triple } from "./link.js";
import { ACROSS } from "./strokes.js";

/**
 * @typedef {object} Spot a place on a slice
 * @property {number} tile the slice, by its number among those of its canvas
 * @property {number} axis that the slice is perpendicular to
 * @property {number[]} frac fractions of the image's grid
 * @property {number[]} voxel
 */

const SLICES = 3;
const [LEAST_ZOOM, MOST_ZOOM] = [0.5, 12];

/**
 * Returns the pixel of the canvas under a place of the window.
 * @param {Pick<Niivue, "canvas" | "uiData">} nv
 * @param {{ clientX: number, clientY: number }} at
 */
export function pixelOf({ canvas, uiData }, { clientX, clientY }) {
  const area = canvas?.getBoundingClientRect();
  const dpr = uiData.dpr ?? 1;
  return [(clientX - (area?.left ?? 0)) * dpr, (clientY - (area?.top ?? 0)) * dpr];
}

/**
 * Returns what lies under a pixel of the canvas; null beside the slices.
 * @param {Niivue} nv
 * @param {number[]} pixel
 * @param {number} [held] the slice to stay on: what is beyond its border is taken for the border
 * @returns {Spot | null}
 */
export function spotAt(nv, [x, y], held = -1) {
  const tile = held < 0 ? nv.tileIndex(x, y) : held;
  const slice = nv.screenSlices[tile];
  if (!slice || slice.axCorSag >= SLICES) return null;
  const [left, top, width, height] = slice.leftTopWidthHeight;
  const edges = [[left, left + width].sort((a, b) => a - b), [top, top + height].sort((a, b) => a - b)];
  const [inX, inY] = edges.map(([low, high], i) => Math.min(high - 1, Math.max(low + 1, i ? y : x)));
  const frac = triple(nv.screenXY2TextureFrac(inX, inY, tile, false));
  if (held < 0 && frac.some((one) => one < 0 || one > 1)) return null;
  const inside = frac.map((one) => Math.min(1, Math.max(0, one)));
  return { tile, axis: 2 - slice.axCorSag, frac: inside, voxel: Array.from(nv.frac2vox(triple(inside))) };
}

/**
 * Returns pan and zoom after two fingers were moved: what was between them stays between them.
 * @param {ArrayLike<number>} pan of NiiVue: mm along x, y, z, and the zoom
 * @param {number[]} mm the place between the fingers before
 * @param {number} ratio of the distances of the fingers, after to before
 * @param {number[]} shift of the place between them, in mm of the view without zoom
 * @returns {[number, number, number, number]}
 */
export function pinched(pan, mm, ratio, shift) {
  const zoom = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, pan[3] * ratio));
  const [x, y, z] = mm.map((value, axis) => pan[axis] + value * (pan[3] - zoom) + shift[axis]);
  return [x, y, z, zoom];
}

/**
 * Returns how far a movement on the screen goes, in mm of the view without zoom.
 * @param {Niivue} nv
 * @param {Spot} spot
 * @param {number[]} by pixels to the right and down
 */
export function shiftOf(nv, { tile, axis }, [right, down]) {
  const { leftTopWidthHeight: size, fovMM } = nv.screenSlices[tile];
  const zoom = nv.scene.pan2Dxyzmm[3];
  const shift = [0, 0, 0];
  shift[ACROSS[axis][0]] = (right / size[2]) * fovMM[0] * zoom;
  shift[ACROSS[axis][1]] = (-down / size[3]) * fovMM[1] * zoom;
  return shift;
}

/**
 * Returns the pixel of the canvas where a place lies in the slice across an axis; undefined where none is shown.
 * @param {Niivue} nv
 * @param {number[]} mm (RAS+)
 * @param {number} axis
 * @returns {number[] | undefined}
 */
export function screenAt(nv, mm, axis) {
  const slice = nv.screenSlices.find((one) => one.axCorSag === 2 - axis);
  if (!slice) return;
  // NiiVue draws along the axes of the volume, which may be turned in space
  const along = nv.frac2mm(nv.mm2frac(triple(mm), 0, true));
  const [left, top, width, height] = slice.leftTopWidthHeight;
  const [u, v] = ACROSS[axis].map((one, i) => (along[one] - slice.leftTopMM[i]) / slice.fovMM[i]);
  return [left + u * width, top + (1 - v) * height];
}
