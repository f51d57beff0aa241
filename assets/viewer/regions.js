// Regions of a drawing: grown from a voxel by its intensity, made larger, smaller or smoother, filled between slices.

/** @import { Bitmap } from "./niivue.d.ts" */
/** @import { Grid, Voxel } from "./strokes.js" */

import { ACROSS, AXES, placeOf, voxelAt, within } from "./strokes.js";

/** @typedef {(place: number) => number} Intensity of the voxel at a place of the drawing */

/** Most voxels that one click marks. */
const MOST = 2_000_000;
// of the 64 parts of the weights around a voxel: 1 2 1 along each axis
const HALF = 32;

/**
 * Returns the mean intensity of a voxel and its neighbours in the plane: one noisy voxel does not decide.
 * @param {Grid} grid
 * @param {number} axis
 * @param {Voxel} seed
 * @param {Intensity} intensity
 */
export function seedIntensity({ dims }, axis, seed, intensity) {
  const [across, up] = ACROSS[axis];
  let [sum, count] = [0, 0];
  for (const [u, v] of [0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => [(i % 3) - 1, Math.floor(i / 3) - 1])) {
    const voxel = [...seed];
    voxel[across] += u;
    voxel[up] += v;
    if (!within(dims, voxel)) continue;
    sum += intensity(placeOf(dims, voxel));
    count++;
  }
  return sum / count;
}

/**
 * Returns the places joined to a voxel by faces, over voxels that belong; none beyond MOST.
 * @param {Grid} grid
 * @param {Voxel} seed
 * @param {number[]} along the axes to grow along
 * @param {(place: number) => boolean} belongs
 * @returns {number[]}
 */
export function grown({ dims }, seed, along, belongs) {
  const strides = [1, dims[0], dims[0] * dims[1]];
  const steps = along.flatMap((axis) => [-1, 1].map((by) => ({ axis, by, stride: by * strides[axis] })));
  const start = placeOf(dims, seed);
  const seen = new Uint8Array(dims[0] * dims[1] * dims[2]);
  seen[start] = 1;
  const found = belongs(start) ? [start] : [];
  for (let i = 0; i < found.length && found.length < MOST; i++) {
    const voxel = voxelAt(dims, found[i]);
    for (const { axis, by, stride } of steps) {
      const next = found[i] + stride;
      if (voxel[axis] + by < 0 || voxel[axis] + by >= dims[axis] || seen[next]) continue;
      seen[next] = 1;
      if (belongs(next)) found.push(next);
    }
  }
  return found;
}

/**
 * Returns the box around what is drawn, a number of voxels wider; null where nothing is.
 * @param {Bitmap} bitmap
 * @param {number[]} dims
 * @param {number} margin
 * @returns {{ low: Voxel, high: Voxel } | null} both ends included
 */
export function bounds(bitmap, dims, margin) {
  const low = [...dims];
  const high = [-1, -1, -1];
  for (let place = bitmap.indexOf(1); place >= 0; place = bitmap.indexOf(1, place + 1)) {
    const voxel = voxelAt(dims, place);
    for (const axis of AXES) {
      low[axis] = Math.min(low[axis], voxel[axis]);
      high[axis] = Math.max(high[axis], voxel[axis]);
    }
  }
  if (high[0] < 0) return null;
  return {
    low: low.map((value) => Math.max(0, value - margin)),
    high: high.map((value, axis) => Math.min(dims[axis] - 1, value + margin)),
  };
}

/**
 * Sets every voxel around what is drawn by its neighbours, all at once.
 * @param {Bitmap} bitmap
 * @param {number[]} dims
 * @param {(voxel: Voxel, marked: (voxel: Voxel) => number) => boolean} rule
 */
