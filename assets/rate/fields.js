// The fields that a question is answered with: radio groups, a text area, the pen.

/** @import { Answer, Mark, Question } from "./rating-json.d.ts" */
/** @import { Pen } from "./pen.js" */

import { button, el } from "../viewer/dom.js";
import { voxels } from "./marks.js";

/** @typedef {Question & { id: string, keys: Map<string | number, string> }} FormQuestion a question with the id of its fields and the key of each of its values */
/** @typedef {(value: string | number) => void} Give */

const LONGEST_TEXT = 2000;
const LONG_TITLE = 14;
const LONG_LIST = 4;
const SIZES = { least: 1, most: 15, first: 3 };

/**
 * Returns a question with its title, its help and its fields.
 * @param {FormQuestion} question
 * @param {(Node | null)[]} fields
 */
export function fieldset({ id, name, kind, title, help, optional, low, high }, fields) {
  const described = [help && `${id}-help`, kind === "scale" && (low || high) && `${id}-ends`].filter(Boolean).join(" ");
  const legend = el("legend", {}, el("span", { text: title }), optional ? el("small", { text: " optional" }) : null);
  return el(
    "fieldset",
    { class: "rate-question", "data-name": name, "aria-describedby": described || null },
    legend,
    help ? el("p", { class: "cs-hint", id: `${id}-help`, text: help }) : null,
    ...fields,
  );
}

/**
 * @param {FormQuestion} question
 * @param {string | number} value
 * @param {{ title: string, shown?: string, checked: boolean, give: Give }} how
 */
function radio(question, value, { title, shown, checked, give }) {
  const key = question.keys.get(value);
  const input = el("input", {
    type: "radio",
    name: question.id,
    value: String(value),
    checked,
    "aria-label": shown ? title : null,
    onchange: () => give(value),
  });
  const hint = key && !shown ? el("kbd", { text: key.toUpperCase(), "aria-hidden": "true" }) : null;
  return el("label", { class: "rate-option" }, input, el("span", { text: shown ?? title }), hint);
}

/**
 * @param {FormQuestion} question
 * @param {Answer | undefined} answer
 * @param {Give} give
 */
export function choice(question, answer, give) {
  const { options } = question;
  const long = options.length > LONG_LIST || options.some(([, title]) => title.length > LONG_TITLE);
  const radios = options.map(([value, title]) => radio(question, value, { title, checked: answer === value, give }));
  return [el("div", { class: `rate-options${long ? " rate-long" : ""}` }, ...radios)];
}

/**
 * @param {FormQuestion} question
 * @param {Answer | undefined} answer
 * @param {Give} give
 */
export function scale(question, answer, give) {
  const { id, levels, low, high } = question;
  const radios = Array.from({ length: levels }, (_, i) => {
    const level = i + 1;
    const named = [String(level), level === 1 && low, level === levels && high].filter(Boolean).join(", ");
    return radio(question, level, { title: named, shown: String(level), checked: answer === level, give });
  });
  const ends = el(
    "p",
    { class: "rate-ends", id: `${id}-ends` },
    el("span", { text: low ? `1 ${low}` : "" }),
    el("span", { text: high ? `${levels} ${high}` : "" }),
  );
  return [el("div", { class: "rate-options rate-levels" }, ...radios), low || high ? ends : null];
}

/**
 * @param {FormQuestion} question
 * @param {Answer | undefined} answer
 * @param {(value: string) => void} give called at every input
 * @param {(replaced: boolean) => void} leave called when the text is left; `replaced` where it took the place of another one
 */
export function text({ id, title }, answer, give, leave) {
  const area = el("textarea", { rows: "3", maxlength: String(LONGEST_TEXT), "aria-label": title, id });
  area.value = typeof answer === "string" ? answer : "";
  let before = area.value;
  area.addEventListener("input", () => give(area.value));
  area.addEventListener("change", () => {
    leave(before !== "" && before !== area.value);
    before = area.value;
  });
  return [area];
}

export class MarkField {
  /**
   * @param {Pick<Pen, "hold" | "undo" | "clear">} pen
   * @param {boolean} optional whether it may be left out; else a box has to be ticked where there is nothing to mark
   * @param {Mark | null | undefined} mark
   * @param {(mark: Mark | null | undefined) => void} give undefined: not answered; null: nothing to mark
   */
  constructor(pen, optional, mark, give) {
    this.pen = pen;
    this.give = give;
    const { least, most, first } = SIZES;
    const bounds = { min: String(least), max: String(most), step: "2", value: String(first) };
    /** @type {HTMLInputElement} */
    this.size = el("input", {
      type: "range",
      ...bounds,
      "aria-label": "Pen size in voxels",
      oninput: () => this.hold(true),
    });
    this.sizeText = el("output", { text: this.size.value });
    /** @type {HTMLButtonElement} */
    this.button = button("Pen: draw on the image", {
      name: "pen",
      shown: "Pen",
      pressed: false,
      onclick: () => this.hold(this.button.getAttribute("aria-pressed") !== "true"),
    });
    /** @type {HTMLInputElement | null} */
    this.none = null;
    if (!optional) {
      this.none = el("input", { type: "checkbox", checked: mark === null, onchange: () => this.tick() });
    }
    this.count = el("p", { class: "cs-hint", role: "status" });
    this.showCount(mark);
  }

  /** The fields of the question. */
  get nodes() {
    const tools = el(
      "div",
      { class: "rate-pen", role: "group", "aria-label": "Drawing" },
      this.button,
      el("label", { class: "cs-field" }, el("span", { text: "Size" }), this.size, this.sizeText),
      button("Undo the last stroke", { name: "undo", onclick: () => this.pen.undo() }),
      button("Clear the drawing", { name: "clear", onclick: () => this.pen.clear() }),
    );
    const none = this.none && el("label", { class: "rate-check" }, this.none, el("span", { text: "Nothing to mark" }));
    return [tools, this.count, none];
  }

  /** @param {boolean} on */
  hold(on) {
    this.button.setAttribute("aria-pressed", String(on));
    this.sizeText.textContent = this.size.value;
    this.pen.hold(on, Number(this.size.value));
  }

  rest() {
    this.button.setAttribute("aria-pressed", "false");
    this.pen.hold(false);
  }

  /** The box was ticked or cleared. */
  tick() {
    if (this.none?.checked) this.pen.clear();
    this.set(this.none?.checked ? null : undefined);
  }

  /**
   * The pen has drawn, or what it drew was taken back.
   * @param {Mark | null} mark
   */
  drawn(mark) {
    this.set(mark ?? (this.none?.checked ? null : undefined));
  }

  /** @param {Mark | null | undefined} mark */
  set(mark) {
    if (this.none && mark) this.none.checked = false;
    this.showCount(mark);
    this.give(mark);
  }

  /** @param {Mark | null | undefined} mark */
  showCount(mark) {
    const count = voxels(mark ?? null);
    this.count.textContent = count ? `${count} voxel${count > 1 ? "s" : ""} marked.` : "Nothing is marked.";
  }
}
