// The pen of a question that is answered by drawing: what was marked, and what it was before each stroke.

/** @import { Panel } from "../viewer/panel.js" */
/** @import { Mark } from "./rating-json.d.ts" */

import { fill, sameMark, toRuns } from "./marks.js";

const REMEMBERED = 30;
const FREEHAND = 0;

export class Pen {
  /**
   * @param {HTMLElement} grid the element around the panels
   * @param {(mark: Mark | null) => void} onmark the mark is another one
   */
  constructor(grid, onmark) {
    this.grid = grid;
    this.onmark = onmark;
    /** @type {Panel[]} */
    this.panels = [];
    /** @type {Mark | null} */
    this.mark = null;
    /** @type {(Mark | null)[]} */
    this.history = [];
  }

  /**
   * Shows a mark on panels, ready to be changed.
   * @param {Panel[]} panels
   * @param {Mark | null} mark
   */
  open(panels, mark) {
    this.panels = panels;
    this.history = [];
    this.mark = mark;
    for (const { nv } of panels) {
      // the drawing is made when it is enabled for the first time
      nv.setDrawingEnabled(true);
      nv.setPenValue(1, false);
      nv.opts.penType = FREEHAND;
      nv.setDrawingEnabled(false);
    }
    this.paint();
  }

  close() {
    this.hold(false);
    for (const { nv } of this.panels) nv.closeDrawing();
    this.panels = [];
    this.history = [];
    this.mark = null;
  }

  /**
   * @param {boolean} on
   * @param {number} [size] in voxels
   */
  hold(on, size = 0) {
    for (const { nv } of this.panels) {
      nv.setDrawingEnabled(on);
      if (size) nv.opts.penSize = size;
    }
    this.grid.classList.toggle("rate-penned", on);
  }

  /** @param {Panel | null} [except] the panel that shows the mark already */
  paint(except = null) {
    for (const panel of this.panels) {
      const { drawBitmap } = panel.nv;
      if (panel === except || !drawBitmap) continue;
      fill(drawBitmap, this.mark, panel.volumes[0]);
      panel.nv.refreshDrawing(true);
    }
  }

  /**
   * Takes over what was drawn in a panel, after a stroke.
   * @param {Panel} panel
   */
  collect(panel) {
    if (!this.panels.includes(panel)) return;
    const { drawBitmap, opts } = panel.nv;
    if (!drawBitmap || !opts.drawingEnabled) return;
    const mark = toRuns(drawBitmap, panel.volumes[0]);
    if (sameMark(mark, this.mark)) return;
    this.remember(mark);
    this.paint(panel);
  }

  /** @param {Mark | null} mark */
  remember(mark) {
    this.history = [...this.history.slice(1 - REMEMBERED), this.mark];
    this.mark = mark;
    this.onmark(mark);
  }

  undo() {
    const before = this.history.pop();
    if (before === undefined) return;
    this.mark = before;
    this.paint();
    this.onmark(before);
  }

  clear() {
    if (!this.mark) return;
    this.remember(null);
    this.paint();
  }
}
