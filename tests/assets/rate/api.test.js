import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Api, pause, Refused } from "../../../assets/rate/api.js";
import { settled } from "../page.js";

/** @import { Waiting } from "../../../assets/rate/api.js" */

/** @typedef {Response | Error} Outcome */

/** @type {(Waiting | null)[]} */
let waits = [];
/** @type {[url: string, how: RequestInit][]} */
let requests = [];
/** @type {Outcome[]} */
let outcomes = [];
/** @type {Api} */
let api;

beforeEach(() => {
  waits = [];
  requests = [];
  outcomes = [];
  api = new Api("/rate/KEY", (waiting) => waits.push(waiting));
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(Math, "random", () => 0.5);
  mock.method(globalThis, "fetch", async (/** @type {string} */ url, /** @type {RequestInit} */ how) => {
    requests.push([url, how]);
    const outcome = outcomes.shift() ?? new Error("nothing more was expected");
    if (outcome instanceof Error) throw outcome;
    return outcome;
  });
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

const json = (/** @type {object} */ body, status = 200, headers = {}) => Response.json(body, { status, headers });

test("the pause doubles up to a quarter of a minute, half of it by chance", () => {
  assert.deepEqual([pause(0, 0), pause(0, 1), pause(1, 1), pause(4, 1)], [250, 500, 1000, 8000]);
  assert.equal(pause(5, 1), 15000);
  assert.equal(pause(50, 1), 15000);
});

test("an answer is the JSON that the server sends", async () => {
  outcomes = [json({ a: 1 })];
  assert.deepEqual(await api.get("state"), { a: 1 });
  assert.equal(requests[0][0], "/rate/KEY/state");
  assert.equal(requests[0][1].method, undefined);
  assert.deepEqual(waits, [null]);
});

test("what is posted is JSON", async () => {
  outcomes = [json({ saved: 1 })];
  await api.post("answers", { x: [1] });
  const [[url, how]] = requests;
  assert.deepEqual([url, how.method, how.body], ["/rate/KEY/answers", "POST", '{"x":[1]}']);
});

test("a refusal has the server's words, and is not tried again", async () => {
  outcomes = [json({ message: "No.", hint: "Try else." }, 422)];
  await assert.rejects(api.get("state"), (error) => {
    assert.ok(error instanceof Refused);
    assert.deepEqual([error.message, error.hint, error.final], ["No.", "Try else.", false]);
    return true;
  });
  assert.equal(requests.length, 1);
});

test("a link that is gone is final", async () => {
  for (const status of [404, 410]) {
    outcomes = [json({ message: "Revoked." }, status)];
    await assert.rejects(api.get("state"), (error) => error instanceof Refused && error.final);
  }
});

test("an answer that is too large is refused even without words", async () => {
  outcomes = [new Response("<html>", { status: 413 })];
  await assert.rejects(api.post("answers", {}), /refused this \(413\)/);
});

test("without a connection it is tried again until there is one, and the page learns of both", async () => {
  outcomes = [new TypeError("network"), json({}, 503), json({ a: 1 })];
  const reply = api.post("answers", {});
  await settled();
  assert.deepEqual(waits, [{ busy: false, sending: true }]);
  mock.timers.tick(500);
  await settled();
  assert.deepEqual(waits[1], { busy: true, sending: true });
  assert.equal(requests.length, 2);
  mock.timers.tick(1000);
  assert.deepEqual(await reply, { a: 1 });
  assert.equal(waits.at(-1), null);
});

test("a busy server is left alone for as long as it wants, within bounds", async () => {
  outcomes = [json({}, 429, { "retry-after": "4" }), json({}, 503, { "retry-after": "9999" }), json({ a: 1 })];
  const reply = api.get("state");
  await settled();
  mock.timers.tick(3900);
  await settled();
  assert.equal(requests.length, 1);
  mock.timers.tick(100);
  await settled();
  assert.equal(requests.length, 2);
  mock.timers.tick(15000);
  assert.deepEqual(await reply, { a: 1 });
});

test("a connection that comes back is used at once", async () => {
  outcomes = [new TypeError("network"), json({ a: 1 })];
  const reply = api.get("state");
  await settled();
  dispatchEvent(new Event("online"));
  assert.deepEqual(await reply, { a: 1 });
});

test("a sign-in page in between is no answer, nor is one that does not fit", async () => {
  outcomes = [new Response("<html>Sign in</html>"), json({ other: 1 }), json({ saved: 3 })];
  const reply = api.post("answers", {}, (/** @type {{ saved?: number }} */ one) => Boolean(one.saved));
  for (let i = 0; i < 2; i++) {
    await settled();
    mock.timers.tick(15000);
  }
  assert.deepEqual(await reply, { saved: 3 });
  assert.equal(requests.length, 3);
});

test("an answer that waits is shown before anything else that does", async () => {
  outcomes = [new TypeError("network"), new TypeError("network"), json({ a: 1 }), json({ a: 2 })];
  const both = [api.get("state"), api.post("answers", {})];
  await settled();
  assert.deepEqual(waits, [
    { busy: false, sending: false },
    { busy: false, sending: true },
  ]);
  mock.timers.tick(15000);
  assert.deepEqual(await Promise.all(both), [{ a: 1 }, { a: 2 }]);
});

test("one attempt is made where none other is wanted", async () => {
  outcomes = [new TypeError("network")];
  await assert.rejects(api.once("showing/2"), /did not answer/);
  assert.deepEqual(waits, []);
});

test("an image is bytes; a missing one is named, one of a closed study is final", async () => {
  outcomes = [
    new Response(Uint8Array.from([1, 2])),
    new Response("", { status: 404 }),
    json({ message: "Over." }, 410),
  ];
  assert.deepEqual([...new Uint8Array(await api.file("/image/1"))], [1, 2]);
  await assert.rejects(api.file("/image/2"), /An image is missing \(404\)/);
  await assert.rejects(api.file("/image/3"), (error) => error instanceof Refused && error.final);
});
