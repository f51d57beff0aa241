import assert from "node:assert/strict";
import { test } from "node:test";
import { asMark, fill, sameMark, toRuns, voxels } from "../../../assets/rate/marks.js";

const SIZE = [3, 4, 5];
const COUNT = 60;
/** An image that is stored in RAS order. */
const straight = {
  hdr: { dims: [3, ...SIZE] },
  dimsRAS: [3, ...SIZE],
  img2RASstart: [0, 0, 0],
  img2RASstep: [1, 3, 12],
};
/** An image whose axes are y, -x, z in RAS. */
const turned = {
  hdr: { dims: [3, 4, 3, 5] },
  dimsRAS: [3, 3, 4, 5],
  img2RASstart: [8, 0, 0],
  img2RASstep: [-4, 1, 12],
};

/** @param {...number} places */
function bitmap(...places) {
  const made = new Uint8Array(COUNT);
  for (const place of places) made[place] = 1;
  return made;
}

test("runs are sorted, and those that touch are one", () => {
  assert.deepEqual(toRuns(bitmap(7, 3, 4, 59), straight), { shape: SIZE, runs: [3, 2, 7, 1, 59, 1] });
});

test("all voxels are one run, and none is no mark", () => {
  assert.deepEqual(toRuns(new Uint8Array(COUNT).fill(1), straight)?.runs, [0, COUNT]);
  assert.equal(toRuns(bitmap(), straight), null);
});

test("any value of the pen counts, and counts once", () => {
  const made = bitmap();
  made[5] = 7;
  assert.deepEqual(toRuns(made, straight)?.runs, [5, 1]);
});

test("runs are in the image's own order, with its own shape", () => {
  // x=0, y=1, z=0 in RAS: own first axis 1, own second axis 2
  assert.deepEqual(toRuns(bitmap(3), turned), { shape: [4, 3, 5], runs: [9, 1] });
});

test("what was drawn comes back, whatever the orientation", () => {
  let state = 1;
  const random = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  for (const image of [straight, turned]) {
    for (let round = 0; round < 20; round++) {
      const share = random();
      const drawn = Uint8Array.from({ length: COUNT }, () => Number(random() < share));
      const mark = toRuns(drawn, image);
      const again = new Uint8Array(COUNT).fill(1);
      fill(again, mark, image);
      assert.deepEqual(again, drawn);
      assert.equal(
        voxels(mark),
        drawn.reduce((sum, value) => sum + value, 0),
      );
    }
  }
});

test("a mark of another grid is not drawn", () => {
  const made = bitmap(1);
  fill(made, { shape: [4, 3, 5], runs: [0, 5] }, straight);
  assert.deepEqual(made, bitmap());
});

test("marks are the same by their voxels, and nothing is the same as nothing", () => {
  const one = { shape: SIZE, runs: [1, 2] };
  assert.equal(sameMark(one, { shape: SIZE, runs: [1, 2] }), true);
  assert.equal(sameMark(one, { shape: SIZE, runs: [1, 3] }), false);
  assert.equal(sameMark(null, null), true);
  assert.equal(sameMark(one, null), false);
});

test("only a mark is one", () => {
  const mark = { shape: SIZE, runs: [1, 2] };
  assert.equal(asMark(mark), mark);
  assert.deepEqual([asMark("real"), asMark(3), asMark(undefined), asMark(null)], [null, null, null, null]);
});
