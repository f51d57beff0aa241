// Display controls: none of them asks the server for anything.

import { button, el, segmented, select } from "./dom.js";
import { savePicture } from "./picture.js";
import { MAPS } from "./volumes.js";

const VIEWS = [
  ["3", "Multi"],
  ["0", "Axial"],
  ["1", "Coronal"],
  ["2", "Sagittal"],
  ["4", "3D"],
];
const WINDOWS = [
  ["auto", "Auto window"],
  ["full", "Full range"],
  ["bright", "Brighter"],
  ["custom", "Custom"],
];

export class Toolbar {
  constructor(viewer) {
    this.viewer = viewer;
    this.views = segmented("View", VIEWS, "3", (value) => viewer.look.setView(Number(value)));
    this.maps = select("Colour map", MAPS, "gray", (name) => viewer.look.setColormap(name));
    this.windows = select("Intensity window", WINDOWS, "auto", (name) => this.pickWindow(name));
    this.low = this.bound("Window from");
    this.high = this.bound("Window to");
    this.opacity = el("input", {
      type: "range",
      min: "0",
      max: "1",
      step: "0.05",
      value: "0.5",
      "aria-label": "Mask opacity",
      oninput: () => viewer.look.setOpacity(Number(this.opacity.value)),
    });
    this.sides = button("Radiological convention: the patient's left is on the right", {
      shown: "Radiological",
      pressed: false,
      onclick: () => viewer.look.setRadiological(this.sides.getAttribute("aria-pressed") !== "true"),
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
    this.whose = el("span", { class: "cs-whose", hidden: true });
    this.masks = el("label", { class: "cs-field" }, el("span", { text: "Mask" }), this.opacity);
    this.root = el(
      "div",
      { class: "cs-toolbar", role: "toolbar", "aria-label": "Viewer" },
      this.views,
      this.maps,
      this.windows,
      el("span", { class: "cs-range" }, this.whose, this.low, el("span", { text: "\u2013" }), this.high),
      this.masks,
      this.sides,
      el(
        "span",
        { class: "cs-actions" },
        this.compare,
        this.draw,
        button("Reset the view", { name: "reset", onclick: () => viewer.look.reset() }),
        button("Save a screenshot", { name: "camera", onclick: () => savePicture(viewer.grid, viewer.panels) }),
        button("Full screen", { name: "expand", onclick: () => viewer.fullScreen() }),
      ),
    );
  }

  bound(label) {
    return el("input", {
      type: "number",
      step: "any",
      "aria-label": label,
      title: label,
      onchange: () => this.typed(),
    });
  }

  typed() {
    const [low, high] = [Number(this.low.value), Number(this.high.value)];
    if (this.low.value === "" || this.high.value === "" || !(high > low)) return;
    this.windows.value = "custom";
    this.viewer.look.setWindow(low, high);
  }

  pickWindow(name) {
    if (name === "custom") this.low.focus();
    else this.viewer.look.setWindowPreset(name);
  }

  // `whose` names the image that the two bounds belong to, where there are several windows
  showWindow([low, high], whose = "") {
    this.whose.hidden = !whose;
    this.whose.textContent = whose;
    this.whose.title = `Window of ${whose}`;
    const short = (value) => String(Number(value.toPrecision(4)));
    this.low.value = short(low);
    this.high.value = short(high);
  }

  enable(on) {
    for (const node of this.root.querySelectorAll("button, select, input")) node.disabled = !on;
    this.root.title = on ? "" : "Load a scan to use these controls";
  }
}
