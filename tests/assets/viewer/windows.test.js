import assert from "node:assert/strict";
import { test } from "node:test";
import { Windows } from "../../../assets/viewer/windows.js";

/**
 * @param {number} low
 * @param {number} high
 */
const extent = (low, high) => ({ robust_min: low, robust_max: high, global_min: low - 10, global_max: high + 10 });

test("the first image of some units decides their window", () => {
  const windows = new Windows();
  assert.deepEqual(windows.of("scan", extent(0, 100)), [0, 100]);
  assert.deepEqual(windows.of("scan", extent(500, 900)), [0, 100]);
  assert.deepEqual(windows.of("flair", extent(500, 900)), [500, 900]);
});

test("a preset is of the image that decided, and of those that come later", () => {
  const windows = new Windows();
  windows.of("scan", extent(0, 100));
  windows.setPreset("full");
  assert.deepEqual(windows.of("scan", extent(1, 2)), [-10, 110]);
  assert.deepEqual(windows.of("flair", extent(20, 30)), [10, 40]);
  windows.setPreset("bright");
  assert.deepEqual(windows.of("scan", extent(1, 2)), [0, 70]);
});

test("a window is set for its units only, and only where there are any", () => {
  const windows = new Windows();
  windows.of("scan", extent(0, 100));
  windows.of("flair", extent(0, 50));
  windows.set("scan", 3, 4);
  windows.set("unknown", 5, 6);
  assert.deepEqual(windows.of("scan", extent(0, 1)), [3, 4]);
  assert.deepEqual(windows.of("flair", extent(0, 1)), [0, 50]);
  assert.deepEqual(windows.of("unknown", extent(0, 1)), [0, 1]);
});

test("units that left the page are forgotten, and so is all at a new scan", () => {
  const windows = new Windows();
  windows.setPreset("full");
  windows.of("scan", extent(0, 100));
  windows.of("flair", extent(0, 50));
  windows.keep(new Set(["flair"]));
  assert.deepEqual([...windows.kept.keys()], ["flair"]);
  windows.clear();
  assert.equal(windows.kept.size, 0);
  assert.deepEqual(windows.of("scan", extent(1, 2)), [1, 2], "the preset is the automatic one again");
});
