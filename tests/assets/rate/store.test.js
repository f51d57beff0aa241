import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";
import { Refused } from "../../../assets/rate/api.js";
import { Drafts } from "../../../assets/rate/drafts.js";
import { newId, Outbox } from "../../../assets/rate/outbox.js";
import { Store } from "../../../assets/rate/store.js";
import { clear, fake } from "../page.js";

afterEach(() => {
  mock.restoreAll();
  clear();
});

const answer = {
  showing: "s1",
  answers: { real: "A" },
  seconds: 2,
  changes: 0,
  slices: {},
  shown_at: "",
  client: { width: 1, height: 1, touch: false },
};
const draft = { answers: { real: "A" }, changes: 1, seconds: 2.5, slices: { axial: [1] }, shown_at: "now" };
const saved = { saved: 7, feedback: null, progress: { done: 1, total: 2 }, next: null };

test("what is kept for one link is not seen by another", () => {
  const [one, other] = [new Store("a"), new Store("b")];
  one.set("draft:1", { x: 1 });
  assert.deepEqual(one.get("draft:1"), { x: 1 });
  assert.equal(other.get("draft:1"), null);
  assert.deepEqual(one.names("draft:"), ["draft:1"]);
  assert.deepEqual(other.names("draft:"), []);
  one.drop("draft:1");
  assert.equal(one.get("draft:1"), null);
});

test("a browser that keeps nothing is replaced while the page is open", () => {
  const store = new Store("a");
  store.set("draft:1", { x: 1 });
  const full = () => {
    throw new Error("QuotaExceededError");
  };
  mock.method(Object.getPrototypeOf(localStorage), "setItem", full);
  store.set("draft:1", { x: 2 });
  store.set("draft:2", { x: 3 });
  assert.deepEqual(store.get("draft:1"), { x: 2 }, "the newer value");
  assert.deepEqual(store.names("draft:").sort(), ["draft:1", "draft:2"]);
  mock.restoreAll();
  store.set("draft:2", { x: 4 });
  assert.deepEqual(new Store("a").get("draft:2"), { x: 4 });
});

test("what is no JSON is nothing", () => {
  localStorage.setItem("counterscan-rate:a:draft:1", "{broken");
  assert.equal(new Store("a").get("draft:1"), null);
});

test("a draft is kept for each showing, and all go at the end", () => {
  const store = new Store("a");
  const drafts = new Drafts(store);
  assert.deepEqual(drafts.of("s1"), {});
  drafts.keep("s1", draft);
  drafts.keep("s2", draft);
  store.set("out:1", {});
  assert.deepEqual(new Drafts(new Store("a")).of("s1"), draft);
  drafts.drop("s1");
  assert.deepEqual(drafts.of("s1"), {});
  drafts.clear();
  assert.deepEqual(store.names(""), ["out:1"], "what waits to be sent stays");
});

test("an id is 32 hexadecimal digits, each time another", () => {
  const ids = Array.from({ length: 50 }, newId);
  assert.ok(ids.every((id) => /^[0-9a-f]{32}$/.test(id)));
  assert.equal(new Set(ids).size, 50);
});

test("an answer is kept before it is sent, and until it is saved", async () => {
  const store = new Store("a");
  /** @type {string[][]} */
  const kept = [];
  const outbox = new Outbox(
    store,
    fake({
      post: async (/** @type {string} */ path, /** @type {object} */ sent) => {
        kept.push([path, ...store.names("out:")]);
        return { ...saved, sent };
      },
    }),
  );
  const payload = outbox.put(answer);
  assert.deepEqual(outbox.waiting, [payload]);
  assert.equal((await outbox.send(payload)).saved, 7);
  assert.deepEqual(kept, [["answers", `out:${payload.client_id}`]]);
  assert.deepEqual(outbox.waiting, []);
});

test("answers wait in the order in which they were given, also after a reload", () => {
  let now = 1000;
  mock.method(Date, "now", () => now);
  const outbox = new Outbox(new Store("a"), fake({}));
  const first = outbox.put(answer);
  now = 5000;
  const last = outbox.put({ ...answer, showing: "s3" });
  now = 3000;
  const second = outbox.put({ ...answer, showing: "s2" });
  new Store("a").set("out:old", { of: "another version" });
  assert.deepEqual(new Outbox(new Store("a"), fake({})).waiting, [first, second, last]);
});

test("a refused answer is given back, one whose link has ended is kept, and so is any that failed otherwise", async () => {
  const outcomes = [new Refused(422, null), new Refused(410, null), new TypeError("unexpected")];
  const waiting = [];
  for (const outcome of outcomes) {
    clear();
    const outbox = new Outbox(new Store("a"), fake({ post: () => Promise.reject(outcome) }));
    await assert.rejects(outbox.send(outbox.put(answer)), outcome);
    waiting.push(outbox.waiting.length);
  }
  assert.deepEqual(waiting, [0, 1, 1]);
});
