import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { el } from "../../../assets/viewer/dom.js";
import { mount } from "../../../assets/viewer/viewer.js";
import { image, library } from "../niivue.js";
import { clear, enter, fake, labelled, settled, warnings } from "../page.js";

/** @import { Viewer } from "../../../assets/viewer/viewer.js" */
/** @import { FakeNiivue } from "../niivue.js" */
/** @import { Scene } from "../../../assets/viewer/scene-json.d.ts" */

/** @type {Viewer} */
let viewer;
/** @type {string[]} */
let missing = [];

/** @param {string} id */
const named = (id) => ({ id, url: `/vol/${id}`, title: id.toUpperCase() });
/** @type {Scene} */
const done = {
  scan: named("scan"),
  drawable: true,
  results: [named("a"), named("b")],
  uncertainty: "/vol/u",
  uncertain: "A",
  job: "1",
};

beforeEach(async () => {
  missing = [];
  const context = { getExtension: () => null };
  mock.method(HTMLCanvasElement.prototype, "getContext", () => context);
  mock.method(globalThis, "fetch", async (/** @type {string} */ url) =>
    missing.includes(url) ? new Response("", { status: 404 }) : new Response(Uint8Array.from([1])),
  );
  globalThis.niivue = library(() => image({ voxels: Float32Array.from({ length: 24 }, (_, i) => i) })).known;
  const host = el("div", {}, el("div", { class: "cs-viewer" }));
  document.body.append(host);
  viewer = await mount(host, { library: "/none.js", emit: () => {} });
});
afterEach(() => {
  mock.restoreAll();
  globalThis.niivue = undefined;
  clear();
});

const titles = () => viewer.panels.filter((panel) => !panel.root.hidden).map((panel) => panel.title.textContent);
/** @param {object} nv */
const updates = (nv) => /** @type {FakeNiivue} */ (nv).calls.filter((call) => call === "updateGLVolume").length;
const filled = () => viewer.panels.map((panel) => panel.volumes.length);

test("an empty viewer invites, and its controls are off", async () => {
  await viewer.apply({ invite: "Drop a scan.", drawable: true });
  assert.deepEqual(titles(), ["Input and mask"]);
  assert.equal(viewer.input.placeholder.textContent, "Drop a scan.");
  assert.ok([...viewer.toolbar.root.querySelectorAll("button")].every((node) => node.disabled));
});

test("a finished run fills four panels, one crosshair in all", async () => {
  await viewer.apply({ ...done, mask: named("mask") });
  assert.deepEqual(titles(), ["Input and mask", "Result", "Difference from the input", "Uncertainty: A"]);
  assert.deepEqual(filled(), [2, 1, 2, 2]);
  const [first, ...others] = viewer.live.map((panel) => [...panel.nv.scene.crosshairPos]);
  for (const other of others) assert.deepEqual(other, first);
  assert.equal(viewer.root.dataset.ready, "true");
});

test("panels that follow each other are emptied and filled again", async () => {
  await viewer.apply(done);
  const { nv } = viewer.input;
  assert.equal(/** @type {FakeNiivue} */ (/** @type {object} */ (nv)).others.length, 3);
  await viewer.apply({ scan: named("other"), drawable: true });
  assert.deepEqual(filled(), [1, 0, 0, 0]);
  await viewer.apply(done);
  await viewer.apply(null);
  assert.deepEqual(filled(), [0, 0, 0, 0]);
  assert.equal(viewer.root.dataset.ready, "true");
});

test("one volume that is gone leaves the others", async () => {
  warnings();
  missing = ["/vol/u", "/vol/mask"];
  await viewer.apply({ ...done, mask: named("mask") });
  assert.deepEqual(filled(), [1, 1, 2, 0]);
  assert.match(viewer.uncertainty.placeholder.textContent ?? "", /The uncertainty could not be shown/);
  assert.match(viewer.status.textContent ?? "", /The mask could not be shown.*no longer on the server/);
  assert.equal(viewer.status.getAttribute("role"), "alert");
});

test("a choice of result stays until another job is shown", async () => {
  await viewer.apply(done);
  enter(viewer.result.pick, "b");
  await viewer.queue;
  assert.equal(viewer.result.of?.title, "B");
  await viewer.apply({ ...done, busy: false });
  assert.equal(viewer.result.of?.title, "B");
  await viewer.apply({ ...done, job: "2" });
  assert.equal(viewer.result.of?.title, "A");
});

