// The measuring tools: what is drawn on one panel is measured in all of them.

/** @import { Panel } from "./panel.js" */
/** @import { Handler } from "./gestures.js" */
/** @import { Choice } from "./scene.js" */
/** @import { Hit } from "./tools.js" */
/** @import { Viewer } from "./viewer.js" */

import { chart } from "./chart.js";
import { button, digits, el, segmented, shape } from "./dom.js";
import { intensityOf } from "./grids.js";
import { triple } from "./link.js";
import { angle, between, distance, profile, statistics } from "./measures.js";
import { screenAt } from "./place.js";
import { polygon, voxelAt } from "./strokes.js";

/** @typedef {"ruler" | "angle" | "region" | "profile"} Kind */
/** @typedef {{ kind: Kind, axis: number, points: number[][], done: boolean }} Mark points: mm (RAS+) */

/** @type {Choice[]} */
const KINDS = [
  ["ruler", "Ruler"],
  ["angle", "Angle"],
  ["region", "Region"],
  ["profile", "Profile"],
];
/** @type {Record<Kind, string>} */
const ADVICE = {
  ruler: "Drag from point to point.",
  angle: "Click three points; the angle is that at the second.",
  region: "Drag around a region of a slice.",
  profile: "Drag a line: the intensities along it, in every panel.",
};
/** @type {Kind[]} kinds that give more than a line of words */
const DETAILED = ["region", "profile"];
const CORNERS = 3;
// a slice shows the marks that lie within half a voxel of it
const NEAR = 0.5 + 1e-3;
const written = (/** @type {number} */ value) => digits(value).replace("-", "\u2212");

