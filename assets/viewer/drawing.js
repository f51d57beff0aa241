// The mask tools: draw on the input panel, then send the voxels to the server on the scan's own grid.

/** @import { Drafts } from "./drafts.js" */
/** @import { Gestures } from "./gestures.js" */
/** @import { MaskReply } from "./maskfile.js" */
/** @import { Image } from "./niivue.d.ts" */
/** @import { Panel } from "./panel.js" */
/** @import { Hit, Sheet, Tool } from "./tools.js" */

import { ADVICE, Drawbar } from "./drawbar.js";
import { Exchange } from "./exchange.js";
import { intensityOf } from "./grids.js";
import { History } from "./history.js";
import { triple } from "./link.js";
import { axisWithGap, drawnSlices, grow, middleRange, shrink, smooth } from "./regions.js";
import { toolsOn } from "./tools.js";

/**
 * @typedef {object} DrawingHandlers
 * @property {() => Promise<void>} onstart the panels are to be laid out for drawing
 * @property {() => void} onstop
 * @property {(reply: MaskReply) => void} onsaved the server has the mask
 * @property {(url: string) => Promise<Image>} load the mask to go on with
 * @property {(data: ArrayBuffer) => Promise<Image | null>} decode a NIfTI file
 * @property {(mask: Image) => void} aim at a proposal
 */

// NiiVue's slice type across each axis: sagittal, coronal, axial
const SLICE_TYPES = [2, 1, 0];
const OPACITY = 0.55;
const KEEP_AFTER_MS = 400;
const RESUMED = "Here is the drawing that you had begun.";

export class Drawing {
  /**
   * @param {Panel} panel
   * @param {Pick<Gestures, "hold">} gestures
   * @param {Pick<Drafts, "get" | "has" | "keep" | "drop">} drafts
   * @param {DrawingHandlers} handlers
   */
  constructor(panel, gestures, drafts, handlers) {
    this.panel = panel;
    this.gestures = gestures;
    this.drafts = drafts;
    this.handlers = handlers;
    this.active = false;
    this.scanId = "";
    this.tool = "pen";
    this.solid = false;
    /** @type {[number, number] | null} */
    this.keep = null;
    this.history = new History(new Uint8Array());
    /** @type {Record<string, Tool>} */
    this.tools = {};
    /** @type {{ scanId: string, history: History } | null} what was left for another tab */
    this.paused = null;
    // whether something would be lost
    this.begun = false;
    // whether the server has it as the mask, and the scene with that mask is on its way
    this.handed = false;
    this.timer = 0;
    this.painting = 0;
    this.exchange = new Exchange(this);
    this.bar = new Drawbar({
      tool: (tool) => this.setTool(tool),
      solid: (on) => {
        this.solid = on;
      },
      keep: (range) => {
        this.keep = range;
      },
      usual: () => {
        const image = this.panel.volumes[0];
        return middleRange(this.bitmap, intensityOf(image)) ?? [image.cal_min, image.cal_max];
      },
      propose: () => this.exchange.propose(),
      do: {
        undo: () => this.step("undo"),
        redo: () => this.step("redo"),
        grow: () => this.edit((bitmap, dims) => grow(bitmap, dims)),
        shrink: () => this.edit((bitmap, dims) => shrink(bitmap, dims)),
        smooth: () => this.edit((bitmap, dims) => smooth(bitmap, dims)),
        clear: () => this.edit((bitmap) => bitmap.fill(0)),
        fill: () => this.fill(),
      },
      download: () => this.exchange.download(),
      save: () => this.exchange.save(),
      cancel: () => this.cancel(),
      discard: () => this.discard(),
    });
    this.root = this.bar.root;
    addEventListener("pagehide", () => this.keepDraft());
  }

  get nv() {
    return this.panel.nv;
  }

  /** The width of the brush, in voxels. */
  get size() {
    return Number(this.bar.size.value);
  }

  /** The voxels drawn on; there are some as soon as drawing was begun. */
  get bitmap() {
    return this.nv.drawBitmap ?? new Uint8Array();
  }

  /** The grid of the drawing. */
  get grid() {
    const { dims, pixDimsRAS } = this.nv.back ?? {};
    if (!dims || !pixDimsRAS) throw new Error("There is no scan to draw on.");
    return { dims: Array.from(dims).slice(1, 4), spacing: Array.from(pixDimsRAS).slice(1, 4) };
  }

  /**
   * @param {string} scanId
   * @param {string} [maskUrl] the mask to go on with, where no drawing was left
   */
  async start(scanId, maskUrl) {
    if (!this.panel.filled) return;
    this.scanId = scanId;
    this.active = true;
    this.handed = false;
    this.root.hidden = false;
    this.bar.ask(false);
    this.root.scrollIntoView({ block: "nearest" });
    await this.handlers.onstart();
    // NiiVue's own pen stays off: every tool is ours, and so are its steps
    this.nv.createEmptyDrawing();
    this.nv.setDrawOpacity(OPACITY);
    const resumed = await this.begin(maskUrl);
    this.begun = resumed;
    this.tools = toolsOn(this.sheet());
    this.setTool(this.tool);
    if (resumed) this.bar.notify(RESUMED);
    this.nv.refreshDrawing(true);
    this.count();
  }

  /**
   * Fills the drawing with what was left of it, or with the mask; returns whether something was left.
   * @param {string} [maskUrl]
   */
  async begin(maskUrl) {
    const { bitmap, paused, scanId } = this;
    const [left, draft] = [paused?.scanId === scanId ? paused : null, await this.drafts.get(scanId, bitmap.length)];
    this.paused = null;
    if (!left && !draft && maskUrl) {
      this.nv.loadDrawing(await this.handlers.load(maskUrl));
      this.bitmap.forEach((value, i, all) => {
        all[i] = value ? 1 : 0;
      });
      this.history = new History(this.bitmap);
      return false;
    }
    this.history = left?.history ?? new History(draft ?? bitmap);
    this.history.revert(bitmap);
    return left !== null || draft !== null;
  }

