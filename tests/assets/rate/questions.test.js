import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { alike, Form, isAnswer, keysOf } from "../../../assets/rate/questions.js";
import { clear, enter, fake, labelled, only } from "../page.js";

/** @import { Answers, Question } from "../../../assets/rate/rating-json.d.ts" */

/**
 * @param {string} name
 * @param {Partial<Question>} [more]
 * @returns {Question}
 */
const question = (name, more = {}) => ({
  name,
  kind: "choice",
  title: `The ${name}?`,
  help: "",
  options: [],
  levels: 0,
  low: "",
  high: "",
  optional: false,
  ...more,
});
const REAL = question("real", {
  options: [
    ["real", "Real"],
    ["synthetic", "Synthetic"],
  ],
});
const SCALE = question("quality", { kind: "scale", levels: 5, low: "bad", high: "good" });
const TEXT = question("comment", { kind: "text", optional: true });
const MARK = question("mark", { kind: "mark" });

/** @type {string[]} */
let log = [];
/** @type {Form} */
let form;

beforeEach(() => {
  log = [];
  const pen = {
    hold: (/** @type {boolean} */ on, size = 0) => log.push(`hold ${on} ${size}`),
    undo: () => log.push("undo"),
    clear: () => {
      log.push("clear");
      form.drawn(null);
    },
  };
  form = new Form({ onchange: () => log.push("change"), onsubmit: () => log.push("submit"), pen: fake(pen) });
  document.body.append(form.root);
});
afterEach(clear);

/**
 * @param {Question[]} questions
 * @param {Answers} [answers]
 */
const render = (questions, answers = {}) => form.render(questions, answers, 0);
/** @param {string} value */
const radio = (value) => /** @type {HTMLInputElement} */ (only(form.root, `input[type=radio][value="${value}"]`));
/** @param {string} value */
const pick = (value) => enter(radio(value), true);
const next = () => [...form.root.querySelectorAll(".rate-next")].map((node) => node.getAttribute("data-name"));

test("each option has a key: its first letter or digit that is free", () => {
  const keys = keysOf([
    ["a", "Real"],
    ["b", "Rather real"],
    ["c", "Total"],
    ["d", "\u2026 2nd"],
    ["e", "\u00c9t\u00e9"],
  ]);
  assert.deepEqual(Object.fromEntries(keys), { a: "r", b: "a", c: "o", d: "2", e: "\u00e9" });
  assert.equal(keysOf([["", "T?"]]).get(""), "", "t flips and ? helps");
});

test("an answer is something, not spaces; a mark may be that of nothing", () => {
  assert.deepEqual([isAnswer("text", "  "), isAnswer("text", "x"), isAnswer("choice", null)], [false, true, false]);
  assert.deepEqual([isAnswer("mark", null), isAnswer("mark", undefined)], [true, false]);
  assert.equal(isAnswer("scale", 0), true);
});

test("answers are alike whatever their order, and what is empty does not count", () => {
  assert.equal(alike({ a: 1, b: "x", c: null }, { b: "x", a: 1, d: "" }), true);
  assert.equal(alike({ a: 1 }, { a: 2 }), false);
  const mark = { shape: [1, 1, 2], runs: [0, 1] };
  assert.equal(alike({ m: mark }, { m: { shape: [1, 1, 2], runs: [0, 1] } }), true);
  assert.equal(alike({ m: mark }, { m: { shape: [1, 1, 2], runs: [0, 2] } }), false);
});

test("what is missing is the first unanswered question, and optional ones never are", () => {
  render([REAL, SCALE, TEXT]);
  assert.deepEqual(next(), ["real"]);
  pick("real");
  assert.deepEqual(next(), ["quality"]);
  pick("3");
  assert.deepEqual([form.missing, next()], [[], []]);
  assert.deepEqual(form.values, { real: "real", quality: 3 });
  assert.deepEqual(log, ["change", "change"]);
});

test("answers given before are shown, and what replaces them is counted", () => {
  render([REAL, SCALE], { real: "synthetic", quality: 2 });
  assert.equal(radio("synthetic").checked, true);
  assert.equal(radio("2").checked, true);
  assert.equal(form.changes, 0);
  pick("real");
  pick("real");
  assert.equal(form.changes, 1);
});

test("the ends of a scale are named where they are, and read to who cannot see", () => {
  render([SCALE]);
  assert.equal(radio("1").getAttribute("aria-label"), "1, bad");
  assert.equal(radio("5").getAttribute("aria-label"), "5, good");
  const field = only(form.root, "fieldset");
  assert.equal(field.getAttribute("aria-describedby"), "rate-q-0-ends");
  assert.equal(only(form.root, "#rate-q-0-ends").textContent, "1 bad5 good");
});

