import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { el } from "../../../assets/viewer/dom.js";
import { Gestures } from "../../../assets/viewer/gestures.js";
import { pinched, screenAt, spotAt } from "../../../assets/viewer/place.js";
import { clear, fake } from "../page.js";

/** @import { Niivue } from "@niivue/niivue" */

// an axial slice of 10 x 10 x 10 voxels of 1 mm at 20 to 120 pixels across and 0 to 100 down
const slice = { axCorSag: 0, leftTopWidthHeight: [20, 0, 100, 100], leftTopMM: [0, 0], fovMM: [10, 10] };

/** @type {Niivue} */
let nv;
/** @type {string[]} */
let log = [];
/** @type {Gestures} */
let gestures;
/** @type {HTMLElement} */
let canvas;

beforeEach(() => {
  log = [];
  canvas = el("canvas");
  const made = {
    canvas,
    uiData: { dpr: 1 },
    screenSlices: [slice],
    scene: { pan2Dxyzmm: [0, 0, 0, 1] },
    tileIndex: (/** @type {number} */ x) => (x >= 20 && x <= 120 ? 0 : -1),
    screenXY2TextureFrac: (/** @type {number} */ x, /** @type {number} */ y) => [(x - 20) / 100, 1 - y / 100, 0.45],
    frac2vox: (/** @type {number[]} */ frac) => frac.map((one) => Math.min(9, Math.floor(one * 10))),
    frac2mm: (/** @type {number[]} */ frac) => frac.map((one) => one * 10),
    mm2frac: (/** @type {number[]} */ mm) => mm.map((one) => one / 10),
    setPan2Dxyzmm: (/** @type {number[]} */ pan) => {
      made.scene.pan2Dxyzmm = pan;
    },
  };
  nv = fake(made);
  const stage = el("div", {}, canvas);
  document.body.append(stage);
  canvas.addEventListener("mousedown", () => log.push("niivue"));
  canvas.addEventListener("touchstart", () => log.push("niivue touch"));
  gestures = new Gestures(fake({ stage, viewer: nv, filled: true }), () => log.push("zoom"));
  const note = (/** @type {string} */ what) => (/** @type {{ voxel: number[], take: boolean } | void} */ hit) => {
    log.push(hit ? `${what} ${hit.voxel.join(",")}${hit.take ? " take" : ""}` : what);
  };
  gestures.hold({
    atOnce: false,
    begin: note("begin"),
    move: note("move"),
    end: note("end"),
    hover: note("hover"),
    leave: note("leave"),
    close: note("close"),
    cancel: note("cancel"),
    wheel: (by) => log.push(`wheel ${by}`) > 0,
  });
});
afterEach(clear);

/**
 * @param {string} type
 * @param {number} clientX
 * @param {number} clientY
 * @param {object} [more]
 */
function point(type, clientX, clientY, more = {}) {
  const given = { pointerType: "mouse", pointerId: 1, button: 0, buttons: 1, altKey: false, clientX, clientY, ...more };
  canvas.dispatchEvent(Object.assign(new Event(type, { bubbles: true, cancelable: true }), given));
}

test("a press is followed on its slice, to the border and beyond, and let go", () => {
  point("pointermove", 60, 20, { buttons: 0 });
  point("pointerdown", 60, 20);
  point("pointermove", 500, 20, { altKey: true });
  point("pointerup", 500, 20);
  assert.deepEqual(log, ["hover 4,8,4", "begin 4,8,4", "move 9,8,4 take", "end"]);
});

test("a press beside the slice or with another button is none", () => {
  point("pointerdown", 5, 20);
  point("pointerdown", 60, 20, { button: 2, buttons: 2 });
  assert.deepEqual(log, []);
});

test("two fingers zoom about what is between them, and what was begun with one is left", () => {
  point("pointerdown", 60, 50, { pointerType: "touch", pointerId: 1 });
  point("pointerdown", 80, 50, { pointerType: "touch", pointerId: 2 });
  point("pointermove", 100, 50, { pointerType: "touch", pointerId: 2 });
  point("pointerup", 100, 50, { pointerType: "touch", pointerId: 2 });
  point("pointermove", 70, 50, { pointerType: "touch", pointerId: 1 });
  point("pointerup", 70, 50, { pointerType: "touch", pointerId: 1 });
  assert.deepEqual(log, ["begin 4,5,4", "cancel", "zoom"]);
  assert.equal(nv.scene.pan2Dxyzmm[3], 2);
  point("pointerdown", 60, 50, { pointerType: "touch", pointerId: 3 });
  assert.equal(log.at(-1), "begin 4,5,4");
});

test("once a pencil draws, a finger moves the view", () => {
  point("pointerdown", 60, 50, { pointerType: "pen" });
  point("pointerup", 60, 50, { pointerType: "pen" });
  point("pointerdown", 60, 50, { pointerType: "touch", pointerId: 2 });
  point("pointermove", 70, 50, { pointerType: "touch", pointerId: 2 });
  assert.deepEqual(log, ["begin 4,5,4", "end", "zoom"]);
  assert.deepEqual([...nv.scene.pan2Dxyzmm], [1, 0, 0, 1]);
});

test("NiiVue gets what the tool does not take", () => {
  canvas.dispatchEvent(new Event("touchstart", { bubbles: true, cancelable: true }));
  assert.deepEqual(log, []);
  gestures.hold(null);
  canvas.dispatchEvent(new Event("touchstart", { bubbles: true, cancelable: true }));
  assert.deepEqual(log, ["niivue touch"]);
});

test("what is between the fingers stays there", () => {
  const [x, y, z, zoom] = pinched([0, 0, 0, 1], [4, -2, 1], 2, [0, 0, 0]);
  assert.deepEqual([x, y, z, zoom], [-4, 2, -1, 2]);
  // drawn at (mm * zoom + pan), the place has not moved
  assert.equal(4 * zoom + x, 4);
  assert.equal(pinched([0, 0, 0, 10], [0, 0, 0], 5, [0, 0, 0])[3], 12, "a zoom has an end");
});

test("pixels and places are each other's inverse", () => {
  const spot = spotAt(nv, [75, 30]);
  assert.deepEqual(spot?.voxel, [5, 7, 4]);
  assert.deepEqual(screenAt(nv, [5.5, 7, 5], 2)?.map(Math.round), [75, 30]);
  assert.equal(screenAt(nv, [5.5, 7, 5], 0), undefined);
});
