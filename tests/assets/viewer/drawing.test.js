import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { axisWithGap, Drawing, drawnSlices } from "../../../assets/viewer/drawing.js";
import { FakeNiivue, image } from "../niivue.js";
import { clear, enter, fake, labelled, settled, warnings } from "../page.js";

const DIMS = [3, 2, 3, 6];
const voxel = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ z) => x + 2 * (y + 3 * z);

afterEach(() => {
  mock.restoreAll();
  clear();
});

/** @type {FakeNiivue} */
let niivue;
/** @type {Drawing} */
let drawing;
/** @type {string[]} */
let log = [];

beforeEach(async () => {
  log = [];
  niivue = new FakeNiivue();
  niivue.addVolume(image({ size: [2, 3, 6] }));
  const panel = { nv: niivue, filled: true };
  drawing = new Drawing(fake(panel), {
    onstart: async () => {
      log.push("start");
    },
    onstop: () => log.push("stop"),
    onsaved: (reply) => log.push(`saved ${reply.scan_id}`),
    load: async () => image({ size: [2, 3, 6], voxels: Float32Array.from({ length: 36 }, (_, i) => Number(i < 4)) }),
  });
  document.body.append(drawing.root);
  await drawing.start("scan 1");
});

/** @param {...number} places */
function draw(...places) {
  for (const place of places) drawing.bitmap[place] = 1;
  drawing.count();
}

test("drawn slices are listed across each axis", () => {
  const bitmap = new Uint8Array(36);
  for (const place of [voxel(1, 0, 1), voxel(1, 2, 4), voxel(1, 0, 4)]) bitmap[place] = 1;
  assert.deepEqual(
    [0, 1, 2].map((axis) => drawnSlices(bitmap, DIMS, axis)),
    [[1], [0, 2], [1, 4]],
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

test("it starts with a pen of the size shown, and counts what is there", () => {
  assert.equal(drawing.root.hidden, false);
  assert.deepEqual(log, ["start"]);
  assert.equal(niivue.opts.drawingEnabled, true);
  assert.deepEqual([niivue.pen, niivue.opts.penType, niivue.opts.penSize], [1, 0, 5]);
  assert.equal(drawing.use.disabled, true);
  draw(...Array.from({ length: 36 }, (_, i) => i));
  assert.equal(drawing.volume.title, "36 voxels");
  assert.equal(drawing.volume.textContent, "0.0 ml");
  assert.equal(drawing.use.disabled, false);
});

test("a mask that is there is gone on with", async () => {
  drawing.stop();
  await drawing.start("scan 1", "/vol/mask");
  assert.equal(drawing.volume.title, "4 voxels");
});

test("every tool has its pen", () => {
  labelled(drawing.root, "Ellipse").click();
  assert.deepEqual([niivue.pen, niivue.opts.penType], [1, 2]);
  labelled(drawing.root, "Erase").click();
  assert.deepEqual([niivue.pen, niivue.opts.penType], [0, 0]);
  assert.equal(labelled(drawing.root, "Erase").getAttribute("aria-pressed"), "true");
  assert.equal(labelled(drawing.root, "Ellipse").getAttribute("aria-pressed"), "false");
  enter(drawing.size, "9");
  assert.equal(niivue.opts.penSize, 9);
  assert.equal(drawing.sizeText.textContent, "9");
});

test("undo is NiiVue's, and clearing can be undone", () => {
  labelled(drawing.root, "Undo the last stroke").click();
  assert.ok(niivue.calls.includes("drawUndo"));
  draw(3, 4);
  labelled(drawing.root, "Clear the drawing").click();
  assert.equal(drawing.volume.title, "0 voxels");
  assert.ok(niivue.calls.includes("drawAddUndoBitmap"));
});

test("gaps between drawn slices are filled, and the count of slices is shown", () => {
  labelled(drawing.root, "Fill between the drawn slices").click();
  assert.match(drawing.notice.textContent ?? "", /Draw on two slices/);
  draw(voxel(0, 1, 0), voxel(0, 1, 3), voxel(0, 1, 5));
  labelled(drawing.root, "Fill between the drawn slices").click();
  assert.deepEqual(
    niivue.calls.filter((call) => call.startsWith("interpolate")),
    ["interpolate 0 3 0", "interpolate 3 5 0"],
  );
  assert.equal(drawing.notice.textContent, "Filled 3 slices.");
});

test("the mask is sent as gzipped bytes to the scan's address, and drawing ends", async () => {
  draw(0, 7);
  /** @type {[string, Uint8Array][]} */
  const sent = [];
  mock.method(globalThis, "fetch", async (/** @type {string} */ url, /** @type {RequestInit} */ how) => {
    sent.push([url, new Uint8Array(await new Response(how.body).arrayBuffer())]);
    return Response.json({ scan_id: "m1" });
  });
  await drawing.save();
  const [[address, body]] = sent;
  assert.equal(address, "/mask/scan%201");
  assert.deepEqual(
    [...gunzipSync(body)].flatMap((value, i) => (value ? [i] : [])),
    [0, 7],
  );
  assert.deepEqual(log, ["start", "stop", "saved m1"]);
  assert.equal(drawing.active, false);
  assert.equal(niivue.drawBitmap, null);
});

test("a refused mask stays, with the server's words", async () => {
  draw(0);
  mock.method(globalThis, "fetch", async () =>
    Response.json({ code: "empty", message: "Nothing is marked.", hint: "Draw." }, { status: 422 }),
  );
  await drawing.save();
  assert.equal(drawing.notice.textContent, "Nothing is marked. Draw. [empty]");
  assert.equal(drawing.notice.getAttribute("role"), "alert");
  assert.equal(drawing.active, true);
  assert.equal(drawing.use.disabled, false);
});

test("without a connection the mask stays, and can be sent again", async () => {
  draw(0);
  warnings();
  mock.method(globalThis, "fetch", () => Promise.reject(new TypeError("network")));
  await drawing.save();
  assert.match(drawing.notice.textContent ?? "", /could not be sent.*\[offline\]/);
  assert.equal(drawing.active, true);
});

test("a drawing that NiiVue cannot write is not sent", async () => {
  warnings();
  const fetching = mock.method(globalThis, "fetch", async () => Response.json({}));
  mock.method(niivue, "saveImage", async () => false);
  await drawing.save();
  assert.equal(fetching.mock.callCount(), 0);
  assert.equal(drawing.active, true);
  labelled(drawing.root, "Download the drawn mask").click();
  await settled();
  assert.match(drawing.notice.textContent ?? "", /could not be made into a file/);
});

test("cancelling leaves without a mask", () => {
  labelled(drawing.root, "Leave drawing without using the mask").click();
  assert.deepEqual(log, ["start", "stop"]);
  assert.equal(drawing.root.hidden, true);
  assert.equal(niivue.opts.drawingEnabled, false);
});
