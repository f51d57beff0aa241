import "../page.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { intensityOf, largestSection, sameGrid } from "../../../assets/viewer/grids.js";
import { goTo, link, triple, where } from "../../../assets/viewer/link.js";
import { FakeNiivue, image } from "../niivue.js";

/**
 * @param {number} scale
 * @param {number[]} origin
 */
const affine = (scale, origin) => [0, 1, 2].map((i) => [...[0, 1, 2].map((j) => (i === j ? scale : 0)), origin[i]]);

/** @param {Parameters<typeof image>[0]} [given] */
function panel(given) {
  const made = new FakeNiivue();
  made.addVolume(image(given));
  return made;
}

test("grids are the same within a thousandth of a millimetre", () => {
  const one = image({ affine: affine(1, [0, 0, 0]) });
  assert.equal(sameGrid(one, one), true);
  assert.equal(sameGrid(one, image({ affine: affine(1, [0, 0, 0.0005]) })), true);
  assert.equal(sameGrid(one, image({ affine: affine(1, [0, 0, 0.002]) })), false);
  assert.equal(sameGrid(one, image({ size: [2, 3, 5], affine: affine(1, [0, 0, 0]) })), false);
});

test("the largest section of a region is the row and column that hold most of its largest slice", () => {
  const at = (/** @type {number[]} */ [x, y, z]) => x + 6 * (y + 5 * z);
  const voxels = new Float32Array(120);
  // a single voxel far off, and an L in slice 2
  for (const voxel of [
    [0, 0, 0],
    [1, 1, 2],
    [1, 2, 2],
    [1, 3, 2],
    [2, 3, 2],
    [3, 3, 2],
    [4, 3, 2],
  ])
    voxels[at(voxel)] = 5;
  const region = image({ size: [6, 5, 4], voxels, affine: affine(2, [10, 20, 30]) });
  assert.deepEqual(largestSection(region), [12, 26, 34]);
  assert.deepEqual(
    largestSection(region, (value) => value === 0),
    [14, 24, 32],
  );
  assert.equal(largestSection(image()), null);
});

test("intensities are read by their place in the RAS grid, in the image's units", () => {
  const voxels = Float32Array.from({ length: 24 }, (_, i) => i);
  const plain = image({ voxels, slope: 2, shift: 1 });
  assert.deepEqual([0, 1, 23].map(intensityOf(plain)), [1, 3, 47]);
  // stored from right to left
  const turned = Object.assign(image({ voxels }), { img2RASstart: [1, 0, 0], img2RASstep: [-1, 2, 6] });
  assert.deepEqual([0, 1, 2, 6].map(intensityOf(turned)), [1, 0, 3, 7]);
});

test("on the same grid the crosshair is taken over as it is", () => {
  const [one, other] = [panel(), panel()];
  one.scene.crosshairPos = [0.1, 0.2, 0.3];
  goTo(other.nv, where(one.nv));
  assert.deepEqual(other.scene.crosshairPos, [0.1, 0.2, 0.3]);
});

test("on another grid the crosshair goes to the same millimetre", () => {
  const one = panel({ size: [10, 10, 10], affine: affine(1, [0, 0, 0]) });
  const other = panel({ size: [10, 10, 5], affine: affine(2, [-5, -5, 0]) });
  one.scene.crosshairPos = one.vox2frac([3, 5, 6]);
  goTo(other.nv, where(one.nv));
  assert.deepEqual(other.frac2mm(other.scene.crosshairPos).map(Math.round), [3, 5, 6]);
});

test("a place outside of an image is its border", () => {
  const one = panel({ size: [10, 10, 10], affine: affine(1, [0, 0, 0]) });
  const other = panel({ size: [2, 2, 2], affine: affine(1, [4, 4, 40]) });
  one.scene.crosshairPos = one.vox2frac([9, 4, 0]);
  goTo(other.nv, where(one.nv));
  assert.deepEqual(other.scene.crosshairPos, [1, 0.25, 0]);
});

test("linked panels follow each other's crosshair and zoom", () => {
  const all = [panel(), panel({ size: [4, 4, 4] }), panel()];
  link(all.map((one) => one.nv));
  assert.deepEqual(all[0].others, [all[1], all[2]]);
  all[0].scene.crosshairPos = [0.25, 0.5, 0.5];
  all[0].scene.pan2Dxyzmm = [1, 2, 3, 4];
  all[0].nv.doSync2d(all[2].nv);
  assert.deepEqual(all[2].scene.crosshairPos, [0.25, 0.5, 0.5]);
  assert.deepEqual(all[2].scene.pan2Dxyzmm, [1, 2, 3, 4]);
  all[2].scene.pan2Dxyzmm[3] = 9;
  assert.equal(all[0].scene.pan2Dxyzmm[3], 4, "a copy is taken over");
});

test("three of a vector's numbers are kept", () => {
  assert.deepEqual(triple(new Float32Array([1, 2, 3, 4])), [1, 2, 3]);
});
