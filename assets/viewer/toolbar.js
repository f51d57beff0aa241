// Display controls: none of them sends the server anything.

/** @import { Choice } from "./scene.js" */
/** @import { Viewer } from "./viewer.js" */
/** @import { Range } from "./windows.js" */

import { MAPS } from "./colormaps.js";
import { bound, button, digits, el, segmented, select } from "./dom.js";
import { savePicture } from "./picture.js";
import { saveSlice, saveSweep } from "./sweep.js";
import { linkTo, viewOf } from "./views.js";

/** @type {Choice[]} */
const VIEWS = [
  ["3", "Multi"],
  ["0", "Axial"],
  ["1", "Coronal"],
  ["2", "Sagittal"],
  ["4", "3D"],
];
/** @type {Choice[]} */
const EXPORTS = [
  ["", "Save \u2026"],
  ["panels", "All panels (PNG)"],
  ["slice", "Slice of the panel used last (PNG)"],
  ["sweep", "Its slices, moving (GIF)"],
  ["link", "Copy a link to this view"],
];
/** @type {Choice[]} */
const WINDOWS = [
  ["auto", "Auto window"],
  ["full", "Full range"],
  ["bright", "Brighter"],
  ["custom", "Custom"],
];

export class Toolbar {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    const { look } = viewer;
    this.views = segmented("View", VIEWS, "3", (value) => look.setView(Number(value)));
    this.maps = select("Colour map", MAPS, "gray", (name) => look.setColormap(name));
    this.windows = select("Intensity window", WINDOWS, "auto", (name) => this.pickWindow(name));
    this.low = bound("Window from", () => this.readBounds());
    this.high = bound("Window to", () => this.readBounds());
    /** @type {HTMLInputElement} */
    this.opacity = el("input", {
      type: "range",
      min: "0",
      max: "1",
      step: "0.05",
      value: "0.5",
      "aria-label": "Mask opacity",
      oninput: () => look.setOpacity(Number(this.opacity.value)),
    });
    this.sides = button("Radiological convention: the patient's left is on the right", {
      shown: "Radiological",
      pressed: false,
      onclick: () => look.setRadiological(this.sides.getAttribute("aria-pressed") !== "true"),
    });
    this.draw = button("Draw or edit the mask", {
      name: "pen",
      shown: "Draw mask",
      onclick: () => viewer.startDrawing(),
    });
    this.compare = button("Compare images side by side", {
      name: "compare",
      shown: "Compare",
      pressed: false,
      onclick: () => viewer.toggleCompare(),
    });
    this.exports = select("Save a picture or copy a link", EXPORTS, "", (what) => this.save(what));
    this.whose = el("span", { class: "cs-whose", hidden: true });
    this.masks = el("label", { class: "cs-field" }, el("span", { text: "Mask" }), this.opacity);
    this.root = this.build();
  }

  build() {
    const { viewer } = this;
    const actions = el(
      "span",
      { class: "cs-actions" },
      viewer.measuring.toggle,
      viewer.reveal.toggle,
      this.compare,
      this.draw,
      button("Reset the view", { name: "reset", onclick: () => viewer.look.reset() }),
      this.exports,
      button("Full screen", { name: "expand", onclick: () => viewer.fullScreen() }),
      button("Keys (?)", { name: "help", onclick: () => viewer.keys.help() }),
    );
    const range = el("span", { class: "cs-range" }, this.whose, this.low, el("span", { text: "\u2013" }), this.high);
    const props = { class: "cs-toolbar", role: "toolbar", "aria-label": "Viewer" };
    return el("div", props, this.views, this.maps, this.windows, range, this.masks, this.sides, actions);
  }

  /** @param {string} what */
  async save(what) {
    const { viewer } = this;
    this.exports.value = "";
    const { panel } = viewer.look;
    if (what === "panels") savePicture(viewer.grid, viewer.panels);
    if (!panel) return;
    if (what === "slice") saveSlice(panel);
    else if (what === "sweep") viewer.notify(`Saved ${saveSweep(panel)} slices of ${panel.caption}.`);
    else if (what === "link") {
      const address = linkTo(location, viewOf(viewer));
      await navigator.clipboard.writeText(address).then(
        () => viewer.notify("The link is copied. It opens this view again in this browser."),
        () => viewer.notify(address),
      );
    }
  }

  readBounds() {
    const [low, high] = [Number(this.low.value), Number(this.high.value)];
    if (this.low.value === "" || this.high.value === "" || !(high > low)) return;
    this.windows.value = "custom";
    this.viewer.look.setWindow(low, high);
  }

  /** @param {string} name */
  pickWindow(name) {
    if (name === "custom") this.low.focus();
    else this.viewer.look.setWindowPreset(name);
  }

  /**
   * @param {Range} range
   * @param {string} [whose] the image that the two bounds belong to, where there are several windows
   */
  showWindow([low, high], whose = "") {
    this.whose.hidden = !whose;
    this.whose.textContent = whose;
    this.whose.title = `Window of ${whose}`;
    this.low.value = digits(low);
    this.high.value = digits(high);
  }

  /** @param {boolean} on */
  enable(on) {
    for (const node of this.root.querySelectorAll("button, select, input")) node.toggleAttribute("disabled", !on);
    this.root.title = on ? "" : "Load a scan to use these controls";
  }
}