test("a text is kept at every letter, and a replaced one counts as a change when it is left", () => {
  render([TEXT], { comment: "first" });
  const area = /** @type {HTMLTextAreaElement} */ (only(form.root, "textarea"));
  assert.equal(area.value, "first");
  area.value = "second";
  area.dispatchEvent(new Event("input"));
  assert.deepEqual([form.answers.comment, form.changes], ["second", 0]);
  area.dispatchEvent(new Event("change"));
  assert.equal(form.changes, 1);
  area.value = "";
  area.dispatchEvent(new Event("input"));
  assert.deepEqual(form.values, {}, "an empty text is no answer");
});

test("a key answers the first open question that has it", () => {
  const other = question("again", {
    options: [
      ["real", "Real"],
      ["x", "Xerox"],
    ],
  });
  render([REAL, other, SCALE]);
  assert.equal(form.press("r"), true);
  assert.deepEqual(form.values, { real: "real" });
  form.press("r");
  assert.deepEqual(form.values, { real: "real", again: "real" });
  form.press("s");
  assert.equal(form.answers.real, "synthetic", "the only one with that key");
  form.press("r");
  assert.equal(form.answers.real, "real", "else the one answered last");
  assert.equal(form.press("4"), true);
  assert.equal(radio("4").checked, true);
  assert.equal(form.press("z"), false);
  assert.equal(form.changes, 2);
});

test("a key answers the question in focus", () => {
  const other = question("again", {
    options: [
      ["r2", "Real"],
      ["x", "Xerox"],
    ],
  });
  render([REAL, other]);
  radio("x").focus();
  form.press("r");
  assert.deepEqual(form.values, { again: "r2" });
});

test("a locked form takes no key, and does not pass it on either", () => {
  render([REAL]);
  form.lock(true);
  assert.equal(form.press("r"), true);
  assert.deepEqual(form.values, {});
  form.lock(false);
  form.press("r");
  assert.deepEqual(form.values, { real: "real" });
});

test("levels above nine have no key", () => {
  render([question("many", { kind: "scale", levels: 11 })]);
  assert.equal(form.press("9"), true);
  assert.deepEqual([...form.questions[0].keys.values()].length, 9);
});

test("a mark is missing until something is drawn or nothing is said to be there", () => {
  render([MARK]);
  assert.deepEqual(form.missing.length, 1);
  assert.deepEqual(form.values, { mark: null });
  form.drawn({ shape: [2, 3, 4], runs: [0, 2] });
  assert.deepEqual(form.missing, []);
  assert.match(form.root.textContent ?? "", /2 voxels marked/);
  form.drawn(null);
  assert.equal(form.missing.length, 1, "all strokes were undone");
  assert.match(form.root.textContent ?? "", /Nothing is marked/);
});

test("ticking that there is nothing clears the drawing, and drawing clears the tick", () => {
  render([MARK]);
  form.drawn({ shape: [2, 3, 4], runs: [0, 1] });
  const box = /** @type {HTMLInputElement} */ (only(form.root, "input[type=checkbox]"));
  enter(box, true);
  assert.ok(log.includes("clear"));
  assert.deepEqual([form.answers.mark, form.missing.length], [null, 0]);
  form.drawn({ shape: [2, 3, 4], runs: [0, 1] });
  assert.equal(box.checked, false);
  enter(box, true);
  enter(box, false);
  assert.equal(form.missing.length, 1);
});

test("an optional mark has no box to tick", () => {
  render([{ ...MARK, optional: true }]);
  assert.equal(form.root.querySelector("input[type=checkbox]"), null);
  assert.deepEqual(form.missing, []);
});

test("the pen is taken, sized, and laid down", () => {
  render([MARK]);
  const button = labelled(form.root, "Pen: draw on the image");
  button.click();
  enter(/** @type {HTMLInputElement} */ (only(form.root, "input[type=range]")), "9");
  button.click();
  button.click();
  form.restPen();
  assert.deepEqual(log, ["hold true 3", "hold true 9", "hold false 9", "hold true 9", "hold false 0"]);
  assert.equal(button.getAttribute("aria-pressed"), "false");
  labelled(form.root, "Undo the last stroke").click();
  assert.equal(log.at(-1), "undo");
});

test("a form without a mark has no pen to rest", () => {
  render([MARK]);
  render([REAL]);
  form.restPen();
  form.drawn(null);
  assert.deepEqual(log, []);
});

test("sending is the form's own event", () => {
  render([REAL]);
  const event = new Event("submit", { cancelable: true });
  form.root.dispatchEvent(event);
  assert.deepEqual([log, event.defaultPrevented], [["submit"], true]);
});

test("a question that is missing gets the focus", () => {
  render([TEXT, REAL]);
  form.goTo(form.missing[0]);
  assert.equal(document.activeElement, radio("real"));
});
