import assert from "node:assert/strict";
import { test } from "node:test";
import {
  axisWithGap,
  bounds,
  drawnSlices,
  grow,
  grown,
  seedIntensity,
  shrink,
  smooth,
} from "../../../assets/viewer/regions.js";
import { placeOf } from "../../../assets/viewer/strokes.js";

const grid = { dims: [6, 5, 4], spacing: [1, 1, 1] };
const ALL = [0, 1, 2];
const total = 6 * 5 * 4;

/** @param {number[][]} voxels */
function drawn(voxels) {
  const bitmap = new Uint8Array(total);
  for (const voxel of voxels) bitmap[placeOf(grid.dims, voxel)] = 1;
  return bitmap;
}

/** @param {Uint8Array} bitmap */
const count = (bitmap) => bitmap.reduce((sum, one) => sum + one, 0);

test("a region is what is joined by faces, in the slice or through slices", () => {
  const bright = drawn([
    [1, 1, 1],
    [2, 1, 1],
    [3, 2, 1],
    [2, 1, 2],
    [5, 4, 3],
  ]);
  const belongs = (/** @type {number} */ place) => bright[place] === 1;
  assert.deepEqual(grown(grid, [1, 1, 1], [0, 1], belongs).length, 2);
  assert.deepEqual(grown(grid, [1, 1, 1], ALL, belongs).length, 3);
  assert.deepEqual(grown(grid, [0, 0, 0], ALL, belongs), []);
  // rows that follow each other in memory are not joined
  const edge = drawn([
    [5, 0, 0],
    [0, 1, 0],
  ]);
  assert.equal(grown(grid, [5, 0, 0], ALL, (place) => edge[place] === 1).length, 1);
});

test("the intensity to begin with is that of the neighbourhood, which ends at the border", () => {
  const intensity = (/** @type {number} */ place) => place % 6;
  assert.equal(seedIntensity(grid, 2, [3, 2, 1], intensity), 3);
  assert.equal(seedIntensity(grid, 2, [0, 0, 0], intensity), 0.5);
  assert.equal(seedIntensity(grid, 0, [4, 0, 0], intensity), 4);
});

test("bounds lie around the drawing and within the scan", () => {
  assert.deepEqual(
    bounds(
      drawn([
        [1, 2, 3],
        [3, 2, 2],
      ]),
      grid.dims,
      1,
    ),
    { low: [0, 1, 1], high: [4, 3, 3] },
  );
  assert.equal(bounds(drawn([]), grid.dims, 1), null);
});

test("growing adds the six faces, shrinking takes the border, and one undoes the other for a box", () => {
  const bitmap = drawn([[2, 2, 1]]);
  grow(bitmap, grid.dims);
  assert.equal(count(bitmap), 7);
  shrink(bitmap, grid.dims);
  assert.deepEqual(bitmap, drawn([[2, 2, 1]]));
  shrink(bitmap, grid.dims);
  assert.equal(count(bitmap), 0);
  const full = new Uint8Array(total).fill(1);
  shrink(full, grid.dims);
  assert.equal(count(full), total, "the border of the scan is no border of the mask");
});

test("smoothing takes off single voxels, fills holes and keeps what is flat", () => {
  const lone = drawn([[3, 3, 2]]);
  smooth(lone, grid.dims);
  assert.equal(count(lone), 0);
  const box = drawn([0, 1, 2].flatMap((x) => [0, 1, 2].flatMap((y) => [0, 1, 2].map((z) => [x + 1, y + 1, z]))));
  const hole = box.slice();
  hole[placeOf(grid.dims, [2, 2, 1])] = 0;
  smooth(hole, grid.dims);
  assert.equal(hole[placeOf(grid.dims, [2, 2, 1])], 1);
});

test("drawn slices are listed across each axis", () => {
  const bitmap = drawn([
    [1, 0, 1],
    [1, 2, 3],
    [1, 0, 3],
  ]);
  assert.deepEqual(
    ALL.map((axis) => drawnSlices(bitmap, grid.dims, axis)),
    [[1], [0, 2], [1, 3]],
  );
});

test("the axis to fill along is the one that was skipped through", () => {
  assert.deepEqual(
    axisWithGap([
      [1, 2, 3],
      [0, 4, 8, 9],
      [2, 5],
    ]),
    { axis: 2, slices: [2, 5] },
  );
  assert.deepEqual(
    axisWithGap([
      [1, 9],
      [0, 4, 8],
      [2, 3],
    ]),
    { axis: 0, slices: [1, 9] },
  );
  assert.deepEqual(
    axisWithGap([
      [1, 3],
      [1, 3],
      [1, 3],
    ]),
    { axis: 2, slices: [1, 3] },
  );
  assert.equal(axisWithGap([[1], [], [4, 5]]), null);
});
