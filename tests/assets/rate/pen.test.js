import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Pen } from "../../../assets/rate/pen.js";
import { el } from "../../../assets/viewer/dom.js";
import { FakeNiivue, image } from "../niivue.js";
import { fake } from "../page.js";

/** @import { Mark } from "../../../assets/rate/rating-json.d.ts" */
/** @import { Panel } from "../../../assets/viewer/panel.js" */

/** @type {(Mark | null)[]} */
let marks = [];
/** @type {Pen} */
let pen;
/** @type {(Panel & { nv: FakeNiivue })[]} */
let panels;

const runs = (/** @type {Mark | null} */ mark) => mark?.runs ?? null;
const drawn = () => panels.map(({ nv }) => [...(nv.drawBitmap ?? [])].flatMap((value, i) => (value ? [i] : [])));

beforeEach(() => {
  marks = [];
  pen = new Pen(el("div"), (mark) => marks.push(mark));
  panels = [0, 1].map(() => {
    const nv = new FakeNiivue();
    nv.addVolume(image());
    return fake({ nv, volumes: nv.volumes });
  });
  pen.open(panels, null);
});

/**
 * Draws in a panel as NiiVue does, and lets the pen know.
 * @param {number} panel
 * @param {...number} places
 */
function stroke(panel, ...places) {
  for (const place of places) panels[panel].nv.drawBitmap?.fill(1, place, place + 1);
  pen.collect(panels[panel]);
}

test("both panels are ready, and the pen rests until it is taken", () => {
  assert.deepEqual(
    panels.map(({ nv }) => [nv.drawBitmap?.length, nv.opts.drawingEnabled, nv.pen]),
    [
      [24, false, 1],
      [24, false, 1],
    ],
  );
  stroke(0, 3);
  assert.deepEqual(marks, [], "what is drawn while the pen rests is no stroke");
});

test("what is drawn in one panel stands in the other", () => {
  pen.hold(true, 7);
  assert.deepEqual(
    panels.map(({ nv }) => nv.opts.penSize),
    [7, 7],
  );
  stroke(1, 4, 5);
  assert.deepEqual(marks.map(runs), [[4, 2]]);
  assert.deepEqual(drawn(), [
    [4, 5],
    [4, 5],
  ]);
});

test("a stroke that changes nothing is none", () => {
  pen.hold(true);
  stroke(0, 4);
  stroke(0, 4);
  assert.equal(marks.length, 1);
  pen.undo();
  assert.deepEqual(marks.map(runs), [[4, 1], null]);
});

test("each stroke is undone, the last first, and the first leaves nothing", () => {
  pen.hold(true);
  stroke(0, 1);
  stroke(1, 8);
  stroke(0, 15);
  pen.undo();
  assert.deepEqual(drawn()[1], [1, 8]);
  pen.undo();
  pen.undo();
  pen.undo();
  assert.deepEqual(drawn(), [[], []]);
  assert.deepEqual(marks.slice(3).map(runs), [[1, 1, 8, 1], [1, 1], null]);
});

test("clearing is undone as well, and nothing is cleared twice", () => {
  pen.hold(true);
  stroke(0, 2);
  pen.clear();
  pen.clear();
  assert.deepEqual(marks.map(runs), [[2, 1], null]);
  assert.deepEqual(drawn(), [[], []]);
  pen.undo();
  assert.deepEqual(drawn(), [[2], [2]]);
});

test("a mark that was kept is drawn again, and cannot be undone", () => {
  pen.open(panels, { shape: [2, 3, 4], runs: [5, 2] });
  assert.deepEqual(drawn(), [
    [5, 6],
    [5, 6],
  ]);
  pen.undo();
  assert.deepEqual(marks, []);
});

test("thirty strokes are remembered", () => {
  pen.hold(true);
  for (let i = 0; i < 40; i++) pen.remember({ shape: [2, 3, 4], runs: [0, i + 1] });
  for (let i = 0; i < 50; i++) pen.undo();
  assert.deepEqual(runs(pen.mark), [0, 10]);
});

test("with the item the pen goes as well", () => {
  pen.hold(true);
  stroke(0, 2);
  pen.close();
  assert.deepEqual(
    panels.map(({ nv }) => [nv.drawBitmap, nv.opts.drawingEnabled]),
    [
      [null, false],
      [null, false],
    ],
  );
  assert.equal(pen.grid.classList.contains("rate-penned"), false);
  pen.collect(panels[0]);
  pen.undo();
  assert.equal(marks.length, 1);
});
