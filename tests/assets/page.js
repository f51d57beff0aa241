// A page without a browser: the globals that the viewer and the rating page use, from happy-dom. To be imported first.

import { mock } from "node:test";
import { Window } from "../../assets/node_modules/happy-dom/lib/index.js";

const CLASSES = [
  "Event",
  "KeyboardEvent",
  "MouseEvent",
  "HTMLElement",
  "HTMLCanvasElement",
  "HTMLFieldSetElement",
  "HTMLInputElement",
  "HTMLSelectElement",
];
const FUNCTIONS = ["addEventListener", "removeEventListener", "dispatchEvent", "matchMedia"];
const VALUES = ["document", "location", "localStorage", "innerWidth", "innerHeight"];

const page = new Window({ url: "http://127.0.0.1/rate/KEY" });
const own = /** @type {Record<string, Function>} */ (/** @type {unknown} */ (page));
for (const name of [...CLASSES, ...VALUES]) {
  Object.defineProperty(globalThis, name, { value: own[name], configurable: true, writable: true });
}
for (const name of FUNCTIONS) {
  Object.defineProperty(globalThis, name, { value: own[name].bind(page), configurable: true, writable: true });
}
Object.assign(globalThis, {
  window: page,
  requestAnimationFrame: (/** @type {() => void} */ work) => setImmediate(work),
});

/** @type {(() => void)[]} */
const leaving = [];
for (const target of [document, globalThis]) {
  const { addEventListener, removeEventListener } = target;
  /** @param {Parameters<typeof addEventListener>} listener */
  target.addEventListener = (...listener) => {
    addEventListener.apply(target, listener);
    leaving.push(() => removeEventListener.apply(target, listener));
  };
}

/** Leaves the page: what listens to the document or the window is gone, what the browser keeps stays. */
export function leave() {
  dispatchEvent(new Event("pagehide"));
  for (const remove of leaving.splice(0)) remove();
}

/** Leaves the page and empties it, and what the browser keeps. */
export function clear() {
  leave();
  document.body.replaceChildren();
  localStorage.clear();
  show(true);
}

/**
 * Shows or hides the page, as another tab does.
 * @param {boolean} on
 */
export function show(on) {
  Object.defineProperty(document, "hidden", { value: !on, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}

/**
 * Presses a key; returns whether the page took it.
 * @param {string} key
 * @param {EventTarget} [target]
 * @param {KeyboardEventInit} [more]
 */
export function press(key, target = document.body, more = {}) {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  target.dispatchEvent(event);
  return event.defaultPrevented;
}

/**
 * Returns the only element that a selector finds, as what the caller takes it for.
 * @template {Element} Found
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {Found}
 */
export function only(root, selector) {
  const found = root.querySelectorAll(selector);
  if (found.length !== 1) throw new Error(`${found.length} elements are ${selector}`);
  return /** @type {Found} */ (found[0]);
}

/**
 * Returns a button by its label or its text.
 * @param {ParentNode} root
 * @param {string} label
 */
export function labelled(root, label) {
  const all = [...root.querySelectorAll("button")];
  const found = all.find((node) => node.getAttribute("aria-label") === label || node.textContent === label);
  if (!found) throw new Error(`There is no button ${label}.`);
  return found;
}

/**
 * Chooses from a pick list, types into a field or ticks a box, as a person does.
 * @param {HTMLInputElement | HTMLSelectElement} node
 * @param {string | boolean} value
 */
export function enter(node, value) {
  if (typeof value === "string") node.value = value;
  else if (node instanceof HTMLInputElement) node.checked = value;
  node.dispatchEvent(new Event("input", { bubbles: true }));
  node.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Waits until what was started without a timer is done. */
export async function settled() {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * Returns a stand-in for something with more members than a test needs.
 * @template Wanted
 * @param {object} members
 * @returns {Wanted}
 */
export const fake = (members) => /** @type {Wanted} */ (/** @type {unknown} */ (members));

/** Returns what was warned of from here on, which stays out of the test's output. */
export function warnings() {
  const warn = mock.method(console, "warn", () => {});
  return () => warn.mock.calls.map((call) => String(call.arguments[0]));
}
