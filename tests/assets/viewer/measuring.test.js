import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { el } from "../../../assets/viewer/dom.js";
import { mount } from "../../../assets/viewer/viewer.js";
import { image, library } from "../niivue.js";
import { clear, labelled, press } from "../page.js";

/** @import { Viewer } from "../../../assets/viewer/viewer.js" */

/** @type {Viewer} */
let viewer;
const volume = (/** @type {string} */ id) => ({ id, url: `/vol/${id}`, title: id.toUpperCase() });

beforeEach(async () => {
  const context = { getExtension: () => null };
  mock.method(HTMLCanvasElement.prototype, "getContext", () => context);
  mock.method(globalThis, "fetch", async () => new Response(Uint8Array.from([1])));
  const affine = [2, 2, 2, 1].map((side, i) => [0, 1, 2, 3].map((j) => (i === j ? side : 0)));
  const voxels = Float32Array.from({ length: 512 }, (_, i) => i % 8);
  globalThis.niivue = library(() =>
    Object.assign(image({ size: [8, 8, 8], voxels, affine }), { pixDimsRAS: [1, 2, 2, 2] }),
  ).known;
  const host = el("div", {}, el("div", { class: "cs-viewer" }));
  document.body.append(host);
  viewer = await mount(host, { library: "/none.js", emit: () => {} });
  await viewer.apply({ scan: volume("scan"), drawable: true, results: [volume("a")] });
  press("m");
});
afterEach(() => {
  mock.restoreAll();
  globalThis.niivue = undefined;
  clear();
});

const said = () => viewer.measuring.result.textContent ?? "";

/** @param {...number[]} voxels */
function drag(...voxels) {
  const { handler } = viewer.gestures[1];
  const [first, ...others] = voxels.map((voxel) => ({ axis: 2, voxel, take: false }));
  handler?.begin(first);
  for (const hit of others) handler?.move(hit);
  handler?.end();
}

test("a ruler measures millimetres, and a press without a drag nothing", () => {
  assert.equal(viewer.measuring.root.hidden, false);
  drag([1, 1, 3], [4, 5, 3]);
  assert.equal(said(), "Ruler: 10.0 mm");
  drag([1, 1, 3]);
  assert.equal(viewer.measuring.marks.length, 1);
});

test("an angle takes three points", () => {
  labelled(viewer.measuring.root, "Angle").click();
  drag([1, 1, 3]);
  drag([4, 1, 3]);
  assert.equal(viewer.measuring.open?.points.length, 3);
  drag([4, 4, 3]);
  assert.equal(said(), "Angle: 90.0\u00b0");
});

test("a region is measured in every panel, with units", () => {
  labelled(viewer.measuring.root, "Region").click();
  drag([1, 1, 3], [3, 1, 3], [3, 3, 3], [1, 3, 3]);
  assert.match(said(), /^Region: 36 mm\u00b2, 0\.072 ml in 9 voxels/);
  const rows = [...viewer.measuring.details.querySelectorAll("tbody tr")].map((row) =>
    [...row.children].map((cell) => cell.textContent),
  );
  assert.equal(rows.length, viewer.live.length);
  assert.deepEqual(rows[0].slice(1), ["2", "0.866", "1", "3"]);
});

test("a profile is drawn of every panel", () => {
  labelled(viewer.measuring.root, "Profile").click();
  drag([0, 2, 3], [7, 2, 3]);
  assert.equal(said(), "Profile: 14.0 mm");
  assert.equal(viewer.measuring.details.querySelectorAll("li").length, viewer.live.length);
  assert.match(viewer.measuring.details.querySelector("svg")?.getAttribute("aria-label") ?? "", /line of 14\.0 mm/);
});

test("a ruler is laid by keys alone", () => {
  viewer.look.attend(viewer.input);
  const { canvas, nv } = viewer.input;
  nv.scene.crosshairPos = nv.vox2frac([2, 2, 3]);
  press(" ", canvas);
  for (let i = 0; i < 3; i++) press("ArrowRight", canvas);
  press(" ", canvas);
  assert.equal(said(), "Ruler: 6.0 mm");
});

test("leaving, and drawing, give the pointer back and clear what was measured", async () => {
  drag([1, 1, 3], [4, 5, 3]);
  labelled(viewer.measuring.root, "Leave measuring").click();
  assert.equal(viewer.gestures[1].handler, null);
  assert.equal(viewer.measuring.marks.length, 0);
  press("m");
  viewer.startDrawing();
  await viewer.queue;
  assert.equal(viewer.measuring.on, false);
  assert.notEqual(viewer.gestures[0].handler, null);
});
