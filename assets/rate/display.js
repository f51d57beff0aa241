// One or two linked panels and the slices that were seen in them. Whatever happens to A happens to B.

/** @import { Niivue } from "@niivue/niivue" */
/** @import { Image, Library } from "../viewer/niivue.d.ts" */
/** @import { Choice } from "../viewer/scene.js" */
/** @import { Mark } from "./rating-json.d.ts" */

import { button, el, segmented } from "../viewer/dom.js";
import { loadLibrary } from "../viewer/graphics.js";
import { goTo, link, triple, where } from "../viewer/link.js";
import { Panel } from "../viewer/panel.js";
import { resetWindow } from "./images.js";
import { Pen } from "./pen.js";

/** @typedef {Record<string, number[]>} Slices axis -> the slices seen, sorted */

/**
 * @typedef {object} How what a showing opens with
 * @property {boolean} toggle whether two images take turns in one place
 * @property {Slices} [seen] the slices that were seen before
 * @property {boolean} marking whether a question is answered by drawing
 * @property {Mark | null} mark
 * @property {[number, number, number] | null} at the voxel to look at first
 */

/** @type {Choice[]} */
const VIEWS = [
  ["3", "Multi"],
  ["0", "Axial"],
  ["1", "Coronal"],
  ["2", "Sagittal"],
];
const AXES = ["axial", "coronal", "sagittal"];
const MULTI = 3;
const SIDES = ["A", "B"];
const WINDOWING = 9;
const CROSSHAIR_PX = 1.6;
const ZOOMS = [1, 1.5, 2, 3, 4];
const STROKE_ENDS = ["mouseup", "mouseleave", "touchend", "touchcancel"];

/**
 * Returns NiiVue's axis across the slices of a view.
 * @param {number} view
 */
const axisOf = (view) => 2 - (view === MULTI ? 0 : view);

/** @returns {Promise<number>} when the next frame but one is drawn */
const drawn = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

export class Display {
  /**
   * @param {object} handlers
   * @param {(mark: Mark | null) => void} handlers.onmark
   * @param {() => void} handlers.onlost the browser took back the memory of the images
   */
  constructor({ onmark, onlost }) {
    this.view = MULTI;
    this.side = "A";
    this.toggles = false;
    /** @type {Library | null} */
    this.started = null;
    /** @type {Panel[]} */
    this.live = [];
    /** @type {[number, number, number] | null} */
    this.at = null;
    /** @type {Set<number>[]} the slices seen, by axis */
    this.seen = AXES.map(() => new Set());
    this.panels = SIDES.map((side) => new Panel(side, side, ""));
    this.views = segmented("Slices", VIEWS, String(this.view), (view) => this.setView(Number(view)));
    this.flips = segmented(
      "Image shown",
      SIDES.map((side) => [side, side]),
      "A",
      (side) => this.turnTo(side),
    );
    /** @type {HTMLInputElement} */
    this.slice = el("input", {
      type: "range",
      min: "1",
      step: "1",
      oninput: () => this.goToSlice(Number(this.slice.value) - 1),
    });
    this.sliceText = el("output");
    this.grid = el("div", { class: "cs-grid" }, ...this.panels.map((panel) => panel.root));
    this.pen = new Pen(this.grid, onmark);
    const props = { class: "cs-viewer rate-viewer", role: "region", "aria-label": "Images" };
    this.root = el("div", props, this.toolbar(), this.grid);
    this.root.counterscan = this;
    addEventListener("resize", () => requestAnimationFrame(() => this.thin()));
    for (const panel of this.panels) this.prepare(panel, onlost);
  }

  toolbar() {
    return el(
      "div",
      { class: "cs-toolbar", role: "toolbar", "aria-label": "Viewer" },
      this.flips,
      this.views,
      el("label", { class: "cs-field rate-slice" }, el("span", { text: "Slice" }), this.slice, this.sliceText),
      el(
        "span",
        { class: "cs-actions" },
        button("Zoom out", { shown: "\u2212", onclick: () => this.zoomBy(-1) }),
        button("Zoom in", { shown: "+", onclick: () => this.zoomBy(1) }),
        button("Reset the view", { name: "reset", onclick: () => this.reset() }),
      ),
    );
  }

  /**
   * @param {Panel} panel
   * @param {() => void} onlost
   */
  prepare(panel, onlost) {
    panel.badge.remove();
    panel.placeholder.replaceChildren();
    panel.canvas.addEventListener("webglcontextlost", onlost);
    // NiiVue links panels by who has the focus, and its own listeners take the browser's way of giving it
    panel.stage.addEventListener("pointerdown", () => panel.canvas.focus({ preventScroll: true }), true);
    for (const name of STROKE_ENDS) {
      panel.stage.addEventListener(name, () => setTimeout(() => this.pen.collect(panel)));
    }
  }

  async start() {
    this.started = await loadLibrary("/ui/niivue.js");
  }

  /** NiiVue; nothing is drawn before it is there. */
  get library() {
    if (!this.started) throw new Error("The viewer's library is not loaded yet.");
    return this.started;
  }

  /** @param {Panel} panel */
  async attach(panel) {
    if (panel.viewer) return;
    await panel.attach(this.library);
    const { nv } = panel;
    nv.opts.dragMode = WINDOWING;
    nv.opts.crosshairWidthUnit = "mm";
    nv.setDrawOpacity(0.55);
    const { onLocationChange } = nv;
    nv.onLocationChange = (place) => {
      onLocationChange(place);
      this.note(panel);
    };
  }