function changed(bitmap, dims, rule) {
  const area = bounds(bitmap, dims, 1);
  if (!area) return;
  const before = bitmap.slice();
  /** @param {Voxel} voxel */
  const marked = (voxel) => (within(dims, voxel) ? before[placeOf(dims, voxel)] : 0);
  const { low, high } = area;
  for (let z = low[2]; z <= high[2]; z++) {
    for (let y = low[1]; y <= high[1]; y++) {
      for (let x = low[0]; x <= high[0]; x++) {
        bitmap[placeOf(dims, [x, y, z])] = Number(rule([x, y, z], marked));
      }
    }
  }
}

const FACES = AXES.flatMap((axis) => [-1, 1].map((step) => AXES.map((one) => (one === axis ? step : 0))));

/**
 * @param {Voxel} voxel
 * @param {Voxel} step
 */
const moved = (voxel, step) => [voxel[0] + step[0], voxel[1] + step[1], voxel[2] + step[2]];

/**
 * Makes a drawing one voxel larger on every side.
 * @param {Bitmap} bitmap
 * @param {number[]} dims
 */
export function grow(bitmap, dims) {
  changed(bitmap, dims, (voxel, marked) => marked(voxel) > 0 || FACES.some((step) => marked(moved(voxel, step)) > 0));
}

/**
 * Makes a drawing one voxel smaller on every side; the border of the scan is no side of it.
 * @param {Bitmap} bitmap
 * @param {number[]} dims
 */
export function shrink(bitmap, dims) {
  changed(bitmap, dims, (voxel, marked) => {
    const faces = FACES.map((step) => moved(voxel, step)).filter((face) => within(dims, face));
    return marked(voxel) > 0 && faces.every((face) => marked(face) > 0);
  });
}

const AROUND = Array.from({ length: 27 }, (_, i) => [(i % 3) - 1, (Math.floor(i / 3) % 3) - 1, Math.floor(i / 9) - 1]);
const WEIGHTS = AROUND.map((step) => step.reduce((weight, one) => weight * (one ? 1 : 2), 1));

/**
 * Rounds the surface of a drawing: a voxel belongs to it where most of what is around it does.
 * @param {Bitmap} bitmap
 * @param {number[]} dims
 */
export function smooth(bitmap, dims) {
  changed(bitmap, dims, (voxel, marked) => {
    const sum = AROUND.reduce((total, step, i) => total + WEIGHTS[i] * marked(moved(voxel, step)), 0);
    return sum > HALF || (sum === HALF && marked(voxel) > 0);
  });
}

/**
 * Returns the intensities that most of a drawing has; null where nothing is drawn.
 * @param {Bitmap} bitmap
 * @param {Intensity} intensity
 * @returns {[low: number, high: number] | null}
 */
export function middleRange(bitmap, intensity) {
  /** @type {number[]} */
  const found = [];
  for (let place = bitmap.indexOf(1); place >= 0; place = bitmap.indexOf(1, place + 1)) found.push(intensity(place));
  if (!found.length) return null;
  found.sort((a, b) => a - b);
  return [found[Math.floor(found.length * 0.1)], found[Math.floor((found.length - 1) * 0.9)]];
}

/**
 * Returns the sorted slices across an axis in which something is drawn.
 * @param {Bitmap} bitmap
 * @param {number[]} dims
 * @param {number} axis 0 to 2
 */
export function drawnSlices(bitmap, dims, axis) {
  /** @type {Set<number>} */
  const seen = new Set();
  for (let place = bitmap.indexOf(1); place >= 0; place = bitmap.indexOf(1, place + 1)) {
    seen.add(voxelAt(dims, place)[axis]);
  }
  return [...seen].sort((a, b) => a - b);
}

/**
 * Returns the axis to fill along, with its drawn slices: of those with a gap the one with the fewest slices, because it
 * was skipped through; null where there is no gap.
 * @param {number[][]} drawn the drawn slices across each axis
 */
export function axisWithGap(drawn) {
  const gaps = drawn.map((slices) => slices.some((slice, i) => i > 0 && slice - slices[i - 1] > 1));
  const [axis] = [2, 1, 0].filter((one) => gaps[one]).sort((a, b) => drawn[a].length - drawn[b].length);
  return axis === undefined ? null : { axis, slices: drawn[axis] };
}
