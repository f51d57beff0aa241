import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Refused } from "../../../assets/rate/api.js";
import * as pages from "../../../assets/rate/pages.js";
import { el } from "../../../assets/viewer/dom.js";
import { clear, labelled, only } from "../page.js";

/** @import { Consent, State } from "../../../assets/rate/rating-json.d.ts" */

/** @type {State} */
const state = {
  title: "Study",
  instructions: "Look closely.",
  consent: "What you agree to.",
  end: "Goodbye.",
  changes: true,
  toggle: false,
  started: false,
  expertise: [],
  progress: { done: 2, total: 9 },
  next: null,
};
/** @type {Consent[]} */
let given = [];

beforeEach(() => {
  given = [];
});
afterEach(clear);

/** @param {Partial<State>} [more] */
function start(more) {
  const page = pages.start({ ...state, ...more }, el("section", { text: "Keys" }), (consent) => given.push(consent));
  document.body.append(page);
  return page;
}

/**
 * @param {HTMLElement} page
 * @param {string} id
 */
const input = (page, id) => /** @type {HTMLInputElement} */ (only(page, `#rate-${id}`));
/** @param {HTMLElement} page */
const submit = (page) => only(page, "form").dispatchEvent(new Event("submit", { cancelable: true }));
/** @param {HTMLElement} page */
const trouble = (page) => only(page, "[role=alert]").textContent ?? "";

test("nothing starts without consent", () => {
  const page = start();
  submit(page);
  assert.deepEqual(given, []);
  assert.match(trouble(page), /tick that you agree/);
  assert.equal(document.activeElement, input(page, "consent"));
});

test("consent alone is enough, and trouble goes", () => {
  const page = start();
  submit(page);
  input(page, "consent").checked = true;
  submit(page);
  assert.deepEqual(given, [{ consent: true }]);
  assert.equal(trouble(page), "");
});

test("expertise and years are sent where they are given", () => {
  const page = start({ expertise: ["Radiology", "Neurology"] });
  input(page, "consent").checked = true;
  input(page, "expertise").value = "Neurology";
  input(page, "years").value = "12";
  submit(page);
  assert.deepEqual(given, [{ consent: true, expertise: "Neurology", years: 12 }]);
});

test("years have a limit, and none is a number too", () => {
  const page = start();
  input(page, "consent").checked = true;
  input(page, "years").value = "99";
  submit(page);
  assert.match(trouble(page), /0 to 70/);
  assert.deepEqual(given, []);
  input(page, "years").value = "0";
  submit(page);
  assert.deepEqual(given, [{ consent: true, years: 0 }]);
});

test("a study without expertise of its own has a text field", () => {
  assert.equal(input(start(), "expertise").tagName, "INPUT");
  clear();
  assert.equal(input(start({ expertise: ["A"] }), "expertise").tagName, "SELECT");
});

test("the number of items and the instructions are there, empty ones are not", () => {
  assert.match(start().textContent ?? "", /Look closely\..*9 items\./);
  clear();
  assert.match(start({ progress: { done: 0, total: 1 } }).textContent ?? "", /1 item\. /);
  const without = pages.message("Title", ["", "One line", ""]);
  assert.equal(without.querySelectorAll("p").length, 1);
});

test("a pause tells what is done, and ends on a click", () => {
  let resumed = 0;
  const page = pages.paused({ done: 2, total: 9 }, () => resumed++);
  assert.match(page.textContent ?? "", /2 of 9 are done and saved/);
  labelled(page, "Go on").click();
  assert.equal(resumed, 1);
});

test("at the end the last answer can be seen again only where answers may be changed", () => {
  let back = 0;
  const page = pages.ended(state, { done: 9, total: 9 }, () => back++);
  labelled(page, "Look at the last answer again").click();
  assert.equal(back, 1);
  assert.match(page.textContent ?? "", /All 9 items are done.*Goodbye/);
  assert.match(pages.ended(state, { done: 1, total: 1 }, null).textContent ?? "", /The one item is done/);
  assert.equal(pages.ended(state, { done: 9, total: 9 }, null).querySelector("button"), null);
});

test("a link that does not work has the server's reason and what to do", () => {
  const page = pages.gone(new Refused(410, { message: "It was revoked.", hint: "Ask again." }));
  assert.match(page.textContent ?? "", /It was revoked\.Ask again\.What to do/);
});

test("after a failure the page can be reloaded, and answers are kept", () => {
  for (const page of [pages.broken("Broken.", ""), pages.lost()]) {
    assert.match(page.textContent ?? "", /What was answered is kept\./);
    assert.ok(labelled(page, "Reload the page"));
  }
});
