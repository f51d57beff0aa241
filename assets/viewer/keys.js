// The keys of the viewer, and the sheet that lists them. NiiVue's own stay off: they would change one panel alone.

/** @import { Viewer } from "./viewer.js" */

import { button, el } from "./dom.js";
import { KeyPen } from "./keypen.js";

/**
 * @typedef {object} Key
 * @property {string} keys as the sheet shows them
 * @property {string[]} on names of the keys that do it, Ctrl+ before those with Control or Command
 * @property {string} text
 * @property {"Looking" | "Drawing"} group
 * @property {(viewer: Viewer, key: string, pen: KeyPen) => unknown} run
 */

const FIELDS = "textarea, select, input:not([type=radio], [type=checkbox], [type=range], [type=file])";
const CONTROLS = "button, a, summary, input, [role=tab], [role=button]";
// keys that a control which has the focus needs itself
const OF_CONTROLS = [" ", "Enter", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown"];
const VIEWS = ["3", "0", "1", "2", "4"];
const ZOOM = 1.25;
// the axes that arrows and page keys move along, by NiiVue's slice type
const MOVES = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 2, 0],
];
/** @type {Record<string, [way: number, step: number]>} */
const ARROWS = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowDown: [1, -1],
  ArrowUp: [1, 1],
  PageDown: [2, -1],
  PageUp: [2, 1],
};
/** @type {Record<string, string>} */
const TOOL_KEYS = { b: "pen", e: "erase", r: "rectangle", o: "ellipse", l: "lasso", p: "polygon", g: "segment" };

/**
 * Returns what is drawn or measured with in the panel that was used last; null where it is neither.
 * @param {Viewer} viewer
 */
function held(viewer) {
  const { panel } = viewer.look;
  const handler = panel && viewer.gestures[viewer.panels.indexOf(panel)].handler;
  return handler ? { handler, panel } : null;
}

/**
 * Returns the axes that the keys move along in a view.
 * @param {number} view
 */
const movesOf = (view) => MOVES[view] ?? MOVES[0];

/**
 * @param {Viewer} viewer
 * @param {string} key
 * @param {KeyPen} pen
 */
function move(viewer, key, pen) {
  const { look, drawing } = viewer;
  const { panel } = look;
  if (!panel) return;
  const [way, step] = ARROWS[key];
  const axes = movesOf(look.view);
  const by = [0, 0, 0];
  by[axes[way]] = step;
  panel.nv.moveCrosshairInVox(by[0], by[1], by[2]);
  if (!drawing.active) viewer.follow(panel);
  pen.follow(axes[2]);
}

/**
 * @param {Viewer} viewer
 * @param {number} by
 */
function zoom({ look, live }, by) {
  const [panel] = live;
  if (!panel) return;
  look.zoomBy(panel, by);
}

