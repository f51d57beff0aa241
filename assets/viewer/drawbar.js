// The bar of the mask tools: what is set and pressed there, nothing of what it does.

/** @import { Choice } from "./scene.js" */

import { announce, bound, button, digits, el, segmented } from "./dom.js";

/** @type {Choice[]} */
export const TOOLS = [
  ["pen", "Pen"],
  ["erase", "Erase"],
  ["rectangle", "Rectangle"],
  ["ellipse", "Ellipse"],
  ["lasso", "Lasso"],
  ["polygon", "Polygon"],
  ["segment", "Region"],
];
/** @type {Record<string, string>} */
export const ADVICE = {
  pen: "Drag on a slice to mark the lesion. Scroll to move through slices, draw on a few, then fill between them.",
  erase: "Drag over what does not belong to the mask.",
  rectangle: "Drag from corner to corner.",
  ellipse: "Drag from corner to corner.",
  lasso: "Drag around what belongs to the mask.",
  polygon: "Click corner after corner; a double click, the first corner or Enter closes the outline.",
  segment:
    "Point at the lesion to see what is as bright and joined to it; scroll to take in more or less, click to mark.",
};
/** tools with a width */
const BRUSHES = ["pen", "erase"];
const THREE_D = [...BRUSHES, "segment"];

/**
 * @typedef {object} Pressed what the bar reports
 * @property {(tool: string) => void} tool
 * @property {(on: boolean) => void} solid
 * @property {(range: [number, number] | null) => void} keep
 * @property {() => [number, number]} usual the range to begin with
 * @property {Record<"undo" | "redo" | "grow" | "shrink" | "smooth" | "fill" | "clear", () => void>} do
 * @property {() => unknown} propose
 * @property {() => unknown} download
 * @property {() => unknown} save
 * @property {() => void} cancel
 * @property {() => void} discard
 */

export class Drawbar {
  /** @param {Pressed} pressed */
  constructor(pressed) {
    this.pressed = pressed;
    this.tools = segmented("Drawing tool", TOOLS, "pen", pressed.tool);
    const size = this.slider("Pen size in voxels", [1, 25, 5]);
    this.size = size.input;
    this.sizeField = this.field("Size", size);
    const tolerance = this.slider("Tolerance of the region in percent of the window", [1, 60, 12]);
    this.tolerance = tolerance.input;
    this.toleranceField = this.field("Tolerance", tolerance);
    this.solid = this.toggle("Through slices: in three dimensions", "3D", (on) => pressed.solid(on));
    this.keeping = this.toggle("Mark only intensities within bounds", "Keep to", (on) => this.keepTo(on));
    this.low = bound("Mark from intensity", () => this.readBounds());
    this.high = bound("Mark up to intensity", () => this.readBounds());
    this.bounds = el("span", { class: "cs-range", hidden: true }, this.low, el("span", { text: "\u2013" }), this.high);
    this.undo = button("Undo the last step (Ctrl+Z)", { name: "undo", shown: "Undo", onclick: pressed.do.undo });
    this.redo = button("Redo (Ctrl+Shift+Z)", { name: "redo", shown: "Redo", onclick: pressed.do.redo });
    this.proposal = button("Propose a mask from the scan, to accept or correct", {
      name: "propose",
      shown: "Propose",
      onclick: pressed.propose,
    });
    this.volume = el("span", { class: "cs-volume", text: "0.0 ml" });
    this.use = button("Use this mask", {
      name: "check",
      shown: "Use this mask",
      kind: "cs-primary",
      onclick: pressed.save,
    });
    this.question = el(
      "p",
      { class: "cs-question", role: "alert", hidden: true },
      el("span", { text: "Throw this drawing away? It was not used as the mask." }),
      button("Throw the drawing away", { shown: "Throw away", onclick: pressed.discard }),
      button("Go on drawing", { shown: "Go on drawing", onclick: () => this.ask(false) }),
    );
    this.notice = el("p", { class: "cs-notice", role: "status" });
    this.root = this.build();
  }

