import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { el } from "../../../assets/viewer/dom.js";
import { mount } from "../../../assets/viewer/viewer.js";
import { image, library } from "../niivue.js";
import { clear, press, settled } from "../page.js";

/** @import { Viewer } from "../../../assets/viewer/viewer.js" */

/** @type {Viewer} */
let viewer;
const scene = { scan: { id: "scan", url: "/vol/scan" }, drawable: true };

beforeEach(async () => {
  const context = { getExtension: () => null };
  mock.method(HTMLCanvasElement.prototype, "getContext", () => context);
  mock.method(globalThis, "fetch", async () => new Response(Uint8Array.from([1])));
  globalThis.niivue = library(() => image({ size: [8, 8, 8] })).known;
  const host = el("div", {}, el("div", { class: "cs-viewer" }), el("textarea"));
  document.body.append(host);
  viewer = await mount(host, { library: "/none.js", emit: () => {} });
  await viewer.apply(scene);
  viewer.input.nv.scene.crosshairPos = viewer.input.nv.vox2frac([3, 3, 3]);
});
afterEach(() => {
  mock.restoreAll();
  globalThis.niivue = undefined;
  clear();
});

const voxel = () => [...viewer.input.nv.frac2vox(viewer.input.nv.scene.crosshairPos)];
const marked = () => viewer.drawing.bitmap.reduce((sum, one) => sum + one, 0);
const canvas = () => viewer.input.canvas;

test("arrows and page keys move the crosshair along the plane that is shown", () => {
  for (const key of ["ArrowLeft", "ArrowUp", "ArrowUp", "PageUp"]) assert.equal(press(key, canvas()), true);
  assert.deepEqual(voxel(), [2, 5, 4]);
  press("3");
  assert.equal(viewer.look.view, 1);
  press("ArrowUp");
  press("PageDown");
  assert.deepEqual(voxel(), [2, 4, 5]);
});

test("NiiVue's own keys stay off, and a field keeps what is typed", () => {
  let heard = 0;
  canvas().addEventListener("keydown", () => heard++);
  press("v", canvas());
  assert.equal(heard, 0);
  const field = /** @type {HTMLElement} */ (document.querySelector("textarea"));
  assert.equal(press("d", field), false);
  assert.equal(press("ArrowUp", viewer.toolbar.sides), false, "a button keeps the keys that it needs");
});

test("a mask is drawn, undone and made again by keys alone", async () => {
  press("d");
  await viewer.queue;
  await settled();
  assert.equal(viewer.drawing.active, true);
  for (let i = 0; i < 4; i++) press("[");
  assert.equal(viewer.drawing.size, 1);
  press(" ", canvas());
  press("ArrowRight", canvas());
  press("ArrowRight", canvas());
  press(" ", canvas());
  assert.equal(marked(), 3);
  press("z", document.body, { ctrlKey: true });
  assert.equal(marked(), 0);
  press("Z", document.body, { ctrlKey: true, shiftKey: true });
  assert.equal(marked(), 3);
  press("z", document.body, { metaKey: true });
  press("y", document.body, { ctrlKey: true });
  assert.equal(marked(), 3);
});

test("a polygon is set corner by corner and closed, or left", async () => {
  press("d");
  await viewer.queue;
  press("p");
  const corner = (/** @type {string[]} */ ...moves) => {
    for (const key of moves) press(key, canvas());
    press(" ", canvas());
  };
  corner();
  corner("ArrowRight", "ArrowRight", "ArrowRight");
  corner("ArrowUp", "ArrowUp", "ArrowUp");
  assert.equal(viewer.drawing.history.done.length, 0);
  press("Enter", canvas());
  assert.equal(viewer.drawing.history.done.length, 1);
  assert.ok(marked() > 6);
  const before = marked();
  corner();
  press("Escape", canvas());
  assert.equal(marked(), before);
});

test("the keys are listed", () => {
  const opened = mock.fn();
  Object.assign(viewer.keys.sheet, { showModal: opened });
  assert.equal(press("?"), true);
  assert.equal(opened.mock.callCount(), 1);
  const text = viewer.keys.sheet.textContent ?? "";
  for (const one of ["undo", "close the polygon", "next and previous slice"]) assert.match(text, new RegExp(one));
});

test("keys of drawing do nothing before it", () => {
  assert.equal(press("z", document.body, { ctrlKey: true }), false);
  assert.equal(press("b", document.body), false);
});
