// Signed volumes: one image minus another, and the colours of what is above and below zero.

/** @import { Image } from "./niivue.d.ts" */

const BINS = 4096;
// the share of the reach under which a difference has no colour
const UNCHANGED = 0.005;
const FLOAT32 = 16;

/** @param {Image} image */
const scaling = ({ hdr }) => [hdr.scl_slope || 1, hdr.scl_inter || 0];

/**
 * Returns the values of an image in its own units.
 * @param {Image} image
 * @returns {ArrayLike<number>}
 */
export function scaled(image) {
  const [slope, shift] = scaling(image);
  return slope === 1 && shift === 0 ? image.img : Float32Array.from(image.img, (value) => value * slope + shift);
}

/**
 * Returns the first image minus the second, which lies on the same grid, in their common units.
 * @param {Image} first
 * @param {Image} second
 */
export function subtract(first, second) {
  const image = /** @type {Image} */ (first.clone());
  image.name = "difference.nii";
  const [[slope, shift], [otherSlope, otherShift]] = [first, second].map(scaling);
  const values = new Float32Array(first.img.length);
  for (let i = 0; i < values.length; i++) {
    values[i] = first.img[i] * slope + shift - (second.img[i] * otherSlope + otherShift);
  }
  image.img = values;
  Object.assign(image.hdr, { datatypeCode: FLOAT32, numBitsPerVoxel: 32, scl_slope: 1, scl_inter: 0 });
  return colourSigned(image, values);
}

/**
 * Gives an image the colours of a signed volume: red is brighter, blue is darker.
 * @param {Image} image
 * @param {ArrayLike<number>} values of the image, in its own units
 */
export function colourSigned(image, values) {
  const reach = reachOf(values);
  return Object.assign(image, {
    colormap: "cs-more",
    colormapNegative: "cs-less",
    colormapType: 2,
    opacity: 0.9,
    cal_min: reach * UNCHANGED,
    cal_max: reach,
    cal_minNeg: -reach,
    cal_maxNeg: -reach * UNCHANGED,
    global_min: -reach,
    global_max: reach,
    robust_min: -reach,
    robust_max: reach,
  });
}

/**
 * Returns the absolute value that all but a thousandth of the changed voxels stay under: one bright vessel would hide the
 * rest; 1 where nothing changed. What is not finite is left out.
 * @param {ArrayLike<number>} values
 */
export function reachOf(values) {
  const size = (/** @type {number} */ i) => (Number.isFinite(values[i]) ? Math.abs(values[i]) : 0);
  let top = 0;
  for (let i = 0; i < values.length; i++) top = Math.max(top, size(i));
  if (!top) return 1;
  const counts = new Uint32Array(BINS + 1);
  let changed = 0;
  for (let i = 0; i < values.length; i++) {
    if (!size(i)) continue;
    counts[Math.round((BINS * size(i)) / top)]++;
    changed++;
  }
  let bin = BINS;
  for (let over = counts[bin]; over <= changed / 1000; over += counts[bin]) bin--;
  return (top * bin) / BINS;
}
