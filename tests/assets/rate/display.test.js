import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Display } from "../../../assets/rate/display.js";
import { Images } from "../../../assets/rate/images.js";
import { image, library } from "../niivue.js";
import { clear, enter, fake, labelled, settled, warnings } from "../page.js";

/** @import { FakeNiivue } from "../niivue.js" */
/** @import { How } from "../../../assets/rate/display.js" */

/** @type {Display} */
let display;
/** @type {FakeNiivue[]} */
let made;
/** @type {(number[] | null)[]} */
let marks = [];
let lost = 0;

const SIZE = [6, 8, 10];
const scan = () => image({ size: SIZE });
/** @type {How} */
const HOW = { toggle: false, marking: false, mark: null, at: null };

beforeEach(async () => {
  marks = [];
  lost = 0;
  const niivue = library();
  made = niivue.made;
  globalThis.niivue = niivue.known;
  display = new Display({ onmark: (mark) => marks.push(mark?.runs ?? null), onlost: () => lost++ });
  document.body.append(display.root);
  await display.start();
});
afterEach(() => {
  mock.restoreAll();
  globalThis.niivue = undefined;
  clear();
});

/** @param {number} panel */
const voxel = (panel) => made[panel].frac2vox(made[panel].scene.crosshairPos);

test("one image opens at its middle, in one panel", async () => {
  await display.show([scan()], HOW);
  assert.deepEqual(voxel(0), [3, 4, 5]);
  assert.equal(display.panels[1].root.hidden, true);
  assert.equal(display.panels[0].title.textContent, "Image");
  assert.equal(display.grid.classList.contains("rate-drawing"), false);
  assert.deepEqual(display.counted, { axial: 1, coronal: 1, sagittal: 1 });
});

test("two images open at the voxel that the study names, side by side or in one place", async () => {
  await display.show([scan(), scan()], { ...HOW, at: [1, 2, 3] });
  assert.deepEqual(
    [voxel(0), voxel(1)],
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
  );
  assert.deepEqual([display.toggles, display.flips.hidden], [false, true]);
  await display.show([scan(), scan()], { ...HOW, toggle: true });
  assert.deepEqual([display.toggles, display.flips.hidden], [true, false]);
});

test("flipping shows the other image in the same place", async () => {
  await display.show([scan(), scan()], { ...HOW, toggle: true });
  const behind = () => display.panels.map((panel) => panel.root.classList.contains("rate-behind"));
  assert.deepEqual(behind(), [false, true]);
  display.flip();
  assert.deepEqual(behind(), [true, false]);
  assert.equal(labelled(display.flips, "B").getAttribute("aria-pressed"), "true");
});

test("a step moves both crosshairs along the axis of the view, and is noted as seen", async () => {
  await display.show([scan(), scan()], HOW);
  display.step(1);
  assert.deepEqual(
    [voxel(0), voxel(1)],
    [
      [3, 4, 6],
      [3, 4, 6],
    ],
  );
  labelled(display.views, "Sagittal").click();
  display.step(-2);
  assert.deepEqual(voxel(1), [1, 4, 6]);
  assert.deepEqual(display.visited, { axial: [5, 6], coronal: [4], sagittal: [1, 3] });
});

test("the slider has the slices of the view, from one", async () => {
  await display.show([scan()], HOW);
  assert.deepEqual([display.slice.max, display.slice.value, display.sliceText.textContent], ["10", "6", "6/10"]);
  enter(display.slice, "2");
  assert.deepEqual(voxel(0), [3, 4, 1]);
  labelled(display.views, "Coronal").click();
  assert.equal(display.sliceText.textContent, "5/8");
  assert.equal(display.slice.getAttribute("aria-label"), "Coronal slice");
});

test("what was seen before a pause counts", async () => {
  await display.show([scan()], { ...HOW, seen: { axial: [0, 1], coronal: [], sagittal: [3] } });
  assert.deepEqual(display.visited, { axial: [0, 1, 5], coronal: [4], sagittal: [3] });
});

test("zooming has steps and ends, and keeps the crosshair where it is on the screen", async () => {
  await display.show([scan()], HOW);
  const [, , z] = made[0].frac2mm(made[0].scene.crosshairPos);
  const zooms = [];
  for (const by of [1, 1, 1, 1, 1, -1]) {
    display.zoomBy(by);
    zooms.push(made[0].scene.pan2Dxyzmm[3]);
  }
  assert.deepEqual(zooms, [1.5, 2, 3, 4, 4, 3]);
  assert.equal(made[0].scene.pan2Dxyzmm[2], -2 * z);
  labelled(display.root, "Reset the view").click();
  assert.deepEqual(made[0].scene.pan2Dxyzmm, [0, 0, 0, 1]);
});

test("every item opens in the same window, also after the rater has changed it", async () => {
  const one = scan();
  await display.show([one], HOW);
  assert.deepEqual([one.cal_min, one.cal_max], [0, 255]);
  one.cal_max = 9;
  display.reset();
  assert.equal(one.cal_max, 255);
});

test("a stroke is taken over when the pointer is lifted", async () => {
  await display.show([scan()], { ...HOW, marking: true });
  display.pen.hold(true, 3);
  made[0].drawBitmap?.fill(1, 7, 9);
  display.panels[0].stage.dispatchEvent(new Event("mouseup"));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(marks, [[7, 2]]);
  await display.show([scan()], HOW);
  assert.equal(made[0].opts.drawingEnabled, false, "the next item has no pen");
});

test("images that the browser has lost are reported", async () => {
  display.panels[0].canvas.dispatchEvent(new Event("webglcontextlost"));
  assert.equal(lost, 1);
});

test("before the library is there nothing can be drawn", async () => {
  const early = new Display({ onmark: () => {}, onlost: () => {} });
  await assert.rejects(early.show([scan()], HOW), /not loaded yet/);
  globalThis.niivue = undefined;
  await settled();
});

test("an image is read once, in one window for all, and again after a failure", async () => {
  warnings();
  let reads = 0;
  const files = { file: async () => new ArrayBuffer(++reads) };
  let broken = true;
  const { known } = library(() => image(broken ? { size: [0, 0, 0] } : {}));
  const images = new Images(known, fake(files));
  await assert.rejects(images.load("/1"), /could not be read/);
  broken = false;
  const [one, again] = await Promise.all([images.load("/1"), images.load("/1")]);
  assert.equal(one, again);
  assert.equal(reads, 2);
  assert.deepEqual([one.robust_min, one.robust_max, one.cal_min, one.cal_max], [0, 255, 0, 255]);
  images.keep(["/2"]);
  await images.load("/1");
  assert.equal(reads, 3);
});
