// Input and result in one place: a line that wipes between them, and a key that flips from one to the other.

/** @import { Viewer } from "./viewer.js" */

import { button, el } from "./dom.js";

const HALF = 0.5;

export class Reveal {
  /** @param {Pick<Viewer, "root" | "input" | "result" | "scene" | "drawing" | "compare" | "refresh" | "run">} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.on = false;
    /** the part of the width, from the left, that shows the input */
    this.share = HALF;
    /** @type {HTMLInputElement} */
    this.slider = el("input", {
      type: "range",
      min: "0",
      max: "1",
      step: "0.01",
      value: String(HALF),
      class: "cs-wipe",
      "aria-label": "Wipe between the input, on the left, and the result",
      oninput: () => this.wipe(Number(this.slider.value)),
    });
    this.line = el("div", { class: "cs-wipe-line", "aria-hidden": "true" }, el("span", { text: "\u2194" }));
    this.layer = el("div", { class: "cs-reveal", hidden: true }, this.line, this.slider);
    this.toggle = button("Wipe between input and result in one panel (W)", {
      name: "wipe",
      shown: "Wipe",
      pressed: false,
      onclick: () => this.set(!this.on),
    });
    this.line.addEventListener("pointerdown", (event) => this.line.setPointerCapture?.(event.pointerId));
    this.line.addEventListener("pointermove", (event) => this.drag(event));
  }

  /** Whether there is a result to wipe to. */
  get possible() {
    const { scene, drawing } = this.viewer;
    return scene.scan !== null && scene.results.length > 0 && !drawing.active;
  }

  /** @param {boolean} on */
  set(on) {
    if (on && !this.possible) return Promise.resolve();
    this.on = on;
    if (on) this.viewer.compare.active = false;
    return this.viewer.refresh();
  }

  /** Lays the panels over each other, or apart. */
  layout() {
    if (!this.possible || this.viewer.compare.active) this.on = false;
    const { on, viewer } = this;
    viewer.root.classList.toggle("cs-wiping", on);
    this.toggle.setAttribute("aria-pressed", String(on));
    this.layer.hidden = !on;
    if (on) this.wipe(this.share);
    else viewer.result.root.style.clipPath = "";
  }

  /** @param {number} share of the width, from the left, that shows the input */
  wipe(share) {
    this.share = Math.min(1, Math.max(0, share));
    const percent = Math.round(100 * this.share);
    this.slider.value = String(this.share);
    this.slider.setAttribute("aria-valuetext", `${percent} percent input`);
    this.line.style.left = `${percent}%`;
    this.viewer.result.root.style.clipPath = `inset(0 0 0 ${percent}%)`;
  }

  /** Shows all of the input where the result was, or the other way round. */
  async flip() {
    if (!this.possible) return;
    const next = this.on && this.share < HALF ? 1 : 0;
    if (!this.on) await this.set(true);
    this.wipe(next);
  }

  /** @param {PointerEvent} event */
  drag(event) {
    if (!event.buttons) return;
    const area = this.layer.getBoundingClientRect();
    this.wipe((event.clientX - area.left) / Math.max(1, area.width));
  }
}
