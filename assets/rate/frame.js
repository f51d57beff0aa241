// The parts of the rater's page that stay: progress and buttons above, the place of a text or of an item, the dialog.

/** @import { Waiting } from "./api.js" */
/** @import { Feedback, Progress, Showing, State } from "./rating-json.d.ts" */

import { button, el } from "../viewer/dom.js";
import { plain } from "./pages.js";

/**
 * @typedef {object} Places what the HTML of the page has
 * @property {HTMLElement} main
 * @property {HTMLElement} tools
 * @property {HTMLElement} banner
 */

/**
 * @typedef {object} Buttons what the buttons do
 * @property {() => void} help
 * @property {() => void} pause
 * @property {() => void} back
 * @property {() => void} save
 * @property {() => void} proceed go on after feedback
 */

/** @typedef {{ message: string, hint?: string }} Trouble */

const OFFLINE = "You are offline; your answer is kept here and will be sent.";
const BUSY = "The server is busy; your answer is kept here and will be sent.";
const SILENT = "The server does not answer. Trying again \u2026";
const MOUSE =
  "In the images: drag to move the crosshair, scroll or pinch to change the slice, drag with the right button to " +
  "change the window of all images.";
/** @type {Map<boolean | null, { class?: string, text: string }>} */
const VERDICTS = new Map([
  [true, { class: "rate-right", text: "\u2713 Right" }],
  [false, { class: "rate-wrong", text: "\u2717 Not right" }],
  [null, { text: "Practice" }],
]);

export class Frame {
  /**
   * @param {Places} places
   * @param {{ display: HTMLElement, form: HTMLElement }} parts of an item
   * @param {Buttons} buttons
   */
  constructor({ main, tools, banner }, { display, form }, buttons) {
    this.main = main;
    this.banner = banner;
    this.form = form;
    this.buttons = buttons;
    this.count = el("span", { class: "rate-count" });
    this.bar = el("i");
    const meter = { class: "cs-bar", role: "progressbar", "aria-label": "Items done", "aria-valuemin": "0" };
    this.meter = el("div", meter, this.bar);
    this.progress = el("div", { class: "rate-progress", hidden: true }, this.count, this.meter);
    this.help = button("Help: instructions and keys", { shown: "Help", onclick: buttons.help });
    this.pause = button("Pause: go on later, on this machine or another", { shown: "Pause", onclick: buttons.pause });
    this.help.hidden = true;
    this.pause.hidden = true;
    tools.replaceChildren(this.progress, this.help, this.pause);
    const practice = "Training item: after saving you see the answer.";
    this.training = el("p", { class: "rate-training", text: practice, hidden: true });
    this.trouble = el("div", { class: "rate-trouble", role: "alert" });
    this.feedback = el("section", { class: "rate-feedback", "aria-live": "polite", hidden: true });
    this.status = el("p", { class: "rate-status", role: "status" });
    this.previous = plain("Previous", buttons.back);
    const save = plain("Save and next", buttons.save, "rate-primary");
    this.actions = el("div", { class: "rate-actions rate-foot" }, this.status, this.previous, save);
    const side = { class: "rate-side", "aria-label": "Questions" };
    this.side = el("section", side, this.training, form, this.feedback, this.trouble, this.actions);
    this.item = el("div", { class: "rate-work", hidden: true }, display, this.side);
    this.place = el("div");
    main.replaceChildren(this.place, this.item);
    this.dialog = el("dialog", { class: "rate-dialog", "aria-label": "Instructions and keys" });
    document.body.append(this.dialog);
  }

  /** Whether an item stands in the page. */
  get shown() {
    return !this.item.hidden;
  }

  /**
   * Puts a text in the place of the item.
   * @param {HTMLElement} node
   */
  showText(node) {
    this.item.hidden = true;
    this.place.replaceChildren(node);
    node.querySelector("h2")?.focus();
  }

  /** Puts the item in the place of a text. */
  showItem() {
    this.place.replaceChildren();
    this.item.hidden = false;
  }

  /**
   * Makes the page ready for the answers to an item.
   * @param {Showing} showing
   * @param {boolean} changes whether an answer may be changed later
   */
  ready(showing, changes) {
    this.feedback.hidden = true;
    this.form.hidden = false;
    this.training.hidden = !showing.training;
    this.previous.hidden = !changes;
    this.previous.toggleAttribute("disabled", showing.position < 2);
    this.pause.hidden = false;
    this.side.scrollTop = 0;
    this.main.dataset.showing = showing.id;
  }

  /** @param {Waiting | null} waiting */
  showWaiting(waiting) {
    let text = "";
    if (waiting?.sending) text = waiting.busy ? BUSY : OFFLINE;
    else if (waiting) text = SILENT;
    this.banner.textContent = text;
  }

  /**
   * @param {number} position
   * @param {Progress} progress
   */
  showProgress(position, { done, total }) {
    this.progress.hidden = false;
    this.count.textContent = `${position} of ${total}`;
    this.bar.style.translate = `${total ? (100 * done) / total - 100 : -100}%`;
    this.meter.setAttribute("aria-valuemax", String(total));
    this.meter.setAttribute("aria-valuenow", String(done));
  }

  /** @param {string} text */
  showStatus(text) {
    this.status.textContent = text;
  }

  /** @param {Trouble | null} trouble */
  showTrouble(trouble) {
    if (!trouble) {
      this.trouble.replaceChildren();
      return;
    }
    const hint = el("span", { text: ` ${trouble.hint ?? ""}` });
    this.trouble.replaceChildren(el("strong", { text: trouble.message }), hint);
    this.trouble.scrollIntoView({ block: "nearest" });
  }

  /** @param {Feedback} feedback */
  showFeedback({ correct, text }) {
    const next = plain("Continue", this.buttons.proceed, "rate-primary");
    this.feedback.replaceChildren(
      el("h2", VERDICTS.get(correct)),
      el("p", { class: "rate-prose", text }),
      el("p", { class: "cs-hint", text: "Your answer is saved." }),
      next,
    );
    this.form.hidden = true;
    this.feedback.hidden = false;
    this.actions.hidden = true;
    next.focus();
  }

  hideFeedback() {
    this.actions.hidden = false;
  }

  /**
   * Opens the instructions; returns whether they were closed before.
   * @param {State} state
   * @param {HTMLElement} keys the list of keys
   */
  showHelp(state, keys) {
    if (this.dialog.open) return false;
    const close = plain("Close", () => this.dialog.close(), "rate-primary");
    close.autofocus = true;
    this.dialog.replaceChildren(
      el("h2", { text: state.title }),
      el("p", { class: "rate-prose", text: state.instructions }),
      el("p", { class: "cs-hint", text: MOUSE }),
      keys,
      close,
    );
    this.dialog.showModal();
    return true;
  }
}
