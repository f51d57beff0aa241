import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { Drawing } from "../../../assets/viewer/drawing.js";
import { FakeNiivue, image } from "../niivue.js";

import { clear, enter, fake, labelled, settled, warnings } from "../page.js";

const voxel = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ z) => x + 2 * (y + 3 * z);

/** @import { Handler } from "../../../assets/viewer/gestures.js" */

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
/** @type {Handler | null} */
let held = null;
/** @type {Map<string, Uint8Array>} */
const kept = new Map();
const drafts = {
  get: async (/** @type {string} */ scan) => kept.get(scan)?.slice() ?? null,
  has: async (/** @type {string} */ scan) => kept.has(scan),
  keep: async (/** @type {string} */ scan, /** @type {Uint8Array} */ bitmap) => {
    kept.set(scan, bitmap.slice());
    return null;
  },
  drop: async (/** @type {string} */ scan) => {
    kept.delete(scan);
    return null;
  },
};

beforeEach(async () => {
  log = [];
  kept.clear();
  niivue = new FakeNiivue();
  niivue.addVolume(image({ size: [2, 3, 6] }));
  const panel = { nv: niivue, filled: true, volumes: niivue.volumes };
  const gestures = {
    hold: (/** @type {Handler | null} */ handler) => {
      held = handler;
    },
  };
  drawing = new Drawing(fake(panel), fake(gestures), drafts, {
    onstart: async () => {
      log.push("start");
    },
    onstop: () => log.push("stop"),
    onsaved: (reply) => log.push(`saved ${reply.scan_id}`),
    load: async () => image({ size: [2, 3, 6], voxels: Float32Array.from({ length: 36 }, (_, i) => Number(i < 4)) }),
    decode: async () => image({ size: [2, 3, 6], voxels: Float32Array.from({ length: 36 }, (_, i) => Number(i < 4)) }),
    aim: () => log.push("aim"),
  });
  document.body.append(drawing.root);
  await drawing.start("scan 1");
});

/** @param {...number} places */
function draw(...places) {
  for (const place of places) drawing.bitmap[place] = 1;
  drawing.commit();
}

/** What is marked. */
const marked = () => [...drawing.bitmap].flatMap((value, i) => (value ? [i] : []));

/**
 * Presses, moves and lets go.
 * @param {...number[]} voxels
 */
function drag(...voxels) {
  const [first, ...others] = voxels.map((one) => ({ axis: 2, voxel: one, take: false }));
  held?.begin(first);
  for (const hit of others) held?.move(hit);
  held?.end();
}

/**
 * Draws with a tool.
 * @param {string} tool
 * @param {...number[]} voxels
 */
function use(tool, ...voxels) {
  labelled(drawing.root, tool).click();
  drag(...voxels);
}

test("it starts with a pen of the size shown, and counts what is there", () => {
  assert.equal(drawing.root.hidden, false);
  assert.deepEqual(log, ["start"]);
  assert.equal(niivue.opts.drawingEnabled, false, "NiiVue's own pen stays off");
  assert.deepEqual([drawing.tool, drawing.size, drawing.bar.size.value], ["pen", 5, "5"]);
  assert.equal(drawing.bar.use.disabled, true);
  draw(...Array.from({ length: 36 }, (_, i) => i));
  assert.equal(drawing.bar.volume.title, "36 voxels");
  assert.equal(drawing.bar.volume.textContent, "0.0 ml");
  assert.equal(drawing.bar.use.disabled, false);
});

test("a mask that is there is gone on with", async () => {
  drawing.stop();
  await drawing.start("scan 1", "/vol/mask");
  assert.equal(drawing.bar.volume.title, "4 voxels");
});

test("every step of every tool is undone and made again", () => {
  enter(drawing.bar.size, "1");
  const steps = [
    () => drag([0, 0, 1], [1, 0, 1]),
    () => use("Rectangle", [0, 1, 2], [1, 2, 2]),
    () => use("Lasso", [0, 0, 4], [1, 0, 4], [1, 2, 4]),
    () => use("Erase", [0, 1, 2]),
    () => labelled(drawing.root, "Grow the mask by one voxel").click(),
    () => labelled(drawing.root, "Clear the drawing").click(),
  ];
  const states = [marked()];
  for (const step of steps) {
    step();
    states.push(marked());
  }
  assert.deepEqual(states[1], [voxel(0, 0, 1), voxel(1, 0, 1)]);
  assert.equal(states[4].length, states[3].length - 1);
  assert.equal(states[6].length, 0);
  for (const state of states.slice(0, -1).reverse()) {
    drawing.bar.undo.click();
    assert.deepEqual(marked(), state);
  }
  assert.equal(drawing.bar.undo.disabled, true);
  for (const state of states.slice(1)) {
    drawing.bar.redo.click();
    assert.deepEqual(marked(), state);
  }
  assert.equal(drawing.bar.redo.disabled, true);
});