test("the crosshair stays in space from scene to scene, and goes to a new mask", async () => {
  await viewer.apply(done);
  viewer.input.nv.scene.crosshairPos = [0.25, 0.5, 0.125];
  await viewer.apply({ ...done, job: "2" });
  assert.deepEqual([...viewer.input.nv.scene.crosshairPos], [0.25, 0.5, 0.125]);
  await viewer.apply({ ...done, mask: named("mask") });
  assert.notDeepEqual([...viewer.input.nv.scene.crosshairPos], [0.25, 0.5, 0.125]);
});

test("a window is set for all images of its units", async () => {
  await viewer.apply(done);
  viewer.look.setWindow(10, 20);
  assert.deepEqual(
    viewer.live.map((panel) => [panel.volumes[0].cal_min, panel.volumes[0].cal_max]),
    [
      [10, 20],
      [10, 20],
      [10, 20],
      [10, 20],
    ],
  );
  enter(viewer.toolbar.low, "30");
  assert.equal(viewer.input.volumes[0].cal_min, 10, "a window has to have a width");
  enter(viewer.toolbar.high, "40");
  assert.equal(viewer.input.volumes[0].cal_min, 30);
  assert.equal(viewer.toolbar.windows.value, "custom");
  enter(viewer.toolbar.windows, "full");
  assert.deepEqual([viewer.input.volumes[0].cal_min, viewer.toolbar.high.value], [0, "100"]);
  viewer.result.nv.onIntensityChange(Object.assign(viewer.result.volumes[0], { cal_min: 1, cal_max: 5 }));
  assert.equal(viewer.input.volumes[0].cal_max, 5, "also what is dragged in the image");
  viewer.look.reset();
  assert.equal(viewer.input.volumes[0].cal_max, 98);
});

test("images in other units keep their window, and the toolbar names whose it sets", async () => {
  await viewer.apply({ inputs: [{ ...named("t1"), units: "t1" }], results: [{ ...named("a"), units: "result" }] });
  viewer.input.root.dispatchEvent(new Event("focusin"));
  assert.equal(viewer.toolbar.whose.textContent, "T1");
  viewer.look.setWindow(10, 20);
  assert.deepEqual([viewer.input.volumes[0].cal_max, viewer.result.volumes[0].cal_max], [20, 98]);
  const painted = () => viewer.panels.map((panel) => panel.viewer && updates(panel.nv));
  const before = painted();
  viewer.look.setWindow(10, 30);
  assert.deepEqual(
    painted().map((count, i) => (count ?? 0) - (before[i] ?? 0)),
    [1, 0, 0, 0],
  );
});

test("another scan has a window of its own", async () => {
  await viewer.apply(done);
  viewer.look.setWindow(10, 20);
  await viewer.apply({ scan: named("other") });
  assert.equal(viewer.input.volumes[0].cal_max, 98);
  assert.equal(viewer.toolbar.windows.value, "auto");
});

test("view, sides and colours are those of every panel", async () => {
  await viewer.apply(done);
  labelled(viewer.toolbar.root, "Coronal").click();
  viewer.toolbar.sides.click();
  enter(viewer.toolbar.maps, "bone");
  for (const { nv, volumes } of viewer.live) {
    assert.deepEqual([nv.opts.sliceType, nv.opts.isRadiologicalConvention, volumes[0].colormap], [1, true, "bone"]);
  }
});

test("comparing shows images side by side, and drawing only one", async () => {
  await viewer.apply(done);
  viewer.toolbar.compare.click();
  await viewer.queue;
  assert.deepEqual(titles(), ["SCAN", "A", "B"]);
  viewer.toolbar.draw.click();
  await viewer.queue;
  assert.equal(viewer.drawing.active, true);
  assert.deepEqual(titles(), ["Input and mask"]);
  assert.equal(viewer.toolbar.compare.disabled, true);
  viewer.drawing.stop();
  await viewer.queue;
  assert.equal(titles().length, 4);
});

test("another scan ends the drawing", async () => {
  await viewer.apply(done);
  viewer.startDrawing();
  await viewer.queue;
  await viewer.apply({ ...done, scan: named("scan") });
  assert.equal(viewer.drawing.active, true);
  await viewer.apply({ scan: named("other") });
  await viewer.queue;
  assert.equal(viewer.drawing.active, false);
});

test("scenes are applied in the order in which they came", async () => {
  const before = viewer.apply(done);
  await Promise.all([before, viewer.apply({ scan: named("other") })]);
  assert.equal(viewer.input.of?.title, "OTHER");
  assert.deepEqual(filled(), [1, 0, 0, 0]);
});

