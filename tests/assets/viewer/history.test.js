import assert from "node:assert/strict";
import { test } from "node:test";
import { flipped, History } from "../../../assets/viewer/history.js";

/** @param {...number} marked */
const drawn = (...marked) => Uint8Array.from({ length: 23 }, (_, i) => Number(marked.includes(i)));

test("the runs of what differs are found across words and at the end", () => {
  assert.deepEqual([...flipped(drawn(), drawn(0, 3, 4, 5, 9, 21, 22))], [0, 1, 3, 3, 9, 1, 21, 2]);
  assert.deepEqual([...flipped(drawn(1, 2), drawn(2, 3))], [1, 1, 3, 1]);
  assert.deepEqual([...flipped(drawn(7), drawn(7))], []);
});

test("an ellipse and twelve strokes are taken back one by one to the empty drawing, and made again", () => {
  const bitmap = drawn();
  const history = new History(bitmap);
  const states = [bitmap.slice()];
  for (let i = 0; i < 13; i++) {
    bitmap[i] = 1;
    assert.equal(history.commit(bitmap), true);
    states.push(bitmap.slice());
  }
  for (let i = 12; i >= 0; i--) {
    assert.equal(history.undo(bitmap), true);
    assert.deepEqual(bitmap, states[i]);
  }
  assert.equal(history.undo(bitmap), false);
  assert.deepEqual(bitmap, states[0]);
  for (let i = 1; i <= 13; i++) {
    assert.equal(history.redo(bitmap), true);
    assert.deepEqual(bitmap, states[i]);
  }
  assert.equal(history.redo(bitmap), false);
});

test("what was undone is gone after another step, and a step that changes nothing is none", () => {
  const bitmap = drawn(1);
  const history = new History(bitmap);
  bitmap[2] = 1;
  history.commit(bitmap);
  assert.equal(history.commit(bitmap), false);
  history.undo(bitmap);
  bitmap[5] = 1;
  history.commit(bitmap);
  assert.equal(history.redo(bitmap), false);
  assert.deepEqual(bitmap, drawn(1, 5));
});

test("what was begun is reverted to the last step", () => {
  const bitmap = drawn(1);
  const history = new History(bitmap);
  bitmap.fill(1);
  history.revert(bitmap);
  assert.deepEqual(bitmap, drawn(1));
});

test("a thousand steps can be taken back", () => {
  const bitmap = new Uint8Array(1000);
  const history = new History(bitmap);
  for (let i = 0; i < 1000; i++) {
    bitmap[i] = 1;
    history.commit(bitmap);
  }
  while (history.undo(bitmap));
  assert.equal(bitmap.indexOf(1), -1);
});
