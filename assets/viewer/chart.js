// Curves of intensities along a line, as a small drawing with its axes.

import { el, shape } from "./dom.js";

/** @typedef {{ title: string, values: { at: number, value: number }[] }} Curve */

const [WIDTH, HEIGHT] = [640, 150];
const [LEFT, RIGHT, TOP, BOTTOM] = [54, 8, 8, 26];
// Okabe and Ito's colours, told apart by every eye; the dashes tell them apart in grey
const STROKES = ["#56b4e9", "#e69f00", "#009e73", "#cc79a7"];
const DASHES = ["", "6 3", "2 3", "8 3 2 3"];
const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 4, useGrouping: false });

/**
 * Returns curves over each other with a legend, and the words that say what they are.
 * @param {Curve[]} curves
 * @param {string} length as it is shown
 */
export function chart(curves, length) {
  const values = curves.flatMap((curve) => curve.values.map((one) => one.value)).filter(Number.isFinite);
  const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const end = Math.max(...curves.flatMap((curve) => curve.values.map((one) => one.at)), 1e-6);
  const x = (/** @type {number} */ at) => LEFT + (at / end) * (WIDTH - LEFT - RIGHT);
  const y = (/** @type {number} */ value) =>
    HEIGHT - BOTTOM - ((value - low) / (high - low || 1)) * (HEIGHT - TOP - BOTTOM);
  const label = `Intensities along a line of ${length}: ${curves.map((one) => one.title).join(", ")}`;
  const drawing = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
  drawing.append(
    shape("path", { class: "cs-axis", d: `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}` }),
    text(LEFT - 6, y(high) + 8, number.format(high), "end"),
    text(LEFT - 6, y(low), number.format(low), "end"),
    text(LEFT, HEIGHT - 8, "0", "middle"),
    text(WIDTH - RIGHT, HEIGHT - 8, length, "end"),
    ...curves.map(({ values: points }, i) =>
      shape("path", { class: "cs-curve", stroke: STROKES[i], "stroke-dasharray": DASHES[i], d: path(points, x, y) }),
    ),
  );
  const keys = curves.map(({ title }, i) => {
    const line = shape("svg", { viewBox: "0 0 28 8", "aria-hidden": "true" });
    line.append(shape("path", { class: "cs-curve", stroke: STROKES[i], "stroke-dasharray": DASHES[i], d: "M0 4H28" }));
    return el("li", {}, line, el("span", { text: title }));
  });
  return el("figure", { class: "cs-profile" }, drawing, el("ul", {}, ...keys));
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} words
 * @param {"start" | "middle" | "end"} anchor
 */
function text(x, y, words, anchor) {
  const made = shape("text", { x: String(x), y: String(y), "text-anchor": anchor });
  made.textContent = words;
  return made;
}

/**
 * Returns a line through points, broken where there is no value.
 * @param {{ at: number, value: number }[]} points
 * @param {(at: number) => number} x
 * @param {(value: number) => number} y
 */
function path(points, x, y) {
  let pen = "M";
  return points
    .map(({ at, value }) => {
      if (!Number.isFinite(value)) {
        pen = "M";
        return "";
      }
      const step = `${pen}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
      return step;
    })
    .join("");
}