  build() {
    const { pressed } = this;
    const edit = el(
      "span",
      { class: "cs-cluster" },
      this.proposal,
      this.undo,
      this.redo,
      button("Fill between the drawn slices", { name: "fill", shown: "Fill between slices", onclick: pressed.do.fill }),
      button("Grow the mask by one voxel", { name: "grow", onclick: pressed.do.grow }),
      button("Shrink the mask by one voxel", { name: "shrink", onclick: pressed.do.shrink }),
      button("Smooth the mask", { name: "smooth", onclick: pressed.do.smooth }),
      button("Clear the drawing", { name: "clear", onclick: pressed.do.clear }),
      button("Download the drawn mask", { name: "download", onclick: pressed.download }),
    );
    return el(
      "div",
      { class: "cs-drawbar", role: "toolbar", "aria-label": "Mask drawing", hidden: true },
      this.tools,
      this.sizeField,
      this.toleranceField,
      this.solid,
      this.keeping,
      this.bounds,
      edit,
      el(
        "span",
        { class: "cs-actions" },
        this.volume,
        this.use,
        button("Leave drawing without using the mask", { shown: "Cancel", onclick: pressed.cancel }),
      ),
      this.question,
      this.notice,
    );
  }

  /**
   * @param {string} label
   * @param {[least: number, most: number, usual: number]} range
   */
  slider(label, [least, most, usual]) {
    const output = el("output", { text: String(usual) });
    /** @type {HTMLInputElement} */
    const input = el("input", {
      type: "range",
      min: String(least),
      max: String(most),
      step: "1",
      value: String(usual),
      "aria-label": label,
      oninput: () => output.replaceChildren(input.value),
    });
    return { input, output };
  }

  /**
   * @param {string} text
   * @param {{ input: HTMLElement, output: HTMLElement }} parts
   */
  field(text, { input, output }) {
    return el("label", { class: "cs-field" }, el("span", { text }), input, output);
  }

  /**
   * @param {string} label
   * @param {string} shown
   * @param {(on: boolean) => void} onswitch
   */
  toggle(label, shown, onswitch) {
    const made = button(label, {
      shown,
      pressed: false,
      onclick: () => {
        const on = made.getAttribute("aria-pressed") !== "true";
        made.setAttribute("aria-pressed", String(on));
        onswitch(on);
      },
    });
    return made;
  }

  /** @param {boolean} on */
  keepTo(on) {
    this.bounds.hidden = !on;
    if (on) {
      const [low, high] = this.pressed.usual();
      this.low.value = digits(low);
      this.high.value = digits(high);
    }
    this.readBounds();
  }

  readBounds() {
    const [low, high] = [Number(this.low.value), Number(this.high.value)];
    this.pressed.keep(this.bounds.hidden ? null : [Math.min(low, high), Math.max(low, high)]);
  }

  /** @param {string} tool */
  showTool(tool) {
    this.tools.show(tool);
    this.sizeField.hidden = !BRUSHES.includes(tool);
    this.toleranceField.hidden = tool !== "segment";
    this.solid.hidden = !THREE_D.includes(tool);
  }

  /**
   * Moves the slider of a tool.
   * @param {string} tool
   * @param {number} by
   */
  turn(tool, by) {
    const slider = tool === "segment" ? this.tolerance : this.size;
    slider.value = String(Number(slider.value) + by);
    slider.dispatchEvent(new Event("input"));
  }

  /**
   * @param {number} voxels
   * @param {number} millilitres
   */
  count(voxels, millilitres) {
    this.volume.textContent = `${millilitres.toFixed(1)} ml`;
    this.volume.title = `${voxels} voxels`;
    this.use.disabled = voxels === 0;
    this.use.title = voxels ? "Use this mask" : "Draw something first";
  }

  /** @param {boolean} on whether to ask before the drawing is thrown away */
  ask(on) {
    this.question.hidden = !on;
    if (on) this.question.querySelector("button")?.focus();
  }

  /**
   * @param {string} text
   * @param {boolean} [alarm]
   */
  notify(text, alarm = false) {
    announce(this.notice, text, alarm);
  }
}
