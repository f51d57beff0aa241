// Small DOM builders: text only ever enters the page through textContent.

/** @import { Choice } from "./scene.js" */

/** @typedef {string | boolean | null | undefined | ((event: Event) => unknown)} Prop */
/** @typedef {HTMLElement & { show: (value: string) => void }} Segmented */

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {keyof typeof PATHS} IconName */

const PATHS = {
  pen: "M4 20l1-5L16 4l4 4L9 19z",
  erase: "M8 19h12M5 14l8-9 6 5-8 9H8z",
  rectangle: "M4 6h16v12H4z",
  ellipse: "M12 5c5 0 8 3 8 7s-3 7-8 7-8-3-8-7 3-7 8-7z",
  undo: "M9 7L4 11l5 4M4 11h9a6 6 0 010 12h-2",
  propose: "M12 3v4M12 17v4M3 12h4M17 12h4M6 6l2 2M16 16l2 2M18 6l-2 2M8 16l-2 2",
  redo: "M15 7l5 4-5 4M20 11h-9a6 6 0 000 12h2",
  grow: "M12 4v16M4 12h16",
  shrink: "M4 12h16",
  smooth: "M4 16c3-10 6-10 8-4s5 6 8-4",
  fill: "M4 5h16M4 19h16M7 9h10M6 12h12M7 15h10",
  clear: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  camera: "M4 8h4l2-3h4l2 3h4v11H4zM12 10a3 3 0 100 6 3 3 0 000-6z",
  reset: "M5 12a7 7 0 107-7H7M10 2L7 5l3 3",
  expand: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  scan: "M12 3c5 0 8 4 8 9s-3 9-8 9-8-4-8-9 3-9 8-9zM12 3v18M8 8c2 1 2 3 0 4M16 8c-2 1-2 3 0 4",
  check: "M5 13l5 5L20 6",
  help: "M9 9a3 3 0 114 3c-1 .5-1 1-1 2M12 17v.5M12 3a9 9 0 100 18 9 9 0 000-18z",
  ruler: "M3 17L17 3l4 4L7 21zM8 12l2 2M11 9l3 3M14 6l2 2",
  share:
    "M9 12l6-4M9 12l6 4M7 12a2 2 0 11-4 0 2 2 0 014 0zM20 7a2 2 0 11-4 0 2 2 0 014 0zM20 17a2 2 0 11-4 0 2 2 0 014 0z",
  film: "M4 5h16v14H4zM8 5v14M16 5v14M4 9h4M4 15h4M16 9h4M16 15h4",
  wipe: "M4 5h16v14H4zM12 3v18M7 12h2M15 12h2",
  compare: "M4 5h7v14H4zM13 5h7v14h-7z",
};

/**
 * Returns an element with its properties (`text`, `class`, `on…` for listeners, else attributes) and children; what is
 * null or undefined is left out.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, Prop>} [props]
 * @param {...(Node | null | undefined)} children
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (typeof value === "function") node.addEventListener(key.slice(2), value);
    else if (typeof value === "boolean") node.toggleAttribute(key, value);
    else if (key === "text") node.textContent = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * Returns an element of a drawing.
 * @param {string} tag
 * @param {Record<string, string>} props
 */
export function shape(tag, props) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
  return node;
}

/** @param {IconName} name */
export function icon(name) {
  const svg = shape("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", class: "cs-icon" });
  svg.append(shape("path", { d: PATHS[name] }));
  return svg;
}

/**
 * @typedef {object} ButtonOptions
 * @property {IconName} [name] of its icon
 * @property {string} [shown] text beside the icon
 * @property {string} [kind] further classes
 * @property {boolean} [pressed] where the button is a switch
 * @property {() => unknown} onclick
 */

/**
 * @param {string} label
 * @param {ButtonOptions} options
 */
export function button(label, { name, shown, onclick, kind = "", pressed }) {
  return el(
    "button",
    {
      type: "button",
      class: `cs-button ${kind}`,
      title: label,
      "aria-label": label,
      "aria-pressed": pressed === undefined ? null : String(pressed),
      onclick: () => onclick(),
    },
    name ? icon(name) : null,
    shown ? el("span", { text: shown }) : null,
  );
}

/**
 * @param {string} label
 * @param {Choice[]} options
 * @param {string} value
 * @param {(value: string) => unknown} onchange
 */
export function select(label, options, value, onchange) {
  /** @type {HTMLSelectElement} */
  const node = el("select", { "aria-label": label, title: label, onchange: () => onchange(node.value) });
  setOptions(node, options, value);
  return node;
}

/**
 * Fills a pick list; headings appear only where there are several groups.
 * @param {HTMLSelectElement} node
 * @param {Choice[]} options
 * @param {string} value
 */
export function setOptions(node, options, value) {
  /** @param {Choice} choice */
  const item = ([key, text]) => el("option", { value: key, text });
  const groups = [...new Set(options.map(([, , group]) => group))];
  const entries =
    groups.length < 2
      ? options.map(item)
      : groups.map((label) => el("optgroup", { label }, ...options.filter((one) => one[2] === label).map(item)));
  node.replaceChildren(...entries);
  node.value = value;
}

/**
 * Returns a field for a bound of intensities.
 * @param {string} label
 * @param {() => void} onchange
 */
export function bound(label, onchange) {
  return el("input", { type: "number", step: "any", "aria-label": label, title: label, onchange });
}

/**
 * Returns an intensity as a field shows it: with four digits.
 * @param {number} value
 */
export const digits = (value) => String(Number(value.toPrecision(4)));

/**
 * Writes a line of status.
 * @param {HTMLElement} line
 * @param {string} text
 * @param {boolean} alarm whether it is read out at once
 */
export function announce(line, text, alarm) {
  line.textContent = text;
  line.setAttribute("role", alarm ? "alert" : "status");
  line.classList.toggle("cs-alarm", alarm);
}

/**
 * Returns a row of buttons of which one is pressed.
 * @param {string} label
 * @param {Choice[]} options
 * @param {string} value
 * @param {(value: string) => unknown} onchange
 * @returns {Segmented}
 */
export function segmented(label, options, value, onchange) {
  const group = el("div", { class: "cs-segmented", role: "group", "aria-label": label });
  /** @param {string} current */
  const show = (current) => {
    for (const item of group.children) {
      item.setAttribute("aria-pressed", String(item.getAttribute("data-value") === current));
    }
  };
  for (const [key, text] of options) {
    const choose = () => {
      show(key);
      onchange(key);
    };
    group.append(el("button", { type: "button", "data-value": key, text, onclick: choose }));
  }
  show(value);
  return Object.assign(group, { show });
}

/**
 * @param {Blob} blob
 * @param {string} filename
 */
export function saveBlob(blob, filename) {
  const url = URL.createObjectURL(blob);
  el("a", { href: url, download: filename }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/**
 * Lets files be dropped on an element.
 * @param {HTMLElement} area
 * @param {(files: FileList) => void} take
 */
export function takeDrops(area, take) {
  /** @param {boolean} on */
  const over = (on) => (/** @type {Event} */ event) => {
    event.preventDefault();
    area.classList.toggle("cs-over", on);
  };
  area.addEventListener("dragover", over(true));
  area.addEventListener("dragleave", over(false));
  area.addEventListener("drop", (event) => {
    over(false)(event);
    if (event.dataTransfer?.files.length) take(event.dataTransfer.files);
  });
}
