// One crosshair for all panels, in the scanner's millimetres: NiiVue's own link measures along the axes of each volume,
// which name different places as soon as one grid is turned against the other.

/** @import { Niivue } from "@niivue/niivue" */
/** @import { Image } from "./niivue.d.ts" */

import { sameGrid } from "./grids.js";

/** @typedef {{ image: Image | null, frac: number[], mm: number[] }} Place fractions of the image's grid, where it is known, and mm (RAS+) */

/** @param {number} value */
const clamped = (value) => Math.min(1, Math.max(0, value));

/**
 * Returns three numbers of a longer list as what NiiVue takes for a vector.
 * @param {ArrayLike<number>} values
 * @returns {[number, number, number]}
 */
export const triple = (values) => [values[0], values[1], values[2]];

/**
 * Returns the first image of a panel that shows one.
 * @param {Niivue} nv
 */
export const shownImage = (nv) => /** @type {Image} */ (nv.volumes[0]);

/**
 * Returns the place of the crosshair.
 * @param {Niivue} nv
 * @returns {Place}
 */
export function where(nv) {
  const frac = triple(nv.scene.crosshairPos);
  return { image: shownImage(nv), frac, mm: triple(nv.frac2mm(frac, 0, true)) };
}

/**
 * Moves the crosshair to a place, or to the border of the image nearest to it.
 * @param {Niivue} nv
 * @param {Place} place
 */
export function goTo(nv, { image, frac, mm }) {
  const here = image && sameGrid(image, shownImage(nv)) ? frac : nv.mm2frac(triple(mm), 0, true);
  const [x, y, z] = triple(here);
  nv.scene.crosshairPos = [clamped(x), clamped(y), clamped(z)];
}

/**
 * Lets no panel move another. One that has the focus moves all others whenever it draws, and fails where one is empty.
 * @param {{ viewer: Niivue | null }[]} panels
 */
export function unlink(panels) {
  for (const { viewer } of panels) viewer?.broadcastTo([]);
}

/**
 * Makes the crosshairs, 2D zooms and 3D angles of all follow each other.
 * @param {Niivue[]} all
 */
export function link(all) {
  for (const nv of all) {
    nv.broadcastTo(
      all.filter((other) => other !== nv),
      { "2d": true, "3d": true },
    );
    nv.doSync2d = (other) => {
      goTo(other, where(nv));
      const [x, y, z, zoom] = nv.scene.pan2Dxyzmm;
      other.scene.pan2Dxyzmm = [x, y, z, zoom];
    };
  }
}
