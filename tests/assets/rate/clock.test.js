import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Clock } from "../../../assets/rate/clock.js";
import { clear, show } from "../page.js";

let now = 0;
beforeEach(() => {
  now = 1000;
  mock.method(performance, "now", () => now);
});
afterEach(() => {
  mock.restoreAll();
  clear();
});

test("only the time between start and stop counts", () => {
  const clock = new Clock();
  now += 5000;
  assert.equal(clock.seconds, 0);
  clock.start();
  now += 2500;
  assert.equal(clock.seconds, 2.5);
  clock.stop();
  now += 9000;
  assert.equal(clock.seconds, 2.5);
  clock.start();
  now += 250;
  assert.equal(clock.seconds, 2.75);
});

test("time in which the page cannot be seen does not count", () => {
  const clock = new Clock();
  clock.start();
  now += 1000;
  show(false);
  now += 60000;
  assert.equal(clock.seconds, 1);
  show(true);
  now += 500;
  assert.equal(clock.seconds, 1.5);
});

test("a page that comes back does not start a clock that was stopped", () => {
  const clock = new Clock();
  show(false);
  clock.start();
  now += 1000;
  assert.equal(clock.seconds, 0);
  clock.stop();
  show(true);
  now += 1000;
  assert.equal(clock.seconds, 0);
});

test("it goes on from what was kept, and starting twice counts once", () => {
  const clock = new Clock();
  clock.reset(12.5);
  clock.start();
  now += 1000;
  clock.start();
  now += 1004;
  assert.equal(clock.seconds, 14.5);
});