test("an outline is closed corner by corner, and a begun one is no step", () => {
  labelled(drawing.root, "Polygon").click();
  for (const corner of [
    [0, 0, 3],
    [1, 0, 3],
    [1, 2, 3],
  ])
    drag(corner);
  assert.equal(drawing.bar.undo.disabled, true);
  assert.equal(marked().length > 3, true, "what it would fill is shown");
  held?.close();
  assert.equal(drawing.bar.undo.disabled, false);
  drag([0, 0, 1]);
  drag([1, 0, 1]);
  labelled(drawing.root, "Pen").click();
  assert.deepEqual(
    marked().filter((place) => place < 12),
    [],
  );
});

test("a region shows before it is marked, and the wheel takes in more", () => {
  const { volumes } = niivue;
  volumes[0].img.set(Float32Array.from({ length: 36 }, (_, i) => (i % 6) * 10));
  [volumes[0].cal_min, volumes[0].cal_max] = [0, 100];
  labelled(drawing.root, "Region").click();
  held?.hover({ axis: 2, voxel: [0, 0, 2], take: false });
  const before = marked().length;
  for (let i = 0; i < 30; i++) held?.wheel(1);
  assert.ok(marked().length > before);
  assert.equal(drawing.bar.toleranceField.querySelector("output")?.textContent, "42");
  held?.leave();
  assert.equal(marked().length, 0);
  drag([0, 0, 2]);
  assert.equal(
    marked().every((place) => place >= 12 && place < 18),
    true,
  );
  labelled(drawing.root, "Through slices: in three dimensions").click();
  drag([0, 0, 2]);
  assert.equal(
    marked().some((place) => place < 12),
    true,
  );
});

test("a pen that keeps to a window leaves the rest", () => {
  niivue.volumes[0].img.set(Float32Array.from({ length: 36 }, (_, i) => i));
  enter(drawing.bar.size, "25");
  labelled(drawing.root, "Mark only intensities within bounds").click();
  enter(drawing.bar.low, "14");
  enter(drawing.bar.high, "15");
  drag([0, 0, 2]);
  assert.deepEqual(marked(), [14, 15]);
  labelled(drawing.root, "Mark only intensities within bounds").click();
  drag([0, 0, 2]);
  assert.equal(marked().length, 6);
});

test("a drawing that was left is there when drawing begins again, with all its steps", async () => {
  draw(3);
  draw(7);
  drawing.pause();
  assert.equal(drawing.active, false);
  assert.equal(await drawing.waits("scan 1"), true);
  assert.equal(await drawing.waits("scan 2"), false);
  await drawing.start("scan 1", "/vol/mask");
  assert.deepEqual(marked(), [3, 7]);
  assert.match(drawing.bar.notice.textContent ?? "", /you had begun/);
  drawing.bar.undo.click();
  assert.deepEqual(marked(), [3]);
});

test("a drawing is kept for another page, until it is used or thrown away", async () => {
  draw(3, 4);
  dispatchEvent(new Event("pagehide"));
  assert.deepEqual(
    [...(kept.get("scan 1") ?? [])].flatMap((value, i) => (value ? [i] : [])),
    [3, 4],
  );
  mock.method(globalThis, "fetch", async () => Response.json({ scan_id: "m1" }));
  await drawing.exchange.save();
  assert.equal(kept.size, 0);
});

test("what was drawn is thrown away only after a question", () => {
  draw(3);
  labelled(drawing.root, "Leave drawing without using the mask").click();
  assert.equal(drawing.active, true);
  assert.equal(drawing.bar.question.hidden, false);
  labelled(drawing.root, "Go on drawing").click();
  assert.equal(drawing.bar.question.hidden, true);
  labelled(drawing.root, "Leave drawing without using the mask").click();
  labelled(drawing.root, "Throw the drawing away").click();
  assert.equal(drawing.active, false);
  assert.equal(kept.size, 0);
});

