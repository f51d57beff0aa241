// The questions of a showing as a form: radio groups, a text area, the pen.

import { button, el } from "../viewer/dom.js";
import { voxels } from "./marks.js";

const LONGEST_TEXT = 2000;
const PEN = { least: 1, most: 15, first: 3 };
const TAKEN = new Set(["t", "?"]);

// {value: key}: the first letter or digit of each option that is free
function keysOf(options) {
  const taken = new Set(TAKEN);
  return new Map(
    options.map(([value, title]) => {
      const key =
        [...`${title}${value}`.toLowerCase()].find((letter) => /[\p{L}\p{N}]/u.test(letter) && !taken.has(letter)) ??
        "";
      taken.add(key);
      return [value, key];
    }),
  );
}

export class Form {
  // onchange(): an answer was given or changed; pen: what draws, see View
  constructor({ onchange, onsubmit, pen }) {
    this.onchange = onchange;
    this.pen = pen;
    this.asked = [];
    this.body = el("div", { class: "rate-questions" });
    this.root = el(
      "form",
      {
        novalidate: true,
        onsubmit: (event) => {
          event.preventDefault();
          onsubmit();
        },
      },
      this.body,
    );
  }

  render(questions, answers, changes) {
    this.answers = { ...answers };
    this.changes = changes;
    this.last = "";
    this.asked = questions.map((question) => ({ ...question, keys: this.keys(question) }));
    this.body.replaceChildren(...this.asked.map((question) => this.draw(question)));
    this.point();
  }

  get marks() {
    return this.asked.find((one) => one.kind === "mark");
  }

  lock(on) {
    for (const node of this.body.querySelectorAll("fieldset")) node.disabled = on;
  }

  keys({ kind, options, levels }) {
    if (kind === "choice") return keysOf(options);
    if (kind === "scale") return new Map(Array.from({ length: Math.min(levels, 9) }, (_, i) => [i + 1, String(i + 1)]));
    return new Map();
  }

  draw(question) {
    const { name, title, help, optional } = question;
    const id = `rate-q-${this.asked.indexOf(question)}`;
    const inner = {
      choice: () => this.drawChoice(question, id),
      scale: () => this.drawScale(question, id),
      text: () => this.drawText(question, id),
      mark: () => this.drawMark(question),
    }[question.kind];
    const about = [
      help && `${id}-help`,
      question.kind === "scale" && (question.low || question.high) && `${id}-ends`,
    ].filter(Boolean);
    const node = el(
      "fieldset",
      { class: "rate-question", "aria-describedby": about.join(" ") || null },
      el("legend", {}, el("span", { text: title }), optional ? el("small", { text: " optional" }) : null),
      help ? el("p", { class: "cs-hint", id: `${id}-help`, text: help }) : null,
      ...inner(),
    );
    node.dataset.name = name;
    return node;
  }

  radio(question, id, value, title, shown) {
    const key = question.keys.get(value);
    const input = el("input", {
      type: "radio",
      name: id,
      value: String(value),
      checked: this.answers[question.name] === value,
      "aria-label": shown ? title : null,
      onchange: () => this.give(question, value),
    });
    const hint = key && !shown ? el("kbd", { text: key.toUpperCase(), "aria-hidden": "true" }) : null;
    return el("label", { class: "rate-option" }, input, el("span", { text: shown ?? title }), hint);
  }

  drawChoice(question, id) {
    const long = question.options.some(([, title]) => title.length > 14) || question.options.length > 4;
    return [
      el(
        "div",
        { class: `rate-options${long ? " rate-long" : ""}` },
        ...question.options.map(([value, title]) => this.radio(question, id, value, title)),
      ),
    ];
  }

  drawScale(question, id) {
    const { levels, low, high } = question;
    const named = (level) => [String(level), level === 1 && low, level === levels && high].filter(Boolean).join(", ");
    const all = Array.from({ length: levels }, (_, i) => i + 1);
    return [
      el(
        "div",
        { class: "rate-options rate-levels" },
        ...all.map((level) => this.radio(question, id, level, named(level), String(level))),
      ),
      low || high
        ? el(
            "p",
            { class: "rate-ends", id: `${id}-ends` },
            el("span", { text: low ? `1 ${low}` : "" }),
            el("span", { text: high ? `${levels} ${high}` : "" }),
          )
        : null,
    ];
  }

  drawText(question, id) {
    const area = el("textarea", { rows: "3", maxlength: String(LONGEST_TEXT), "aria-label": question.title, id });
    area.value = this.answers[question.name] ?? "";
    let before = area.value;
    area.addEventListener("input", () => {
      this.answers[question.name] = area.value;
      this.onchange();
    });
    area.addEventListener("change", () => {
      if (before && before !== area.value) this.changes++;
      before = area.value;
      this.point();
    });
    return [area];
  }

