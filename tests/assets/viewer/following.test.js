import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { ANEW, followQueue, followRun, repeat } from "../../../assets/viewer/following.js";
import { ask, isOver, PATIENCE } from "../../../assets/viewer/visit.js";
import { settled } from "../page.js";

const BAR = { shown: true, job: "J", percent: 10, text: "Step", picture: "", again: 2 };

/** @type {string[]} */
let asked = [];
/** @type {(Response | Error)[]} */
let outcomes = [];
let hidden = false;
/** @type {(() => void)[]} */
let ends = [];

beforeEach(() => {
  asked = [];
  outcomes = [];
  ends = [];
  hidden = false;
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(globalThis, "fetch", async (/** @type {string} */ url) => {
    asked.push(url);
    const outcome = outcomes.shift() ?? new Error("no network");
    if (outcome instanceof Error) throw outcome;
    return outcome;
  });
});
afterEach(() => {
  for (const end of ends) end();
  mock.timers.reset();
  mock.restoreAll();
});

const json = (/** @type {object} */ body, status = 200) => Response.json(body, { status });

/** Lets seconds pass and what they begin end. @param {number} seconds */
async function pass(seconds) {
  mock.timers.tick(1000 * seconds);
  await settled();
}

/** Follows the run J; returns what was drawn, and how often its end was reported. */
async function followed() {
  const seen = { bars: /** @type {number[]} */ ([]), over: 0 };
  const end = followRun(
    "J",
    (bar) => seen.bars.push(bar.percent),
    () => seen.over++,
  );
  ends.push(end);
  await settled();
  return { seen, end };
}

test("a run is looked at as often as the server wants", async () => {
  outcomes = [json(BAR), json({ ...BAR, percent: 20, again: 0.7 }), json({ ...BAR, percent: 30 })];
  const { seen } = await followed();
  assert.deepEqual([asked, seen.bars], [["/progress/J"], [10]]);
  await pass(1.9);
  assert.equal(asked.length, 1);
  await pass(0.1);
  assert.deepEqual(seen.bars, [10, 20]);
  await pass(0.7);
  assert.deepEqual(seen.bars, [10, 20, 30]);
  assert.equal(seen.over, 0);
});

test("the end is reported until somebody stops to follow", async () => {
  outcomes = [json(BAR), ...[0, 0, 0].map(() => json({ ...BAR, shown: false }))];
  const { seen, end } = await followed();
  await pass(2);
  assert.equal(seen.over, 1);
  await pass(ANEW);
  assert.equal(seen.over, 2);
  end();
  await pass(10 * ANEW);
  assert.deepEqual([seen.over, asked.length], [2, 3]);
});

test("a run that is gone is an end, unless the visit has ended or is another's", async () => {
  outcomes = [json({ code: "not_found" }, 404), json({ text: "", whose: "me" })];
  const { seen, end } = await followed();
  assert.deepEqual([seen.over, asked], [1, ["/progress/J", "/queue"]]);
  end();
  /** @type {[Response, Response?][]} */
  const lost = [
    [json({ code: "sign_in" }, 401)],
    [json({ code: "no_session" }, 403)],
    [json({ code: "not_found" }, 404), json({ text: "", whose: "another" })],
  ];
  for (const answers of lost) {
    outcomes = [...answers.filter((one) => one !== undefined), json(BAR)];
    const { seen: found, end: leave } = await followed();
    assert.deepEqual([found.over, found.bars, isOver()], [0, [], true]);
    // the visitor has signed in again in another tab
    outcomes = [json({ text: "", whose: "me" }), json(BAR)];
    await ask("/queue");
    await pass(ANEW);
    assert.deepEqual([found.over, found.bars, isOver()], [0, [10], false]);
    leave();
  }
});

test("a server that is away or busy is asked again, and reported nowhere", async () => {
  outcomes = [new Error("no network"), json({ code: "busy" }, 503), json(BAR)];
  const { seen } = await followed();
  await pass(ANEW);
  assert.deepEqual([asked.length, seen.over, seen.bars], [2, 0, []]);
  await pass(ANEW);
  assert.deepEqual([seen.over, seen.bars], [0, [10]]);
});

test("an answer that comes after the end is not drawn", async () => {
  outcomes = [json(BAR)];
  /** @type {unknown[]} */
  const bars = [];
  followRun(
    "J",
    (bar) => bars.push(bar),
    () => bars.push("over"),
  )();
  await settled();
  assert.deepEqual(bars, []);
});

test("a page that nobody sees looks seldom, and at once when it is seen again", async () => {
  let looks = 0;
  hidden = true;
  ends.push(repeat(async () => Number(++looks) && 1, 10));
  await settled();
  await pass(9);
  assert.equal(looks, 1);
  await pass(1);
  assert.equal(looks, 2);
  hidden = false;
  document.dispatchEvent(new Event("visibilitychange"));
  await settled();
  assert.equal(looks, 3);
  await pass(1);
  assert.equal(looks, 4);
});

test("the queue is drawn every few seconds while the page is seen", async () => {
  outcomes = [json({ text: "2 jobs in the queue" }), json({ text: "x" }, 503), json({ text: "Queue empty" })];
  /** @type {string[]} */
  const texts = [];
  ends.push(followQueue((text) => texts.push(text), 5));
  await settled();
  await pass(5);
  await pass(5);
  assert.deepEqual(
    [texts, asked],
    [
      ["2 jobs in the queue", "Queue empty"],
      ["/queue", "/queue", "/queue"],
    ],
  );
  hidden = true;
  await pass(5);
  await pass(60);
  assert.equal(asked.length, 3);
});

test("an answer that never comes is given up", async () => {
  let lost = 0;
  mock.method(globalThis, "fetch", (/** @type {string} */ url, /** @type {RequestInit} */ { signal }) => {
    asked.push(url);
    return new Promise((_, refuse) => {
      signal?.addEventListener("abort", () => {
        lost++;
        refuse(new Error("given up"));
      });
    });
  });
  const { seen } = await followed();
  await pass(PATIENCE - 1);
  assert.deepEqual([asked.length, lost], [1, 0]);
  await pass(1);
  assert.deepEqual([asked.length, lost], [1, 1]);
  await pass(ANEW);
  assert.equal(asked.length, 2);
  assert.equal(seen.over, 0);
});
