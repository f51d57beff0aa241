import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { ask, goOn, isOver, onVisit } from "../../../assets/viewer/visit.js";

/** @type {Response | Error} */
let outcome = new Error("no network");

beforeEach(() => {
  mock.method(globalThis, "fetch", async () => {
    if (outcome instanceof Error) throw outcome;
    return outcome;
  });
});
afterEach(() => mock.restoreAll());

/** Asks the server, which answers with a status and a body. @param {number} status @param {object} body */
const answered = (status, body) => {
  outcome = Response.json(body, { status });
  return ask("/queue");
};

test("in a frame without a cookie the page opens in a tab of its own", async () => {
  /** @type {unknown[]} */
  const opened = [];
  const frame = {
    top: {},
    location: { href: "https://demo.example/?job=1" },
    open: (/** @type {unknown[]} */ ...how) => opened.push(...how),
  };
  for (const [name, value] of Object.entries(frame))
    Object.defineProperty(globalThis, name, { value, configurable: true });
  let action = "";
  onVisit((problem) => {
    action = problem?.action ?? "";
  });
  await answered(403, { code: "no_session", message: "x", hint: "y" });
  assert.equal(action, "Open in a tab of its own");
  goOn();
  assert.deepEqual(opened, ["https://demo.example/?job=1", "_blank", "noopener"]);
  for (const name of Object.keys(frame)) Reflect.deleteProperty(globalThis, name);
  // elsewhere a cookie has come, and the visit goes on
  await answered(200, { text: "", whose: "me" });
  assert.deepEqual([action, isOver()], ["", false]);
});

test("the page learns when its visit ends, why, what to do, and when it goes on", async () => {
  /** @type {(string | null)[]} */
  const heard = [];
  onVisit((problem) => heard.push(problem && `${problem.message} ${problem.action}`));
  await answered(200, { text: "", whose: "me" });
  await answered(401, { code: "sign_in", message: "x", hint: "y" });
  await answered(401, { code: "sign_in", message: "x", hint: "y" });
  await answered(200, { text: "", whose: "me" });
  await answered(403, { code: "no_session", message: "x", hint: "y" });
  await answered(200, { text: "", whose: "another" });
  await answered(403, { code: "visit_ended", message: "An administrator ended your visit here.", hint: "y" });
  assert.deepEqual(heard, [
    null,
    "You are signed out. Sign in again",
    null,
    "The session of this page has ended. Reload the page",
    "An administrator ended your visit here. Reload the page",
  ]);
  assert.equal(isOver(), true);
  await answered(200, { text: "", whose: "me" });
  assert.equal(isOver(), false);
});

test("a proxy that sends to its log-in has signed the visitor out", async () => {
  outcome = /** @type {Response} */ (/** @type {unknown} */ ({ type: "opaqueredirect", status: 0, ok: false }));
  assert.deepEqual(await ask("/queue"), { status: 401, body: null });
  assert.equal(isOver(), true);
  await answered(200, { text: "", whose: "me" });
});

test("an answer that a server or a proxy could not give ends no visit", async () => {
  for (const status of [404, 413, 421, 429, 500, 502, 503, 504]) {
    outcome = new Response("<html><h1>Bad gateway</h1></html>", { status });
    assert.deepEqual(await ask("/queue"), { status, body: null });
  }
  outcome = new Error("no network");
  assert.deepEqual(await ask("/queue"), { status: 0, body: null });
  assert.equal(isOver(), false);
});