  drawMark(question) {
    const size = el("input", {
      type: "range",
      min: String(PEN.least),
      max: String(PEN.most),
      step: "2",
      value: String(PEN.first),
      "aria-label": "Pen size in voxels",
      oninput: () => hold(true),
    });
    const shown = el("output", {});
    const pen = button("Pen: draw on the image", {
      name: "pen",
      shown: "Pen",
      pressed: false,
      onclick: () => hold(pen.getAttribute("aria-pressed") !== "true"),
    });
    this.penButton = pen;
    const hold = (on) => {
      pen.setAttribute("aria-pressed", String(on));
      shown.textContent = size.value;
      this.pen.pen(on, Number(size.value));
    };
    shown.textContent = size.value;
    this.none = question.optional
      ? null
      : el("input", {
          type: "checkbox",
          checked: this.answers[question.name] === null,
          onchange: () => {
            if (this.none.checked) this.pen.clear();
            this.setMark(this.none.checked ? null : undefined);
          },
        });
    this.marked = el("p", { class: "cs-hint", role: "status" });
    this.sayMarked(this.answers[question.name]);
    return [
      el(
        "div",
        { class: "rate-pen", role: "group", "aria-label": "Drawing" },
        pen,
        el("label", { class: "cs-field" }, el("span", { text: "Size" }), size, shown),
        button("Undo the last stroke", { name: "undo", onclick: () => this.pen.undo() }),
        button("Clear the drawing", { name: "clear", onclick: () => this.pen.clear() }),
      ),
      this.marked,
      this.none ? el("label", { class: "rate-check" }, this.none, el("span", { text: "Nothing to mark" })) : null,
    ];
  }

  restPen() {
    if (!this.marks) return;
    this.penButton.setAttribute("aria-pressed", "false");
    this.pen.pen(false);
  }

  // undefined: not answered; null: nothing to mark
  setMark(mark) {
    const { name } = this.marks;
    if (this.none && mark) this.none.checked = false;
    if (mark === undefined) delete this.answers[name];
    else this.answers[name] = mark;
    this.sayMarked(mark);
    this.changed();
  }

  // the pen has drawn, or what it drew was taken back
  drawn(mark) {
    this.setMark(mark ?? (this.none?.checked ? null : undefined));
  }

  sayMarked(mark) {
    const count = voxels(mark);
    this.marked.textContent = count ? `${count} voxel${count > 1 ? "s" : ""} marked.` : "Nothing is marked.";
  }

  give(question, value) {
    const { name } = question;
    const before = this.answers[name];
    if (before === value) return;
    if (before !== undefined && before !== null) this.changes++;
    this.answers[name] = value;
    this.last = name;
    this.changed();
  }

  changed() {
    this.point();
    this.onchange();
  }

  answered({ name, kind }) {
    const value = this.answers[name];
    if (kind === "mark") return value !== undefined;
    return value !== undefined && value !== null && String(value).trim() !== "";
  }

  // what a person still has to answer
  get missing() {
    return this.asked.filter((one) => !one.optional && !this.answered(one));
  }

  // a mark is always there, null when nothing was marked; other questions only when they were answered
  get values() {
    const given = this.asked.filter((one) => one.kind === "mark" || this.answered(one));
    return Object.fromEntries(given.map((one) => [one.name, this.answers[one.name] ?? null]));
  }

  node(question) {
    return this.body.children[this.asked.indexOf(question)];
  }

  // show which question is next
  point() {
    const [next] = this.missing;
    for (const one of this.asked) this.node(one)?.classList.toggle("rate-next", one === next);
  }

  goTo(question) {
    const node = this.node(question);
    node.scrollIntoView({ block: "nearest" });
    node.querySelector("input, textarea, button")?.focus({ preventScroll: true });
  }

  // whether a key chose something: of the question in focus, else of the first unanswered one, else of the one answered last
  press(key) {
    const able = this.asked.filter((one) => [...one.keys.values()].includes(key));
    const focused = able.find((one) => this.node(one).contains(document.activeElement));
    const question =
      focused ??
      able.find((one) => !this.answered(one)) ??
      able.find((one) => one.name === this.last) ??
      (able.length === 1 ? able[0] : undefined);
    if (!question) return false;
    const [value] = [...question.keys].find(([, own]) => own === key);
    const input = [...this.node(question).querySelectorAll("input")].find((one) => one.value === String(value));
    if (input.disabled || input.closest("fieldset").disabled) return true;
    input.checked = true;
    this.give(question, value);
    this.node(question).scrollIntoView({ block: "nearest" });
    return true;
  }
}