export class Measuring {
  /** @param {Pick<Viewer, "root" | "panels" | "gestures" | "live" | "drawing" | "refresh">} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.on = false;
    /** @type {Kind} */
    this.kind = "ruler";
    /** @type {Mark[]} */
    this.marks = [];
    this.kinds = segmented("Measuring tool", KINDS, this.kind, (kind) => this.setKind(/** @type {Kind} */ (kind)));
    this.result = el("p", { class: "cs-notice", role: "status" });
    this.details = el("div", { class: "cs-measured", hidden: true });
    this.toggle = button("Measure (M)", {
      name: "ruler",
      shown: "Measure",
      pressed: false,
      onclick: () => this.set(!this.on),
    });
    this.root = el(
      "div",
      { class: "cs-drawbar", role: "toolbar", "aria-label": "Measuring", hidden: true },
      this.kinds,
      button("Clear all measurements", { name: "clear", shown: "Clear", onclick: () => this.clear() }),
      button("Leave measuring", { shown: "Close", onclick: () => this.set(false) }),
      this.result,
    );
    for (const panel of viewer.panels) panel.ondrawn = () => this.paint(panel);
  }

  /** @param {boolean} on */
  set(on) {
    this.on = on && this.viewer.live.length > 0 && !this.viewer.drawing.active;
    this.root.hidden = !this.on;
    this.toggle.setAttribute("aria-pressed", String(this.on));
    for (const [i, gestures] of this.viewer.gestures.entries()) {
      // a drawing has the first panel
      if (i || !this.viewer.drawing.active) gestures.hold(this.on ? this.handler(this.viewer.panels[i]) : null);
    }
    if (this.on) this.setKind(this.kind);
    else {
      this.unfold(false);
      this.clear();
    }
  }

  /** @param {boolean} on whether there is room for more than a line, below the panels */
  unfold(on) {
    this.details.hidden = !on;
    this.viewer.root.classList.toggle("cs-detailed", on);
  }

  /** @param {Kind} kind */
  setKind(kind) {
    this.kind = kind;
    this.kinds.show(kind);
    this.result.textContent = ADVICE[kind];
    // its room is there before its words, so that nothing moves under the hand
    this.unfold(DETAILED.includes(kind));
    this.details.replaceChildren();
    this.marks = this.marks.filter((mark) => mark.done);
    this.repaint();
  }

  clear() {
    this.marks = [];
    this.details.replaceChildren();
    this.result.textContent = this.on ? ADVICE[this.kind] : "";
    this.repaint();
  }

  /** The mark that is being made. */
  get open() {
    const last = this.marks[this.marks.length - 1];
    return last && !last.done ? last : null;
  }

  /**
   * @param {Panel} panel
   * @returns {Handler}
   */
  handler(panel) {
    const place = (/** @type {Hit} */ { frac, voxel }) => {
      const { nv } = panel;
      return Array.from(nv.frac2mm(triple(frac ?? nv.vox2frac(triple(voxel))), 0, true)).slice(0, 3);
    };
    const state = this;
    return {
      get atOnce() {
        return state.kind === "angle";
      },
      begin: (hit) => this.begin(place(hit), hit.axis),
      move: (hit) => this.move(place(hit)),
      end: () => this.end(panel),
      hover: (hit) => {
        if (this.kind === "angle" && this.open) this.move(place(hit));
      },
      leave: () => {},
      close: () => {},
      cancel: () => {
        this.marks = this.marks.filter((mark) => mark.done);
        this.repaint();
      },
      wheel: () => false,
    };
  }

  /**
   * @param {number[]} mm
   * @param {number} axis
   */
  begin(mm, axis) {
    const { open } = this;
    if (open && this.kind === "angle") open.points[open.points.length - 1] = mm;
    else this.marks.push({ kind: this.kind, axis, points: [mm], done: false });
    this.repaint();
  }

  /** @param {number[]} mm */
  move(mm) {
    const { open } = this;
    if (!open) return;
    if (open.kind === "region") open.points.push(mm);
    else if (open.kind === "angle") open.points[open.points.length - 1] = mm;
    else open.points[1] = mm;
    this.repaint();
  }

  /** @param {Panel} panel on which it was drawn */
  end(panel) {
    const { open } = this;
    if (!open) return;
    if (open.kind === "angle" && open.points.length < CORNERS) {
      open.points.push(open.points[open.points.length - 1]);
      return;
    }
    open.done = true;
    if (open.points.length < 2 || (open.kind !== "region" && distance(open.points[0], open.points[1]) === 0)) {
      this.marks.pop();
    } else this.report(open, panel);
    this.repaint();
  }

  /**
   * Shows what was measured, in words.
   * @param {Mark} mark
   * @param {Panel} panel
   */
  report(mark, panel) {
    this.details.replaceChildren();
    const { kind, points } = mark;
    if (kind === "region") this.reportRegion(mark, panel);
    else this.result.textContent = `${KINDS.find(([name]) => name === kind)?.[1]}: ${words(mark)}`;
    if (kind !== "profile") return;
    const curves = this.viewer.live.map((one) => ({
      title: one.caption,
      values: profile(points[0], points[1], sampler(one)),
    }));
    this.details.replaceChildren(chart(curves, words(mark)));
  }

  /**
   * @param {Mark} mark
   * @param {Panel} panel
   */
  reportRegion({ axis, points }, panel) {
    const { nv, volumes } = panel;
    const grid = { dims: volumes[0].dimsRAS.slice(1, 4), spacing: volumes[0].pixDimsRAS.slice(1, 4) };
    const corners = points.map((mm) => Array.from(nv.frac2vox(nv.mm2frac(triple(mm), 0, true))));
    for (const corner of corners) corner[axis] = corners[0][axis];
    /** @type {Set<number>} */
    const places = new Set();
    polygon(grid, axis, corners, (place) => places.add(place));
    const centres = [...places].map((place) =>
      Array.from(nv.frac2mm(nv.vox2frac(triple(voxelAt(grid.dims, place))), 0, true)).slice(0, 3),
    );
    const [x, y, z] = grid.spacing;
    const volume = places.size * x * y * z;
    const area = volume / grid.spacing[axis];
    this.result.textContent = `Region: ${written(area)} mm\u00b2, ${written(volume / 1000)} ml in ${places.size} voxels of one slice`;
    const rows = this.viewer.live.map((one) => {
      const { mean, sd, least, most } = statistics(centres.map(sampler(one)));
      return [
        one.caption,
        ...[mean, sd, least, most].map((value) => (Number.isFinite(value) ? written(value) : "\u2013")),
      ];
    });
    this.details.replaceChildren(table(["", "Mean", "SD", "Least", "Greatest"], rows));
  }

  repaint() {
    for (const panel of this.viewer.live) this.paint(panel);
  }

  /**
   * Draws the marks over the slices of a panel that they lie in.
   * @param {Panel} panel
   */
  paint(panel) {
    const { marks: layer, filled } = panel;
    if (!this.marks.length || !filled) {
      layer.replaceChildren();
      return;
    }
    const { nv } = panel;
    const ratio = nv.uiData.dpr ?? 1;
    const { dimsRAS } = panel.volumes[0];
    const shown = this.marks.filter(({ axis, points }) => {
      const apart = nv.mm2frac(triple(points[0]), 0, true)[axis] - nv.scene.crosshairPos[axis];
      return Math.abs(apart) * dimsRAS[axis + 1] <= NEAR;
    });
    layer.setAttribute("viewBox", `0 0 ${panel.canvas.width / ratio} ${panel.canvas.height / ratio}`);
    layer.replaceChildren(
      ...shown.flatMap((mark) => {
        const places = mark.points.map((mm) => screenAt(nv, mm, mark.axis)?.map((one) => one / ratio));
        const known = places.filter((one) => one !== undefined);
        if (known.length !== places.length) return [];
        const [tx, ty] = known[known.length - 1];
        const label = shape("text", { x: String(tx + 8), y: String(ty - 6) });
        label.textContent = mark.kind === "region" ? "" : words(mark);
        const d = `M${known.map((one) => one.map((value) => value.toFixed(1)).join(" ")).join("L")}${mark.kind === "region" ? "Z" : ""}`;
        const ends = mark.kind === "region" ? [] : known;
        return [
          shape("path", { d }),
          ...ends.map(([cx, cy]) => shape("circle", { cx: cx.toFixed(1), cy: cy.toFixed(1), r: "3" })),
          label,
        ];
      }),
    );
  }
}

