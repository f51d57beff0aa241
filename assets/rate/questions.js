// The questions of a showing as a form: what was answered, what is missing, which key answers what.

/** @import { FormQuestion } from "./fields.js" */
/** @import { Pen } from "./pen.js" */
/** @import { Answer, Answers, Mark, Question } from "./rating-json.d.ts" */

import { el } from "../viewer/dom.js";
import { choice, fieldset, MarkField, scale, text } from "./fields.js";
import { asMark } from "./marks.js";

const TAKEN = ["t", "?"];
const DIGITS = 9;

/**
 * Returns value -> key: the first letter or digit of each option that is free, "" where none is.
 * @param {[value: string, title: string][]} options
 * @returns {Map<string, string>}
 */
export function keysOf(options) {
  const taken = new Set(TAKEN);
  return new Map(
    options.map(([value, title]) => {
      const letters = [...`${title}${value}`.toLowerCase()];
      const key = letters.find((letter) => /[\p{L}\p{N}]/u.test(letter) && !taken.has(letter)) ?? "";
      taken.add(key);
      return [value, key];
    }),
  );
}

/**
 * @param {Question} question
 * @returns {Map<string | number, string>}
 */
function keysTo({ kind, options, levels }) {
  if (kind === "choice") return keysOf(options);
  if (kind !== "scale") return new Map();
  return new Map(Array.from({ length: Math.min(levels, DIGITS) }, (_, i) => [i + 1, String(i + 1)]));
}

/**
 * Returns whether a value answers a question of that kind.
 * @param {Question["kind"]} kind
 * @param {Answer | undefined} value
 */
export function isAnswer(kind, value) {
  if (kind === "mark") return value !== undefined;
  return value !== undefined && value !== null && String(value).trim() !== "";
}

/**
 * Returns whether two sets of answers are the same, whatever the order; what is empty does not count.
 * @param {Answers} one
 * @param {Answers} other
 */
export function alike(one, other) {
  const texts = [one, other].map((answers) => {
    const given = Object.entries(answers).filter(([, value]) => value !== null && value !== "");
    return JSON.stringify(given.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return texts[0] === texts[1];
}

export class Form {
  /**
   * @param {object} parts
   * @param {() => void} parts.onchange an answer was given or changed
   * @param {() => void} parts.onsubmit
   * @param {Pick<Pen, "hold" | "undo" | "clear">} parts.pen
   */
  constructor({ onchange, onsubmit, pen }) {
    this.onchange = onchange;
    this.pen = pen;
    /** @type {FormQuestion[]} */
    this.questions = [];
    /** @type {Answers} */
    this.answers = {};
    this.changes = 0;
    /** the question answered last */
    this.last = "";
    /** @type {MarkField | null} */
    this.marks = null;
    this.body = el("div", { class: "rate-questions" });
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      onsubmit();
    };
    this.root = el("form", { novalidate: true, onsubmit: submit }, this.body);
  }

  /**
   * @param {Question[]} questions
   * @param {Answers} answers
   * @param {number} changes how often an answer was changed before
   */
  render(questions, answers, changes) {
    this.answers = { ...answers };
    this.changes = changes;
    this.last = "";
    this.marks = null;
    this.questions = questions.map((one, i) => ({ ...one, id: `rate-q-${i}`, keys: keysTo(one) }));
    this.body.replaceChildren(...this.questions.map((one) => fieldset(one, this.fields(one))));
    this.point();
  }

  /**
   * @param {FormQuestion} question
   * @returns {(Node | null)[]}
   */
  fields(question) {
    const { kind, name, optional } = question;
    const answer = this.answers[name];
    if (kind === "text") {
      return text(
        question,
        answer,
        (value) => this.write(name, value),
        (replaced) => this.leave(replaced),
      );
    }
    if (kind === "mark") {
      const mark = answer === undefined ? undefined : asMark(answer);
      this.marks = new MarkField(this.pen, optional, mark, (given) => this.mark(name, given));
      return this.marks.nodes;
    }
    const draw = kind === "choice" ? choice : scale;
    return draw(question, answer, (value) => this.give(question, value));
  }

  /** @param {boolean} on */
  lock(on) {
    for (const node of this.body.querySelectorAll("fieldset")) node.disabled = on;
  }

  restPen() {
    this.marks?.rest();
  }

  /**
   * The pen has drawn, or what it drew was taken back.
   * @param {Mark | null} mark
   */
  drawn(mark) {
    this.marks?.drawn(mark);
  }

  /**
   * @param {string} name
   * @param {Mark | null | undefined} mark
   */
  mark(name, mark) {
    if (mark === undefined) {
      const { [name]: _, ...others } = this.answers;
      this.answers = others;
    } else {
      this.answers[name] = mark;
    }
    this.changed();
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  write(name, value) {
    this.answers[name] = value;
    this.onchange();
  }

  /** @param {boolean} replaced whether a text took the place of another one */
  leave(replaced) {
    if (replaced) this.changes++;
    this.point();
  }

  /**
   * @param {FormQuestion} question
   * @param {string | number} value
   */
  give({ name }, value) {
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

  /** @param {FormQuestion} question */
  answered({ name, kind }) {
    return isAnswer(kind, this.answers[name]);
  }

  /** What a person still has to answer. */
  get missing() {
    return this.questions.filter((one) => !one.optional && !this.answered(one));
  }

  /**
   * The answers to send: a mark is always there, null when nothing was marked; other questions only when answered.
   * @returns {Answers}
   */
  get values() {
    const given = this.questions.filter((one) => one.kind === "mark" || this.answered(one));
    return Object.fromEntries(given.map((one) => [one.name, this.answers[one.name] ?? null]));
  }

  /** @param {FormQuestion} question */
  node(question) {
    return this.body.children[this.questions.indexOf(question)];
  }

  /** Shows which question is next. */
  point() {
    const [next] = this.missing;
    for (const one of this.questions) this.node(one)?.classList.toggle("rate-next", one === next);
  }

  /** @param {FormQuestion} question */
  goTo(question) {
    const node = this.node(question);
    node.scrollIntoView({ block: "nearest" });
    const field = node.querySelector("input, textarea, button");
    if (field instanceof HTMLElement) field.focus({ preventScroll: true });
  }

  /**
   * Returns the question that a key answers: the one in focus, else the first unanswered one, else the one answered last.
   * @param {string} key
   */
  target(key) {
    const able = this.questions.filter((one) => [...one.keys.values()].includes(key));
    return (
      able.find((one) => this.node(one).contains(document.activeElement)) ??
      able.find((one) => !this.answered(one)) ??
      able.find((one) => one.name === this.last) ??
      (able.length === 1 ? able[0] : undefined)
    );
  }

  /**
   * Answers a question by key; returns whether the key chose something.
   * @param {string} key
   */
  press(key) {
    const question = this.target(key);
    const value = [...(question?.keys ?? [])].find(([, own]) => own === key)?.[0];
    if (!question || value === undefined) return false;
    const node = this.node(question);
    const input = [...node.querySelectorAll("input")].find((one) => one.value === String(value));
    if (!input || input.disabled || input.closest("fieldset")?.disabled) return true;
    input.checked = true;
    this.give(question, value);
    node.scrollIntoView({ block: "nearest" });
    return true;
  }
}
