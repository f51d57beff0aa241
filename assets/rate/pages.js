// Everything that is not an item: start, pause, end, and what is said when the link does not work.

import { el } from "../viewer/dom.js";

const OLDEST = 70;

const prose = (text) => (text ? el("p", { class: "rate-prose", text }) : null);

// class and words of a button that looks like those of the form
export function plain(text, onclick, kind = "") {
  return el("button", { type: "button", class: `rate-button ${kind}`, text, onclick });
}

export function message(title, lines, ...actions) {
  return el(
    "section",
    { class: "rate-page" },
    el("h2", { text: title, tabindex: "-1" }),
    ...lines.map(prose),
    actions.length ? el("div", { class: "rate-actions" }, ...actions) : null,
  );
}

export function gone(refused) {
  return message("This link does not work", [
    refused.message,
    refused.hint,
    "What to do: check that the whole link was copied. If it was, ask whoever invited you for a new one; " +
      "answers that were saved stay saved.",
  ]);
}

export const blind = () =>
  message("This browser cannot show the images", [
    "Drawing them needs WebGL 2, which is off here.",
    "What to do: turn on hardware acceleration in the browser's settings, or open the same link in a current Firefox, Chrome, Edge or Safari.",
  ]);

export function paused({ progress }, onresume) {
  return message(
    "Paused",
    [
      `${progress.done} of ${progress.total} are done and saved.`,
      "You can close this page. To go on, open the same link again, on this machine or on any other.",
    ],
    plain("Go on", onresume, "rate-primary"),
  );
}

export function ended({ state, progress }, onback) {
  return message(
    "Thank you",
    [`All ${progress.total} items are done, and your answers are saved. You can close this page.`, state.end],
    ...(onback ? [plain("Look at the last answer again", onback)] : []),
  );
}

export function start(state, { list, onstart }) {
  const agreed = el("input", { type: "checkbox", required: true, id: "rate-consent" });
  const choices = [["", "Choose \u2026"], ...state.expertise.map((one) => [one, one])];
  const expertise = state.expertise.length
    ? el("select", { id: "rate-expertise" }, ...choices.map(([value, text]) => el("option", { value, text })))
    : el("input", { type: "text", id: "rate-expertise", maxlength: "100", autocomplete: "off" });
  const years = el("input", {
    type: "number",
    id: "rate-years",
    min: "0",
    max: String(OLDEST),
    step: "1",
    inputmode: "numeric",
  });
  const trouble = el("p", { class: "rate-trouble", role: "alert" });
  const send = (event) => {
    event.preventDefault();
    if (!agreed.checked) return wrong("Please tick that you agree, or close this page.", agreed);
    if (!years.checkValidity())
      return wrong(`Years of experience: a whole number from 0 to ${OLDEST}, or nothing.`, years);
    trouble.textContent = "";
    return onstart(
      {
        consent: true,
        ...(expertise.value.trim() ? { expertise: expertise.value.trim() } : {}),
        ...(years.value ? { years: Number(years.value) } : {}),
      },
      trouble,
    );
  };
  const wrong = (text, node) => {
    trouble.textContent = text;
    node.focus();
  };
  return el(
    "section",
    { class: "rate-page" },
    el("h2", { text: state.title, tabindex: "-1" }),
    prose(state.instructions),
    el("p", {
      class: "cs-hint",
      text: `${state.progress.total} items. Every answer is saved at once; you can stop at any time and go on later with the same link.`,
    }),
    el(
      "form",
      { novalidate: true, onsubmit: send },
      el("h3", { text: "Consent" }),
      prose(state.consent),
      el(
        "label",
        { class: "rate-check" },
        agreed,
        el("span", { text: state.consent ? "I have read this and I agree." : "I agree to take part." }),
      ),
      el(
        "div",
        { class: "rate-fields" },
        el("label", {}, el("span", { text: "Expertise (optional)" }), expertise),
        el("label", {}, el("span", { text: "Years of experience (optional)" }), years),
      ),
      trouble,
      el(
        "div",
        { class: "rate-actions" },
        el("button", { type: "submit", class: "rate-button rate-primary", text: "Start" }),
      ),
    ),
    list,
  );
}
