import assert from "node:assert/strict";
import { test } from "node:test";
import { Compare } from "../../../assets/viewer/compare.js";
import { complete } from "../../../assets/viewer/scene.js";
import { fake } from "../page.js";

/** @param {string[]} ids */
const named = (ids) => ids.map((id) => ({ id, url: `/vol/${id}` }));
const plain = complete({ inputs: named(["a"]), results: named(["b", "c", "d", "e"]) });

test("a comparison is entered once for each wish, so that a person can leave it", () => {
  const compare = new Compare(fake({}));
  const wished = complete({ inputs: named(["a"]), results: named(["b", "c"]), compare: named(["a", "c"]) });
  compare.follow(wished);
  assert.equal(compare.active, true);
  assert.deepEqual(compare.shown(wished), ["a", "c"]);
  compare.active = false;
  compare.follow(wished);
  assert.equal(compare.active, false);
  compare.follow(complete({ inputs: named(["a"]), results: named(["b", "c"]), compare: named(["a", "b"]) }));
  assert.equal(compare.active, true);
});

test("one image alone is not compared", () => {
  const compare = new Compare(fake({}));
  compare.active = true;
  compare.follow(complete({ inputs: named(["a"]) }));
  assert.equal(compare.active, false);
});

test("what was picked stays where it is, and the gaps are filled", () => {
  const compare = new Compare(fake({}));
  assert.deepEqual(compare.shown(plain), ["a", "b", "c", "d"]);
  compare.picked = ["e", "gone", "a"];
  assert.deepEqual(compare.shown(plain), ["e", "a", "b", "c"]);
});

test("each panel gets its image and a pick list that changes it", async () => {
  /** @type {[string, string][]} */
  const drawn = [];
  let refreshed = 0;
  /** @type {((id: string) => void)[]} */
  const picks = [];
  const panels = [0, 1, 2, 3].map((i) => ({
    id: `p${i}`,
    name: () => {},
    choose: (/** @type {unknown[]} */ ...given) => picks.push(/** @type {(id: string) => void} */ (given[3])),
  }));
  const compare = new Compare(
    fake({
      scene: plain,
      refresh: () => refreshed++,
      stage: {
        drawImage: async (/** @type {{ id: string }} */ panel, /** @type {{ id: string }} */ image) =>
          drawn.push([panel.id, image.id]),
      },
    }),
  );
  await compare.draw(fake(panels));
  assert.deepEqual(drawn, [
    ["p0", "a"],
    ["p1", "b"],
    ["p2", "c"],
    ["p3", "d"],
  ]);
  picks[1]("e");
  assert.deepEqual(compare.picked, ["a", "e", "c", "d"]);
  assert.equal(refreshed, 1);
});