  /** @returns {Sheet} */
  sheet() {
    const image = this.panel.volumes[0];
    const state = this;
    return {
      grid: this.grid,
      intensity: intensityOf(image),
      get bitmap() {
        return state.bitmap;
      },
      get history() {
        return state.history;
      },
      get size() {
        return state.size;
      },
      get solid() {
        return state.solid;
      },
      get tolerance() {
        return (Number(state.bar.tolerance.value) / 100) * (image.cal_max - image.cal_min);
      },
      get keep() {
        return state.keep;
      },
      show: () => this.show(),
      commit: () => this.commit(),
      widen: (by) => this.bar.turn("segment", by),
    };
  }

  /** Draws what was changed, once a frame. */
  show() {
    if (this.painting) return;
    this.painting = requestAnimationFrame(() => {
      this.painting = 0;
      if (this.active) this.nv.refreshDrawing(true);
    });
  }

  /** Leaves what a tool has begun. */
  release() {
    this.tools[this.tool]?.cancel();
  }

  /** Ends a step. */
  commit() {
    if (this.history.commit(this.bitmap)) {
      this.begun = true;
      this.keepSoon();
    }
    this.show();
    this.count();
  }

  /**
   * Returns whether a drawing was begun on a scan and not thrown away.
   * @param {string} scanId
   */
  waits(scanId) {
    return this.paused?.scanId === scanId || this.drafts.has(scanId);
  }

  /** Leaves the drawing as it is, to be gone on with. */
  pause() {
    if (!this.active) return;
    this.release();
    this.keepDraft();
    if (this.begun) this.paused = { scanId: this.scanId, history: this.history };
    this.stop();
  }

  /** Leaves the drawing; what was drawn is thrown away only after a question. */
  cancel() {
    if (this.begun) this.bar.ask(true);
    else this.discard();
  }

  discard() {
    this.forget();
    this.stop();
  }

  /**
   * Leaves the drawing in sight until the scene that has it as its mask comes.
   * @param {MaskReply} reply
   */
  handOver(reply) {
    this.forget();
    this.handed = true;
    this.bar.notify("The mask is being taken over \u2026");
    this.handlers.onsaved(reply);
  }

  /** Drops what was kept of the drawing. */
  forget() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.begun = false;
    this.drafts.drop(this.scanId);
  }

  stop() {
    if (!this.active) return;
    this.active = false;
    this.root.hidden = true;
    this.gestures.hold(null);
    this.nv.closeDrawing();
    this.handlers.onstop();
  }

  keepSoon() {
    clearTimeout(this.timer);
    this.timer = Number(setTimeout(() => this.keepDraft(), KEEP_AFTER_MS));
  }

  /** Keeps the drawing in the browser, where something was done since it was kept last. */
  keepDraft() {
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = 0;
    this.drafts.keep(this.scanId, this.history.base);
  }

  /** @param {string} tool */
  setTool(tool) {
    this.release();
    this.tool = tool;
    this.bar.showTool(tool);
    this.bar.notify(ADVICE[tool]);
    const held = this.tools[tool];
    if (!held) return;
    /** @param {Hit} hit */
    const follow = (hit) => {
      this.nv.scene.crosshairPos = this.nv.vox2frac(triple(hit.voxel));
      this.nv.createOnLocationChange();
    };
    this.gestures.hold({
      atOnce: held.atOnce,
      begin: (hit) => {
        follow(hit);
        held.begin(hit);
      },
      move: (hit) => {
        follow(hit);
        held.move(hit);
      },
      end: () => held.end(),
      hover: (hit) => held.hover(hit),
      leave: () => held.leave(),
      close: () => held.close(),
      cancel: () => held.cancel(),
      wheel: (by) => held.wheel(by),
    });
  }

  /** @param {"undo" | "redo"} way */
  step(way) {
    this.release();
    if (this.history[way](this.bitmap)) {
      this.keepSoon();
      // what was said of the step is no longer so
      this.bar.notify(way === "undo" ? "Undone." : "Made again.");
    }
    this.show();
    this.count();
  }

  /** @param {(bitmap: Sheet["bitmap"], dims: number[]) => void} change */
  edit(change) {
    this.release();
    change(this.bitmap, this.grid.dims);
    this.commit();
  }

  count() {
    if (!this.active) return;
    const [x, y, z] = this.grid.spacing;
    let voxels = 0;
    const { bitmap } = this;
    for (let i = 0; i < bitmap.length; i++) voxels += bitmap[i];
    this.bar.count(voxels, (voxels * x * y * z) / 1000);
    this.bar.undo.disabled = !this.history.done.length;
    this.bar.redo.disabled = !this.history.undone.length;
  }

  fill() {
    const { dims } = this.grid;
    this.release();
    const found = axisWithGap([0, 1, 2].map((one) => drawnSlices(this.bitmap, dims, one)));
    if (!found) {
      this.bar.notify("Draw on two slices with a gap between them first.");
      return;
    }
    const { axis, slices } = found;
    let filled = 0;
    for (const [i, slice] of slices.slice(1).entries()) {
      const between = slice - slices[i] - 1;
      if (between < 1) continue;
      this.nv.interpolateMaskSlices(slices[i], slice, { sliceType: SLICE_TYPES[axis], useIntensityGuided: false });
      filled += between;
    }
    this.commit();
    this.bar.notify(`Filled ${filled} ${filled === 1 ? "slice" : "slices"}.`);
  }
}