/**
 * Returns what a mark measures, with its unit.
 * @param {Mark} mark
 */
export function words({ kind, points }) {
  if (kind === "angle") return points.length < CORNERS ? "" : `${angle(points).toFixed(1)}\u00b0`;
  return points.length < 2 ? "" : `${distance(points[0], points[1]).toFixed(1)} mm`;
}

/**
 * Returns how a panel's value is read at a place: that of its map, where it shows one.
 * @param {Panel} panel
 * @returns {(mm: number[]) => number}
 */
function sampler({ nv, volumes, valueAt }) {
  const image = volumes[valueAt] ?? volumes[0];
  const intensity = intensityOf(image);
  const dims = image.dimsRAS.slice(1, 4);
  return (mm) => {
    const frac = nv.mm2frac(triple(mm), valueAt, true);
    return between(
      dims,
      intensity,
      Array.from(frac).map((value, axis) => value * dims[axis] - 0.5),
    );
  };
}

/**
 * @param {string[]} head
 * @param {string[][]} rows
 */
function table(head, rows) {
  const cells = (/** @type {"th" | "td"} */ tag, /** @type {string[]} */ row) => row.map((text) => el(tag, { text }));
  return el(
    "table",
    { class: "cs-table" },
    el("thead", {}, el("tr", {}, ...cells("th", head))),
    el(
      "tbody",
      {},
      ...rows.map(([first, ...others]) =>
        el("tr", {}, el("th", { text: first, scope: "row" }), ...cells("td", others)),
      ),
    ),
  );
}
