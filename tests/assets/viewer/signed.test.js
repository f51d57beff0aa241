import assert from "node:assert/strict";
import { test } from "node:test";
import { colourSigned, reachOf, scaled, subtract } from "../../../assets/viewer/signed.js";
import { image } from "../niivue.js";

test("the reach leaves out the largest thousandth of what changed", () => {
  const values = new Float32Array(3000).fill(0, 0, 1000).fill(10, 1000);
  values[2999] = -1000;
  const reach = reachOf(values);
  assert.ok(reach >= 9.8 && reach <= 10.3, String(reach));
});

test("a few voxels all count", () => {
  assert.equal(reachOf([0, 0, -4, 2]), 4);
});

test("where nothing changed the reach is one", () => {
  assert.equal(reachOf([0, 0, 0]), 1);
  assert.equal(reachOf([]), 1);
});

test("what is not finite does not count", () => {
  assert.equal(reachOf([0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3]), 3);
  assert.equal(reachOf([Number.POSITIVE_INFINITY]), 1);
});

test("values are scaled as the header has it, and not copied without need", () => {
  const plain = image({ size: [1, 1, 2], voxels: [1, 2] });
  assert.equal(scaled(plain), plain.img);
  assert.deepEqual([...Array.from(scaled(image({ size: [1, 1, 2], voxels: [1, 2], slope: 2, shift: 3 })))], [5, 7]);
  assert.deepEqual([...Array.from(scaled(image({ size: [1, 1, 1], voxels: [4], slope: 0 })))], [4]);
});

test("images with scalings of their own are subtracted in their units", () => {
  const first = image({ size: [1, 1, 3], voxels: [1, 2, 3], slope: 10 });
  const second = image({ size: [1, 1, 3], voxels: [10, 10, 10], shift: 5 });
  const made = subtract(first, second);
  assert.deepEqual([...made.img], [-5, 5, 15]);
  assert.equal(made.hdr.scl_slope, 1);
  assert.equal(made.hdr.datatypeCode, 16);
  assert.deepEqual([...first.img], [1, 2, 3], "the first image stays");
});

test("a signed volume has a symmetric window and no colour around zero", () => {
  const made = colourSigned(image(), [-8, 0, 4]);
  assert.deepEqual([made.cal_minNeg, made.cal_max, made.robust_min, made.robust_max], [-8, 8, -8, 8]);
  assert.ok(made.cal_min > 0 && made.cal_min < 0.1);
  assert.equal(made.cal_maxNeg, -made.cal_min);
  assert.equal(made.colormapNegative, "cs-less");
});
