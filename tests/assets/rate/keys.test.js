import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Keys } from "../../../assets/rate/keys.js";
import { el } from "../../../assets/viewer/dom.js";
import { clear, enter, only, press } from "../page.js";

/** @type {string[]} */
let done = [];
/** what there is nothing to do for */
let idle = new Set();

/** @param {string} name */
const act = (name) => {
  if (idle.has(name)) return false;
  done.push(name);
  return true;
};
/** @type {Keys} */
let keys;

beforeEach(() => {
  done = [];
  idle = new Set();
  keys = new Keys({
    help: () => act("help"),
    save: () => act("save"),
    back: () => act("back"),
    step: (by) => act(`step ${by}`),
    flip: () => act("flip"),
    choose: (key) => act(`choose ${key}`),
  });
});
afterEach(clear);

/**
 * @template {HTMLElement} Added
 * @param {Added} node
 */
function add(node) {
  document.body.append(node);
  return node;
}

test("every key does what the list has", () => {
  for (const key of ["?", "Enter", "Backspace", "ArrowUp", "ArrowLeft", "T", "t", "A", "7"]) {
    assert.equal(press(key), true, key);
  }
  assert.deepEqual(done, ["help", "save", "back", "step 1", "step -1", "flip", "flip", "choose a", "choose 7"]);
});

test("a key for which there is nothing to do stays the browser's", () => {
  idle = new Set(["save", "choose x", "step 1"]);
  assert.deepEqual([press("Enter"), press("x"), press("ArrowUp"), press("F5"), press("Home")], Array(5).fill(false));
});

test("a key that is held down saves and goes back only once", () => {
  assert.equal(press("Enter", document.body, { repeat: true }), true);
  assert.equal(press("Backspace", document.body, { repeat: true }), true);
  assert.equal(press("ArrowUp", document.body, { repeat: true }), true);
  assert.deepEqual(done, ["step 1"]);
});

test("shortcuts of the browser and an input method are left alone", () => {
  for (const more of [{ ctrlKey: true }, { metaKey: true }, { altKey: true }, { isComposing: true }]) {
    assert.equal(press("a", document.body, more), false);
  }
  assert.deepEqual(done, []);
});

test("in a text keys are text, until it is left", () => {
  const area = add(el("textarea"));
  area.focus();
  assert.equal(press("a", area), false);
  assert.equal(press("Enter", area), false);
  assert.equal(press("a", add(el("input", { type: "number" }))), false);
  assert.equal(press("a", add(el("input", { type: "radio" }))), true);
  press("Escape", area);
  assert.notEqual(document.activeElement, area);
});

test("while a dialog is open no key is ours", () => {
  add(el("dialog", { open: true }));
  assert.equal(press("Enter"), false);
  assert.equal(press("a"), false);
});

test("Enter belongs to a button only where the keyboard went to it", () => {
  const button = add(el("button", { type: "button" }));
  assert.equal(press("Enter", button), true, "the mouse left the focus there");
  press("Tab");
  assert.equal(press("Enter", button), false);
  document.dispatchEvent(new Event("pointerdown"));
  assert.equal(press("Enter", button), true);
});

test("arrows belong to a slider, and to a radio button that was reached by keyboard", () => {
  const radio = add(el("input", { type: "radio" }));
  assert.equal(press("ArrowUp", add(el("input", { type: "range" }))), false);
  assert.equal(press("ArrowUp", radio), true);
  press("Tab");
  assert.equal(press("ArrowUp", radio), false);
  assert.equal(press("ArrowUp"), true);
});

test("NiiVue never sees a key, but the page does", () => {
  const canvas = add(el("canvas", { tabindex: "0" }));
  let seen = 0;
  canvas.addEventListener("keydown", () => seen++);
  canvas.addEventListener("keyup", () => seen++);
  press("v", canvas);
  canvas.dispatchEvent(new KeyboardEvent("keyup", { key: "v", bubbles: true }));
  assert.equal(seen, 0);
  assert.deepEqual(done, ["choose v"]);
});

test("the keys can be turned off, and that is kept", () => {
  const box = /** @type {HTMLInputElement} */ (only(add(keys.list()), "input"));
  assert.equal(box.checked, true);
  enter(box, false);
  assert.equal(press("Enter"), false);
  assert.equal(localStorage.getItem("counterscan-rate:keys"), "off");
  const others = { help: () => false, save: () => false, back: () => false };
  const later = new Keys({ ...others, step: () => false, flip: () => false, choose: () => false });
  assert.equal(later.on, false);
});
