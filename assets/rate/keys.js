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
const STEPS = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 };
const WRITTEN = "textarea, select, input:not([type=radio], [type=checkbox], [type=range])";

function kept() {
  try {
    return localStorage.getItem(SWITCH) !== "off";
  } catch {
    return true;
  }
}

export class Keys {
  // does: {help(), save(), back(), step(by), flip(), choose(key), each true where there was something to do}
  constructor(does) {
    this.does = does;
    this.on = kept();
    this.tabbed = false;
    document.addEventListener("keydown", (event) => this.press(event), true);
    document.addEventListener("keyup", (event) => this.shield(event), true);
    document.addEventListener(
      "pointerdown",
      () => {
        this.tabbed = false;
      },
      true,
    );
  }

  set(on) {
    this.on = on;
    try {
      localStorage.setItem(SWITCH, on ? "on" : "off");
    } catch {
      // it holds until the page is closed
    }
  }

  shield(event) {
    if (event.target instanceof HTMLCanvasElement) event.stopPropagation();
  }

  press(event) {
    this.shield(event);
    if (event.key === "Tab") this.tabbed = true;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]"))
      return;
    const { target } = event;
    if (event.key === "Escape" && target.matches?.("textarea")) target.blur();
    if (!this.on || target.matches?.(WRITTEN) || !this.act(event, target)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  // true where the key was one of ours
  act(event, target) {
    const { does } = this;
    const { key } = event;
    const own = this.tabbed && target.matches?.("button, a, input, summary");
    if (key === "?") return does.help();
    if (key === "Enter") return own && target.matches("button, a, summary") ? false : event.repeat || does.save();
    if (key === "Backspace") return event.repeat || does.back();
    if (key in STEPS)
      return target.matches?.("input[type=range]") || (own && target.matches("input[type=radio]"))
        ? false
        : does.step(STEPS[key]);
    if (key.length !== 1) return false;
    return key.toLowerCase() === "t" ? does.flip() : does.choose(key.toLowerCase());
  }

  list() {
    const rows = LIST.map(([keys, text]) => el("div", {}, el("dt", {}, el("kbd", { text: keys })), el("dd", { text })));
    const box = el("input", { type: "checkbox", checked: this.on, onchange: () => this.set(box.checked) });
    return el(
      "section",
      { class: "rate-keys" },
      el("h3", { text: "Keys" }),
      el("dl", {}, ...rows),
      el("label", { class: "rate-check" }, box, el("span", { text: "Use these keys" })),
    );
  }
}
