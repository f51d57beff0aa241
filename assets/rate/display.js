// One or two linked panels, the slices that were seen in them, and the pen. Whatever happens to A happens to B.

import { button, el, segmented } from "../viewer/dom.js";
import { goTo, link, where } from "../viewer/link.js";
import { Panel } from "../viewer/panel.js";
import { unchanged } from "./images.js";
import { fill, sameMark, toRuns } from "./marks.js";
import { loadLibrary } from "../viewer/volumes.js";

const VIEWS = [
  ["3", "Multi"],
  ["0", "Axial"],
  ["1", "Coronal"],
  ["2", "Sagittal"],
];
export const AXES = ["axial", "coronal", "sagittal"];
const MULTI = 3;
const SIDES = ["A", "B"];
const WINDOWING = 9;
const CROSSHAIR_PX = 1.6;
const ZOOMS = [1, 1.5, 2, 3, 4];
const REMEMBERED = 30;

// NiiVue's axis of an axial, coronal or sagittal slice
const axisOf = (view) => 2 - (view === MULTI ? 0 : view);
const drawn = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

export class View {
  constructor({ onmark, onlost }) {
    this.onmark = onmark;
    this.view = MULTI;
    this.live = [];
    this.seen = AXES.map(() => new Set());
    this.history = [];
    this.mark = null;
    this.panels = SIDES.map((side) => new Panel(side, side, ""));
    this.views = segmented("Slices", VIEWS, String(this.view), (view) => this.setView(Number(view)));
    this.flips = segmented(
      "Image shown",
      SIDES.map((side) => [side, side]),
      "A",
      (side) => this.turnTo(side),
    );
    this.slice = el("input", {
      type: "range",
      min: "1",
      step: "1",
      oninput: () => this.goToSlice(Number(this.slice.value) - 1),
    });
    this.sliceText = el("output", {});
    this.toolbar = el(
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
    this.grid = el("div", { class: "cs-grid" }, ...this.panels.map((panel) => panel.root));
    this.root = el(
      "div",
      { class: "cs-viewer rate-viewer", role: "region", "aria-label": "Images" },
      this.toolbar,
      this.grid,
    );
    this.root.counterscan = this;
    addEventListener("resize", () => requestAnimationFrame(() => this.thin()));
    for (const panel of this.panels) this.prepare(panel, onlost);
  }

  prepare(panel, onlost) {
    panel.badge.remove();
    panel.placeholder.replaceChildren();
    panel.canvas.addEventListener("webglcontextlost", onlost);
    // NiiVue links panels by who has the focus, and its own listeners take the browser's way of giving it
    panel.stage.addEventListener("pointerdown", () => panel.canvas.focus({ preventScroll: true }), true);
    for (const name of ["mouseup", "mouseleave", "touchend", "touchcancel"]) {
      panel.stage.addEventListener(name, () => setTimeout(() => this.collect(panel)));
    }
  }

  async start() {
    this.library = await loadLibrary("/ui/niivue.js");
  }

  async attach(panel) {
    if (panel.nv) return;
    await panel.attach(this.library);
    panel.nv.opts.dragMode = WINDOWING;
    panel.nv.opts.crosshairWidthUnit = "mm";
    panel.nv.setDrawOpacity(0.55);
    const { onLocationChange } = panel.nv;
    panel.nv.onLocationChange = (place) => {
      onLocationChange(place);
      this.note(panel);
    };
  }

  // resolves when all images are on the screen
  async show(images, { toggle, seen, mark, marking, at }) {
    this.at = at;
    const two = images.length > 1;
    this.grid.classList.add("rate-drawing");
    this.live = [];
    this.pen(false);
    this.panels[1].root.hidden = !two;
    this.root.classList.toggle("cs-two", two && !toggle);
    this.root.classList.toggle("rate-stacked", two && toggle);
    this.flips.hidden = !(two && toggle);
    this.toggles = two && toggle;
    const live = this.panels.slice(0, images.length);
    this.panels[0].name(two ? "A" : "Image");
    for (const [i, panel] of live.entries()) {
      await this.attach(panel);
      panel.nv.closeDrawing();
      unchanged(images[i]);
      await panel.show(this.library, [images[i]], {});
    }
    for (const panel of this.panels.slice(images.length)) panel.clear();
    link(live.map((panel) => panel.nv));
    for (const { nv } of live) Object.assign(nv.syncOpts, { cal_min: true, cal_max: true });
    this.seen = AXES.map((axis) => new Set(seen?.[axis] ?? []));
    this.live = live;
    this.turnTo("A");
    this.reset();
    this.openDrawing(marking, mark);
    await drawn();
    this.grid.classList.remove("rate-drawing");
  }

  get first() {
    return this.live[0]?.nv;
  }

  each(work) {
    for (const { nv } of this.live) {
      work(nv);
      nv.drawScene();
    }
  }

  // equally thin whatever the voxels, the zoom and the screen
  thin() {
    const [slice] = this.first?.screenSlices ?? [];
    if (!slice?.fovMM?.length || !slice.leftTopWidthHeight[2]) return;
    const width = (CROSSHAIR_PX * this.first.uiData.dpr * slice.fovMM[0]) / slice.leftTopWidthHeight[2];
    for (const { nv } of this.live) nv.setCrosshairWidth(width);
  }

  // the panel whose crosshair was moved by us, then the others
  follow() {
    for (const { nv } of this.live) {
      if (nv !== this.first) goTo(nv, where(this.first));
      nv.drawScene();
      nv.createOnLocationChange();
    }
  }

  reset() {
    if (!this.first) return;
    this.each((nv) => {
      nv.opts.sliceType = this.view;
      nv.scene.crosshairPos = nv.vox2frac(
        this.at ?? nv.volumes[0].dimsRAS.slice(1, 4).map((size) => Math.floor(size / 2)),
      );
      nv.scene.pan2Dxyzmm = [0, 0, 0, 1];
      unchanged(nv.volumes[0]);
      nv.updateGLVolume();
    });
    this.thin();
    this.follow();
  }

  setView(view) {
    this.view = view;
    this.views.show(String(view));
    this.each((nv) => nv.setSliceType(view));
    this.thin();
    this.first?.createOnLocationChange();
  }

  turnTo(side) {
    this.side = side;
    this.flips.show(side);
    for (const panel of this.panels)
      panel.root.classList.toggle("rate-behind", Boolean(this.toggles) && panel.id !== side);
  }

  flip() {
    this.turnTo(this.side === "A" ? "B" : "A");
  }

  step(by) {
    if (!this.first) return;
    const move = [0, 0, 0];
    move[axisOf(this.view)] = by;
    this.first.moveCrosshairInVox(...move);
    this.follow();
  }

  goToSlice(index) {
    if (this.first) this.step(index - this.voxel(this.first)[axisOf(this.view)]);
  }

  voxel(nv) {
    return nv.frac2vox(nv.scene.crosshairPos);
  }

  // around the crosshair, which keeps its place on the screen
  zoomBy(by) {
    if (!this.first) return;
    const now = ZOOMS.findIndex((zoom) => zoom >= this.first.scene.pan2Dxyzmm[3] - 1e-3);
    const zoom = ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, now + by))];
    const { mm } = where(this.first);
    this.each((nv) => {
      nv.scene.pan2Dxyzmm = [...mm.map((value) => (1 - zoom) * value), zoom];
    });
    this.thin();
  }

  note(panel) {
    if (!this.live.includes(panel)) return;
    const place = this.voxel(panel.nv);
    for (const i of AXES.keys()) if (this.view === MULTI || this.view === i) this.seen[i].add(place[2 - i]);
    const axis = axisOf(this.view);
    const count = panel.nv.volumes[0].dimsRAS[axis + 1];
    const name = AXES[2 - axis];
    this.slice.max = String(count);
    this.slice.value = String(place[axis] + 1);
    this.slice.setAttribute("aria-label", `${name[0].toUpperCase()}${name.slice(1)} slice`);
    this.sliceText.textContent = `${place[axis] + 1}/${count}`;
  }

  // axis -> the slices seen
  get visited() {
    return Object.fromEntries(AXES.map((axis, i) => [axis, [...this.seen[i]].sort((a, b) => a - b)]));
  }

  openDrawing(marking, mark) {
    this.history = [];
    this.mark = mark ?? null;
    if (!marking) return;
    for (const { nv } of this.live) {
      nv.setDrawingEnabled(true);
      nv.setPenValue(1, false);
      nv.opts.penType = 0;
      nv.setDrawingEnabled(false);
    }
    this.paint();
  }

  pen(on, size = 0) {
    for (const { nv } of this.live) {
      nv.setDrawingEnabled(on);
      if (size) nv.opts.penSize = size;
    }
    this.grid.classList.toggle("rate-penned", on);
  }

  paint(except = null) {
    for (const panel of this.live) {
      if (panel === except || !panel.nv.drawBitmap) continue;
      fill(panel.nv.drawBitmap, this.mark, panel.nv.volumes[0]);
      panel.nv.refreshDrawing(true);
    }
  }

  // after a stroke
  collect(panel) {
    if (!panel.nv?.drawBitmap || !panel.nv.opts.drawingEnabled) return;
    const mark = toRuns(panel.nv.drawBitmap, panel.nv.volumes[0]);
    if (sameMark(mark, this.mark)) return;
    this.remember(mark);
    this.paint(panel);
  }

  remember(mark) {
    this.history = [...this.history.slice(1 - REMEMBERED), this.mark];
    this.mark = mark;
    this.onmark(mark);
  }

  undo() {
    if (!this.history.length) return;
    this.mark = this.history.pop();
    this.paint();
    this.onmark(this.mark);
  }

  clear() {
    if (!this.mark) return;
    this.remember(null);
    this.paint();
  }
}