test("dropped files go to the page around", async () => {
  /** @type {unknown[]} */
  const taken = [];
  viewer.host.take = (files) => taken.push(files);
  const drop = Object.assign(new Event("drop", { cancelable: true }), { dataTransfer: { files: ["scan.nii"] } });
  viewer.input.placeholder.dispatchEvent(drop);
  assert.equal(drop.defaultPrevented, true);
  assert.deepEqual(taken, [["scan.nii"]]);
});

/** Takes the pictures of all panels away, as a graphics card does. */
async function dropPictures() {
  for (const panel of viewer.live) /** @type {FakeNiivue} */ (/** @type {unknown} */ (panel.nv)).lost = true;
  for (const panel of viewer.live) panel.canvas.dispatchEvent(new Event("webglcontextlost", { cancelable: true }));
  await viewer.queue;
}

test("what the graphics card dropped is drawn anew, at the same place, with what was drawn", async () => {
  await viewer.apply({ ...done, results: [] });
  viewer.startDrawing();
  await viewer.queue;
  viewer.input.nv.scene.crosshairPos = [0.25, 0.5, 0.125];
  viewer.drawing.bitmap[5] = 1;
  viewer.drawing.commit();
  const { canvas } = viewer.input;
  await dropPictures();
  await settled();
  await viewer.queue;
  assert.notEqual(viewer.input.canvas, canvas);
  assert.equal(canvas.isConnected, false);
  assert.deepEqual(filled().slice(0, 1), [1]);
  assert.deepEqual([...viewer.input.nv.scene.crosshairPos], [0.25, 0.5, 0.125]);
  assert.equal(viewer.drawing.active, true);
  assert.equal(viewer.drawing.bitmap.indexOf(1), 5);
});

test("a graphics card that drops everything again and again is named, with a way on", async () => {
  await viewer.apply(done);
  for (let i = 0; i < 4; i++) await dropPictures();
  assert.match(viewer.status.textContent ?? "", /graphics card dropped.*are kept/);
  assert.equal(viewer.input.filled, false);
  labelled(viewer.root, "Draw the scan again").click();
  await viewer.queue;
  assert.deepEqual(filled(), [1, 1, 2, 2]);
  for (let i = 0; i < 4; i++) await dropPictures();
  labelled(viewer.root, "Show slices as pictures").click();
  assert.equal(viewer.root.querySelectorAll(".cs-flat img").length, 3);
});

test("all panels begin at the largest section of the mask before any is drawn", async () => {
  await viewer.apply(done);
  /** @type {number[][]} */
  const places = [];
  for (const panel of viewer.panels) {
    mock.method(panel.nv, "drawScene", () => places.push([...panel.nv.scene.crosshairPos]));
  }
  await viewer.apply({ ...done, job: "2", mask: named("mask") });
  assert.equal(new Set(places.map(String)).size, 1, "no panel is drawn anywhere else");
  assert.notDeepEqual(places[0], [0.5, 0.5, 0.5]);
});

test("without its library the viewer names the remedy", async () => {
  warnings();
  globalThis.niivue = undefined;
  const host = el("div", {}, el("div", { class: "cs-viewer" }));
  const blind = await mount(host, { library: "data:text/javascript,", emit: () => {} });
  assert.match(blind.input.placeholder.textContent ?? "", /\[viewer_missing\]/);
  await settled();
  assert.equal(blind.blind, true);
  await assert.rejects(mount(el("div"), fake({})), /no place/);
});

test("a drawing that the server has ends with the scene of its mask, and the old result is not drawn again", async () => {
  await viewer.apply(done);
  viewer.startDrawing();
  await viewer.queue;
  assert.equal(viewer.drawing.active, true);
  viewer.drawing.handOver({ scan_id: "m", token: "t", voxels: 1, volume_ml: 1, warnings: [] });
  assert.deepEqual(titles(), ["Input and mask"]);
  await viewer.apply({ scan: named("scan"), drawable: true, mask: named("m") });
  await viewer.queue;
  assert.equal(viewer.drawing.active, false);
  assert.deepEqual(filled(), [2, 0, 0, 0]);
});

test("while a scan is on its way, the empty panel names that", async () => {
  await viewer.apply({ invite: "Drop a scan.", drawable: true });
  const loading = viewer.apply(done);
  await settled();
  assert.match(viewer.input.placeholder.textContent ?? "", /Loading/);
  await loading;
});