/** @type {Key[]} */
const KEYS = [
  {
    keys: "\u2190 \u2192 \u2191 \u2193",
    on: Object.keys(ARROWS).slice(0, 4),
    text: "move the crosshair",
    group: "Looking",
    run: move,
  },
  {
    keys: "Page \u2191, Page \u2193",
    on: ["PageUp", "PageDown"],
    text: "next and previous slice",
    group: "Looking",
    run: move,
  },
  {
    keys: "1 to 5",
    on: ["1", "2", "3", "4", "5"],
    text: "all planes, axial, coronal, sagittal, 3D",
    group: "Looking",
    run: ({ look, toolbar }, key) => {
      const view = VIEWS[Number(key) - 1];
      toolbar.views.show(view);
      look.setView(Number(view));
    },
  },
  {
    keys: "+ \u2212",
    on: ["+", "=", "-"],
    text: "zoom",
    group: "Looking",
    run: (viewer, key) => zoom(viewer, key === "-" ? 1 / ZOOM : ZOOM),
  },
  { keys: "0", on: ["0"], text: "reset view and window", group: "Looking", run: ({ look }) => look.reset() },
  {
    keys: "C",
    on: ["c"],
    text: "compare side by side",
    group: "Looking",
    run: ({ toolbar }) => toolbar.compare.click(),
  },
  {
    keys: "W",
    on: ["w"],
    text: "wipe between input and result",
    group: "Looking",
    run: ({ reveal }) => reveal.set(!reveal.on),
  },
  {
    keys: "F",
    on: ["f"],
    text: "flicker: flip between input and result",
    group: "Looking",
    run: ({ reveal }) => reveal.flip(),
  },
  { keys: "M", on: ["m"], text: "measure", group: "Looking", run: ({ measuring }) => measuring.set(!measuring.on) },
  { keys: "D", on: ["d"], text: "draw or edit the mask", group: "Drawing", run: ({ toolbar }) => toolbar.draw.click() },
  {
    keys: "B E R O L P G",
    on: Object.keys(TOOL_KEYS),
    text: "pen, erase, rectangle, ellipse, lasso, polygon, region",
    group: "Drawing",
    run: ({ drawing }, key) => drawing.setTool(TOOL_KEYS[key]),
  },
  {
    keys: "[ ]",
    on: ["[", "]"],
    text: "smaller and larger pen, or tolerance",
    group: "Drawing",
    run: ({ drawing }, key) => drawing.bar.turn(drawing.tool, key === "]" ? 1 : -1),
  },
  {
    keys: "Space",
    on: [" "],
    text: "press the tool down at the crosshair, and let it go",
    group: "Drawing",
    run: ({ look }, _key, pen) => pen.press(movesOf(look.view)[2]),
  },
  {
    keys: "Enter",
    on: ["Enter"],
    text: "close the polygon",
    group: "Drawing",
    run: ({ drawing }) => drawing.tools[drawing.tool]?.close(),
  },
  {
    keys: "Esc",
    on: ["Escape"],
    text: "leave what was begun",
    group: "Drawing",
    run: (_viewer, _key, pen) => pen.release(),
  },
  { keys: "Ctrl+Z", on: ["Ctrl+z"], text: "undo", group: "Drawing", run: ({ drawing }) => drawing.step("undo") },
  {
    keys: "Ctrl+Shift+Z, Ctrl+Y",
    on: ["Ctrl+Z", "Ctrl+y"],
    text: "redo",
    group: "Drawing",
    run: ({ drawing }) => drawing.step("redo"),
  },
];
// what is only done while a mask is drawn
const WHILE_DRAWING = (/** @type {Key} */ one) => one.group === "Drawing" && !STARTS.includes(one.on[0]);
// what serves measuring too
const STARTS = ["d", "m", " ", "Escape"];
const HELP = [
  ["Shift+drag, right drag", "move the view; set the window by what a box encloses"],
  ["Ctrl+wheel, two fingers", "zoom about the pointer; two fingers move the view too"],
  ["Alt while drawing", "take away instead of marking"],
  ["?", "show this sheet"],
];

export class Keys {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.pen = new KeyPen(() => held(viewer));
    this.sheet = this.build();
    viewer.root.append(this.sheet);
    document.addEventListener("keydown", (event) => this.press(event), true);
    viewer.root.addEventListener("keyup", (event) => this.shield(event), true);
  }

  build() {
    const row = (/** @type {string} */ keys, /** @type {string} */ text) =>
      el("div", {}, el("dt", {}, el("kbd", { text: keys })), el("dd", { text }));
    const groups = ["Looking", "Drawing"].map((group) =>
      el(
        "section",
        {},
        el("h3", { text: group }),
        el("dl", {}, ...KEYS.filter((one) => one.group === group).map((one) => row(one.keys, one.text))),
      ),
    );
    groups.push(
      el("section", {}, el("h3", { text: "Pointer" }), el("dl", {}, ...HELP.map(([keys, text]) => row(keys, text)))),
    );
    const close = button("Close the list of keys", { shown: "Close", onclick: () => this.sheet.close() });
    return el("dialog", { class: "cs-keys", "aria-label": "Keys of the viewer" }, ...groups, close);
  }

  help() {
    if (this.sheet.open) this.sheet.close();
    else this.sheet.showModal();
  }

  /**
   * Keeps a key from NiiVue.
   * @param {Event} event
   */
  shield(event) {
    if (event.target instanceof HTMLCanvasElement) event.stopPropagation();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const { root, live } = this.viewer;
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    if (root.contains(target)) this.shield(event);
    if (event.altKey || event.isComposing || target.matches(FIELDS)) return;
    if (document.querySelector("dialog[open]") || root.checkVisibility?.() === false) return;
    const letter = event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase();
    const key = event.ctrlKey || event.metaKey ? `Ctrl+${letter}` : event.key;
    if (key === "?") this.help();
    else if (!live.length || !this.act(key, target)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * Returns whether the key was one of ours.
   * @param {string} key
   * @param {HTMLElement} target
   */
  act(key, target) {
    const { root, drawing } = this.viewer;
    if (!root.contains(target) && target !== document.body && !key.startsWith("Ctrl+")) return false;
    if (target.matches(CONTROLS) && OF_CONTROLS.includes(key)) return false;
    if ([" ", "Escape"].includes(key) && !held(this.viewer)) return false;
    const found = KEYS.find((one) => one.on.includes(key.length === 1 ? key.toLowerCase() : key));
    if (!found || (WHILE_DRAWING(found) && !drawing.active)) return false;
    found.run(this.viewer, key.length === 1 ? key.toLowerCase() : key, this.pen);
    return true;
  }
}