  /**
   * Resolves when all images are on the screen.
   * @param {Image[]} images
   * @param {How} how
   */
  async show(images, { toggle, seen, mark, marking, at }) {
    this.at = at;
    this.grid.classList.add("rate-drawing");
    this.pen.close();
    this.live = [];
    this.layout(images.length > 1, toggle);
    const live = this.panels.slice(0, images.length);
    for (const [i, panel] of live.entries()) {
      await this.attach(panel);
      resetWindow(images[i]);
      await panel.show(this.library, [images[i]], { title: panel.id, units: "", synthetic: false });
    }
    for (const panel of this.panels.slice(images.length)) panel.clear();
    link(live.map((panel) => panel.nv));
    for (const { nv } of live) Object.assign(nv.syncOpts, { cal_min: true, cal_max: true });
    this.seen = AXES.map((axis) => new Set(seen?.[axis] ?? []));
    this.live = live;
    this.turnTo("A");
    this.reset();
    if (marking) this.pen.open(live, mark);
    await drawn();
    this.grid.classList.remove("rate-drawing");
  }

  /**
   * @param {boolean} two whether there are two images
   * @param {boolean} toggle
   */
  layout(two, toggle) {
    this.toggles = two && toggle;
    this.panels[1].root.hidden = !two;
    this.root.classList.toggle("cs-two", two && !toggle);
    this.root.classList.toggle("rate-stacked", this.toggles);
    this.flips.hidden = !this.toggles;
    this.panels[0].name(two ? "A" : "Image");
  }

  /** The viewer that the others follow. */
  get first() {
    return this.live[0]?.nv;
  }

  /** @param {(nv: Niivue, image: Image) => void} work */
  each(work) {
    for (const { nv, volumes } of this.live) {
      work(nv, volumes[0]);
      nv.drawScene();
    }
  }

  /** Makes the crosshair equally thin whatever the voxels, the zoom and the screen. */
  thin() {
    const [slice] = this.first?.screenSlices ?? [];
    if (!slice?.fovMM?.length || !slice.leftTopWidthHeight[2]) return;
    const width = (CROSSHAIR_PX * (this.first.uiData.dpr ?? 1) * slice.fovMM[0]) / slice.leftTopWidthHeight[2];
    for (const { nv } of this.live) nv.setCrosshairWidth(width);
  }

  /** Moves all crosshairs to that of the first panel. */
  follow() {
    for (const { nv } of this.live) {
      if (nv !== this.first) goTo(nv, where(this.first));
      nv.drawScene();
      nv.createOnLocationChange();
    }
  }

  reset() {
    this.each((nv, image) => {
      const middle = image.dimsRAS.slice(1, 4).map((size) => Math.floor(size / 2));
      nv.opts.sliceType = this.view;
      nv.scene.crosshairPos = nv.vox2frac(this.at ?? triple(middle));
      nv.scene.pan2Dxyzmm = [0, 0, 0, 1];
      resetWindow(image);
      nv.updateGLVolume();
    });
    this.thin();
    this.follow();
  }

  /** @param {number} view */
  setView(view) {
    this.view = view;
    this.views.show(String(view));
    this.each((nv) => nv.setSliceType(view));
    this.thin();
    this.first?.createOnLocationChange();
  }

  /** @param {string} side */
  turnTo(side) {
    this.side = side;
    this.flips.show(side);
    for (const panel of this.panels) panel.root.classList.toggle("rate-behind", this.toggles && panel.id !== side);
  }

  flip() {
    this.turnTo(this.side === "A" ? "B" : "A");
  }

  /** @param {number} by slices */
  step(by) {
    if (!this.first) return;
    const move = [0, 0, 0];
    move[axisOf(this.view)] = by;
    this.first.moveCrosshairInVox(move[0], move[1], move[2]);
    this.follow();
  }

  /** @param {number} index */
  goToSlice(index) {
    if (this.first) this.step(index - voxel(this.first)[axisOf(this.view)]);
  }

  /**
   * Zooms around the crosshair, which keeps its place on the screen.
   * @param {number} by steps
   */
  zoomBy(by) {
    if (!this.first) return;
    const now = ZOOMS.findIndex((one) => one >= this.first.scene.pan2Dxyzmm[3] - 1e-3);
    const zoom = ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, now + by))];
    const [x, y, z] = where(this.first).mm.map((value) => (1 - zoom) * value);
    this.each((nv) => {
      nv.scene.pan2Dxyzmm = [x, y, z, zoom];
    });
    this.thin();
  }

  /**
   * Notes the slices in which a panel's crosshair is.
   * @param {Panel} panel
   */
  note(panel) {
    if (!this.live.includes(panel)) return;
    const place = voxel(panel.nv);
    for (const i of AXES.keys()) if (this.view === MULTI || this.view === i) this.seen[i].add(place[2 - i]);
    const axis = axisOf(this.view);
    const count = panel.volumes[0].dimsRAS[axis + 1];
    const name = AXES[2 - axis];
    this.slice.max = String(count);
    this.slice.value = String(place[axis] + 1);
    this.slice.setAttribute("aria-label", `${name[0].toUpperCase()}${name.slice(1)} slice`);
    this.sliceText.textContent = `${place[axis] + 1}/${count}`;
  }

  /**
   * The slices seen.
   * @returns {Slices}
   */
  get visited() {
    return Object.fromEntries(AXES.map((axis, i) => [axis, [...this.seen[i]].sort((a, b) => a - b)]));
  }

  /**
   * How many slices were seen along each axis.
   * @returns {Record<string, number>}
   */
  get counted() {
    return Object.fromEntries(AXES.map((axis, i) => [axis, this.seen[i].size]));
  }
}

/**
 * Returns the voxel (RAS) at the crosshair.
 * @param {Niivue} nv
 */
function voxel(nv) {
  return triple(nv.frac2vox(nv.scene.crosshairPos));
}
