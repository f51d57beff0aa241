import assert from "node:assert/strict";
import { mock, test } from "node:test";
// @ts-expect-error: the types of the package stand under its name, which is not known beside assets
import { IDBFactory } from "../../../assets/node_modules/fake-indexeddb/build/esm/index.js";
import { Drafts } from "../../../assets/viewer/drafts.js";
import { fake, warnings } from "../page.js";

test("a drawing comes back in another page of the browser, until it is dropped", async () => {
  const kept = new IDBFactory();
  const bitmap = Uint8Array.from({ length: 50 }, (_, i) => Number(i % 7 < 2));
  await new Drafts(() => kept).keep("scan 1", bitmap);
  const drafts = new Drafts(() => kept);
  assert.equal(await drafts.has("scan 1"), true);
  assert.deepEqual(await drafts.get("scan 1", 50), bitmap);
  assert.equal(await drafts.get("scan 1", 49), null, "a drawing of another size is none of this scan");
  assert.equal(await drafts.get("scan 2", 50), null);
  await drafts.drop("scan 1");
  assert.equal(await drafts.has("scan 1"), false);
});

test("the oldest of many drawings are dropped", async () => {
  const drafts = new Drafts(() => kept);
  const kept = new IDBFactory();
  let now = 1000;
  mock.method(Date, "now", () => now++);
  for (let i = 0; i < 23; i++) await drafts.keep(`scan ${i}`, new Uint8Array(4));
  mock.restoreAll();
  assert.deepEqual(await Promise.all([0, 1, 2, 3, 22].map((i) => drafts.has(`scan ${i}`))), [
    false,
    false,
    false,
    true,
    true,
  ]);
});

test("a browser that keeps nothing, or must not, is no obstacle", async () => {
  const warned = warnings();
  /** @type {IDBFactory} */
  const forbidding = fake({
    open: () => {
      throw new Error("forbidden");
    },
  });
  const forbidden = () => {
    throw new Error("to name it is forbidden");
  };
  for (const factory of [() => undefined, () => forbidding, forbidden]) {
    const drafts = new Drafts(factory);
    await drafts.keep("scan 1", new Uint8Array(4));
    assert.equal(await drafts.get("scan 1", 4), null);
    assert.equal(await drafts.has("scan 1"), false);
  }
  assert.equal(
    warned().every((text) => text.includes("forbidden")),
    true,
  );
  mock.restoreAll();
});
