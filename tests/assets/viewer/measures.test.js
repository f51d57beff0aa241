import assert from "node:assert/strict";
import { test } from "node:test";
import { angle, between, distance, profile, roundLength, statistics } from "../../../assets/viewer/measures.js";

test("lengths and angles are those of space", () => {
  assert.equal(distance([0, 0, 0], [3, 4, 12]), 13);
  assert.ok(
    Math.abs(
      angle([
        [1, 0, 0],
        [0, 0, 0],
        [0, 0, 5],
      ]) - 90,
    ) < 1e-9,
  );
  assert.ok(
    Math.abs(
      angle([
        [2, 0, 0],
        [0, 0, 0],
        [1, 1, 0],
      ]) - 45,
    ) < 1e-9,
  );
  assert.equal(
    angle([
      [0, 0, 0],
      [0, 0, 0],
      [1, 1, 0],
    ]),
    0,
  );
});

test("statistics are of what is finite, with the deviation of a sample", () => {
  const found = statistics([2, 4, 4, 4, 5, 5, 7, 9, Number.NaN]);
  assert.deepEqual([found.count, found.mean, found.least, found.most], [8, 5, 2, 9]);
  assert.ok(Math.abs(found.sd - Math.sqrt(32 / 7)) < 1e-12);
  assert.equal(statistics([3]).sd, 0);
});

test("between voxels the eight around count by how near they are, and outside there is nothing", () => {
  const dims = [3, 2, 2];
  const ramp = (/** @type {number} */ place) => (place % 3) * 10 + Math.floor(place / 6);
  assert.equal(between(dims, ramp, [1, 0, 0]), 10);
  assert.equal(between(dims, ramp, [1.25, 0.5, 0.5]), 13);
  assert.equal(between(dims, ramp, [2.4, 0, 0]), 20);
  assert.ok(Number.isNaN(between(dims, ramp, [2.6, 0, 0])));
});

test("a profile goes from end to end in even steps", () => {
  const found = profile([0, 0, 0], [0, 3, 4], ([, y]) => y, 0.5);
  assert.equal(found.length, 11);
  assert.deepEqual(found[0], { at: 0, value: 0 });
  assert.deepEqual(found[10], { at: 5, value: 3 });
});

test("a scale bar has a round length", () => {
  assert.deepEqual([0.7, 1, 4.9, 9, 23, 70].map(roundLength), [0.5, 1, 2, 5, 20, 50]);
});