test("gaps between drawn slices are filled, and the count of slices is shown", () => {
  labelled(drawing.root, "Fill between the drawn slices").click();
  assert.match(drawing.bar.notice.textContent ?? "", /Draw on two slices/);
  draw(voxel(0, 1, 0), voxel(0, 1, 3), voxel(0, 1, 5));
  labelled(drawing.root, "Fill between the drawn slices").click();
  assert.deepEqual(
    niivue.calls.filter((call) => call.startsWith("interpolate")),
    ["interpolate 0 3 0", "interpolate 3 5 0"],
  );
  assert.equal(drawing.bar.notice.textContent, "Filled 3 slices.");
});

test("the mask is sent as gzipped bytes to the scan's address, and stays in sight until its scene comes", async () => {
  draw(0, 7);
  /** @type {[string, Uint8Array][]} */
  const sent = [];
  mock.method(globalThis, "fetch", async (/** @type {string} */ url, /** @type {RequestInit} */ how) => {
    sent.push([url, new Uint8Array(await new Response(how.body).arrayBuffer())]);
    return Response.json({ scan_id: "m1" });
  });
  await drawing.exchange.save();
  const [[address, body]] = sent;
  assert.equal(address, "/mask/scan%201");
  assert.deepEqual(
    [...gunzipSync(body)].flatMap((value, i) => (value ? [i] : [])),
    [0, 7],
  );
  assert.deepEqual(log, ["start", "saved m1"]);
  assert.deepEqual([drawing.active, drawing.handed, drawing.bar.use.disabled], [true, true, true]);
  assert.match(drawing.bar.notice.textContent ?? "", /taken over/);
  drawing.pause();
  assert.deepEqual(log, ["start", "saved m1", "stop"]);
  assert.equal(niivue.drawBitmap, null);
  assert.equal(kept.size, 0);
  await drawing.start("scan 1");
  assert.equal(drawing.handed, false);
});

test("a refused mask stays, with the server's words", async () => {
  draw(0);
  mock.method(globalThis, "fetch", async () =>
    Response.json({ code: "empty", message: "Nothing is marked.", hint: "Draw." }, { status: 422 }),
  );
  await drawing.exchange.save();
  assert.equal(drawing.bar.notice.textContent, "Nothing is marked. Draw. [empty]");
  assert.equal(drawing.bar.notice.getAttribute("role"), "alert");
  assert.equal(drawing.active, true);
  assert.equal(drawing.bar.use.disabled, false);
});

test("without a connection the mask stays, and can be sent again", async () => {
  draw(0);
  warnings();
  mock.method(globalThis, "fetch", () => Promise.reject(new TypeError("network")));
  await drawing.exchange.save();
  assert.match(drawing.bar.notice.textContent ?? "", /could not be sent.*\[offline\]/);
  assert.equal(drawing.active, true);
});

test("a drawing that NiiVue cannot write is not sent", async () => {
  warnings();
  const fetching = mock.method(globalThis, "fetch", async () => Response.json({}));
  mock.method(niivue, "saveImage", async () => false);
  await drawing.exchange.save();
  assert.equal(fetching.mock.callCount(), 0);
  assert.equal(drawing.active, true);
  labelled(drawing.root, "Download the drawn mask").click();
  await settled();
  assert.match(drawing.bar.notice.textContent ?? "", /could not be made into a file/);
});

test("cancelling leaves without a mask", () => {
  labelled(drawing.root, "Leave drawing without using the mask").click();
  assert.deepEqual(log, ["start", "stop"]);
  assert.equal(drawing.root.hidden, true);
  assert.equal(niivue.opts.drawingEnabled, false);
});

test("a proposal is one step on top of what is drawn, and a refusal is shown", async () => {
  draw(20);
  const answers = [
    Response.json({ code: "proposal_empty", message: "Nothing stands out." }, { status: 422 }),
    new Response("", { headers: { "x-counterscan-basis": "flair" } }),
  ];
  const asked = mock.method(globalThis, "fetch", async () => answers.shift());
  await drawing.exchange.propose();
  assert.match(drawing.bar.notice.textContent ?? "", /proposal_empty/);
  await drawing.exchange.propose();
  assert.deepEqual(asked.mock.calls[0].arguments, ["/proposal/scan%201", { method: "POST" }]);
  assert.deepEqual(marked(), [0, 1, 2, 3, 20]);
  assert.match(drawing.bar.notice.textContent ?? "", /from the FLAIR.*suggestion/);
  assert.equal(log.at(-1), "aim");
  drawing.bar.undo.click();
  assert.deepEqual(marked(), [20]);
  assert.equal(drawing.bar.notice.textContent, "Undone.");
});
