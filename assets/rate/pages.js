// Everything that is not an item: start, pause, end, and the text where the link does not work.

/** @import { Refused } from "./api.js" */
/** @import { Consent, Progress, State } from "./rating-json.d.ts" */

import { el } from "../viewer/dom.js";

const OLDEST = 70;
const KEPT = "What was answered is kept.";
const GONE =
  "What to do: check that the whole link was copied. If it was, ask whoever invited you for a new one; " +
  "answers that were saved stay saved.";
const STEPWISE = "Every answer is saved at once; you can stop at any time and go on later with the same link.";

/** @param {string} text */
const prose = (text) => (text ? el("p", { class: "rate-prose", text }) : null);

/**
 * Returns a button that looks like those of the form.
 * @param {string} text
 * @param {() => unknown} onclick
 * @param {string} [kind] further classes
 */
export function plain(text, onclick, kind = "") {
  return el("button", { type: "button", class: `rate-button ${kind}`, text, onclick: () => onclick() });
}

/**
 * @param {string} title
 * @param {string[]} lines
 * @param {...HTMLElement} actions
 */
export function message(title, lines, ...actions) {
  return el(
    "section",
    { class: "rate-page" },
    el("h2", { text: title, tabindex: "-1" }),
    ...lines.map(prose),
    actions.length ? el("div", { class: "rate-actions" }, ...actions) : null,
  );
}

/** @param {Refused} refused */
export const gone = (refused) => message("This link does not work", [refused.message, refused.hint, GONE]);

const reload = () => plain("Reload the page", () => location.reload(), "rate-primary");

/**
 * @param {string} text what went wrong
 * @param {string} hint
 */
export const broken = (text, hint) => message("Something went wrong", [text, hint, KEPT], reload());

export const lost = () =>
  message("The images were lost", [`The browser took back the memory of the images. ${KEPT}`], reload());

export const blind = () =>
  message("This browser cannot show the images", [
    "Drawing them needs WebGL 2, which is off here.",
    "What to do: turn on hardware acceleration in the browser's settings, or open the same link in a current Firefox, Chrome, Edge or Safari.",
  ]);

/**
 * @param {Progress} progress
 * @param {() => void} onresume
 */
export function paused(progress, onresume) {
  const lines = [
    `${progress.done} of ${progress.total} are done and saved.`,
    "You can close this page. To go on, open the same link again, on this machine or on any other.",
  ];
  return message("Paused", lines, plain("Go on", onresume, "rate-primary"));
}

/**
 * @param {State} state
 * @param {Progress} progress
 * @param {(() => void) | null} onback where answers may be changed
 */
export function ended(state, progress, onback) {
  const lines = [
    `${progress.total === 1 ? "The one item is" : `All ${progress.total} items are`} done. You can close this page.`,
    state.end,
  ];
  return message("Thank you", lines, ...(onback ? [plain("Look at the last answer again", onback)] : []));
}

/**
 * @param {State} state
 * @param {HTMLElement} keys the list of keys
 * @param {(given: Consent, trouble: HTMLElement) => unknown} onstart
 */
export function start(state, keys, onstart) {
  const { expertise, progress } = state;
  const agreed = el("input", { type: "checkbox", required: true, id: "rate-consent" });
  const known = expertiseField(expertise);
  const years = el("input", {
    type: "number",
    id: "rate-years",
    min: "0",
    max: String(OLDEST),
    step: "1",
    inputmode: "numeric",
  });
  const trouble = el("p", { class: "rate-trouble", role: "alert" });
  /**
   * @param {string} text
   * @param {HTMLElement} node
   */
  const refuse = (text, node) => {
    trouble.textContent = text;
    node.focus();
  };
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!agreed.checked) return refuse("Please tick that you agree, or close this page.", agreed);
    if (!years.checkValidity()) {
      return refuse(`Years of experience: a whole number from 0 to ${OLDEST}, or nothing.`, years);
    }
    trouble.textContent = "";
    return onstart({ consent: true, ...given(known.value.trim(), years.value) }, trouble);
  };
  const consented = state.consent ? "I have read this and I agree." : "I agree to take part.";
  const form = el(
    "form",
    { novalidate: true, onsubmit: send },
    el("h3", { text: "Consent" }),
    prose(state.consent),
    el("label", { class: "rate-check" }, agreed, el("span", { text: consented })),
    el(
      "div",
      { class: "rate-fields" },
      field("Expertise (optional)", known),
      field("Years of experience (optional)", years),
    ),
    trouble,
    el(
      "div",
      { class: "rate-actions" },
      el("button", { type: "submit", class: "rate-button rate-primary", text: "Start" }),
    ),
  );
  const intro = el("p", {
    class: "cs-hint",
    text: `${progress.total} ${progress.total === 1 ? "item" : "items"}. ${STEPWISE}`,
  });
  const heading = el("h2", { text: state.title, tabindex: "-1" });
  return el("section", { class: "rate-page" }, heading, prose(state.instructions), intro, form, keys);
}

/**
 * @param {string} expertise
 * @param {string} years
 * @returns {Omit<Consent, "consent">}
 */
const given = (expertise, years) => ({
  ...(expertise ? { expertise } : {}),
  ...(years ? { years: Number(years) } : {}),
});

/**
 * @param {string} text
 * @param {HTMLElement} input
 */
const field = (text, input) => el("label", {}, el("span", { text }), input);

/**
 * Returns a pick list, or a text field where the study names no expertise.
 * @param {string[]} offered
 */
function expertiseField(offered) {
  if (!offered.length) {
    return el("input", { type: "text", id: "rate-expertise", maxlength: "100", autocomplete: "off" });
  }
  const options = offered.map((one) => el("option", { value: one, text: one }));
  return el("select", { id: "rate-expertise" }, el("option", { value: "", text: "Choose \u2026" }), ...options);
}
