// The keys, where they are wished for. NiiVue's own never are: they would change one image and not the other.

import { el } from "../viewer/dom.js";

const SWITCH = "counterscan-rate:keys";
const LIST = [
  ["A B \u2026", "choose the option with that letter"],
  ["1 to 9", "answer the scale that is next"],
  ["Enter", "save and go on"],
  ["Backspace", "go back one item, where that is allowed"],
  ["\u2191 \u2193 \u2190 \u2192", "change the slice"],
  ["T", "flip between A and B, where one viewer shows both"],
  ["Esc", "leave the text field"],
  ["?", "show this list"],
];
/** @type {Record<string, number>} */
const STEPS = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 };
const WRITTEN = "textarea, select, input:not([type=radio], [type=checkbox], [type=range])";

/**
 * @typedef {object} Actions what the keys do; each returns whether there was something to do
 * @property {() => boolean} help
 * @property {() => boolean} save
 * @property {() => boolean} back
 * @property {(by: number) => boolean} step
 * @property {() => boolean} flip
 * @property {(key: string) => boolean} choose
 */

function kept() {
  try {
    return localStorage.getItem(SWITCH) !== "off";
  } catch {
    return true;
  }
}

export class Keys {
  /** @param {Actions} actions */
  constructor(actions) {
    this.actions = actions;
    this.on = kept();
    // whether the focus was moved by the keyboard: only then Enter and arrows belong to what has it
    this.tabbed = false;
    document.addEventListener("keydown", (event) => this.press(event), true);
    document.addEventListener("keyup", (event) => this.shield(event), true);
    const point = () => {
      this.tabbed = false;
    };
    document.addEventListener("pointerdown", point, true);
  }

  /** @param {boolean} on */
  set(on) {
    this.on = on;
    try {
      localStorage.setItem(SWITCH, on ? "on" : "off");
    } catch {
      // it holds until the page is closed
    }
  }

  /**
   * Keeps a key from NiiVue.
   * @param {KeyboardEvent} event
   */
  shield(event) {
    if (event.target instanceof HTMLCanvasElement) event.stopPropagation();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    this.shield(event);
    if (event.key === "Tab") this.tabbed = true;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    if (event.key === "Escape" && target.matches("textarea")) target.blur();
    if (!this.on || target.matches(WRITTEN) || !this.act(event, target)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * Returns whether the key was one of ours.
   * @param {Pick<KeyboardEvent, "key" | "repeat">} event
   * @param {HTMLElement} target
   * @returns {boolean}
   */
  act({ key, repeat }, target) {
    const { actions } = this;
    if (key === "?") return actions.help();
    if (key === "Enter") return this.owns(target, "button, a, summary") ? false : repeat || actions.save();
    if (key === "Backspace") return repeat || actions.back();
    if (key in STEPS) return this.arrow(STEPS[key], target);
    if (key.length !== 1) return false;
    return key.toLowerCase() === "t" ? actions.flip() : actions.choose(key.toLowerCase());
  }

  /**
   * @param {number} by
   * @param {HTMLElement} target
   */
  arrow(by, target) {
    if (target.matches("input[type=range]") || this.owns(target, "input[type=radio]")) return false;
    return this.actions.step(by);
  }

  /**
   * Returns whether a key belongs to the element that the keyboard has moved the focus to.
   * @param {HTMLElement} target
   * @param {string} selector
   */
  owns(target, selector) {
    return this.tabbed && target.matches(selector);
  }

  list() {
    const rows = LIST.map(([keys, text]) => el("div", {}, el("dt", {}, el("kbd", { text: keys })), el("dd", { text })));
    /** @type {HTMLInputElement} */
    const box = el("input", { type: "checkbox", checked: this.on, onchange: () => this.set(box.checked) });
    const label = el("label", { class: "rate-check" }, box, el("span", { text: "Use these keys" }));
    return el("section", { class: "rate-keys" }, el("h3", { text: "Keys" }), el("dl", {}, ...rows), label);
  }
}
