// The mask tools: draw on the input panel, then send the voxels to the server on the scan's own grid.

/** @import { Bitmap, Image } from "./niivue.d.ts" */
/** @import { Panel } from "./panel.js" */
/** @import { Choice } from "./scene.js" */

import { button, el, saveBlob, segmented } from "./dom.js";

/** @typedef {{ scan_id: string, token: string, voxels: number, volume_ml: number, warnings: string[] }} MaskReply */

/**
 * @typedef {object} DrawingHandlers
 * @property {() => Promise<void>} onstart the panels are to be laid out for drawing
 * @property {() => void} onstop
 * @property {(reply: MaskReply) => void} onsaved the server has the mask
 * @property {(url: string) => Promise<Image>} load the mask to go on with
 */

/** @type {Choice[]} */
const TOOLS = [
  ["pen", "Pen"],
  ["erase", "Erase"],
  ["rectangle", "Rectangle"],
  ["ellipse", "Ellipse"],
];
/** @type {Record<string, number>} NiiVue's pen types */
const SHAPES = { pen: 0, erase: 0, rectangle: 1, ellipse: 2 };
// NiiVue's slice type across each axis: sagittal, coronal, axial
const SLICE_TYPES = [2, 1, 0];

/**
 * Returns the sorted slices across an axis in which something is drawn.
 * @param {Bitmap} bitmap
 * @param {number[]} dims as NiiVue has them: [_, nx, ny, nz]
 * @param {number} axis 0 to 2
 */
export function drawnSlices(bitmap, [, nx, ny, nz], axis) {
  /** @type {Set<number>} */
  const seen = new Set();
  for (let i = 0; i < bitmap.length; i++) {
    if (bitmap[i]) seen.add([i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny)) % nz][axis]);
  }
  return [...seen].sort((a, b) => a - b);
}

/**
 * Returns the axis to fill along, with its drawn slices: of those with a gap the one with the fewest slices, because it
 * was skipped through; null where there is no gap.
 * @param {number[][]} drawn the drawn slices across each axis
 */
export function axisWithGap(drawn) {
  const gaps = drawn.map((slices) => slices.some((slice, i) => i > 0 && slice - slices[i - 1] > 1));
  const [axis] = [2, 1, 0].filter((one) => gaps[one]).sort((a, b) => drawn[a].length - drawn[b].length);
  return axis === undefined ? null : { axis, slices: drawn[axis] };
}

export class Drawing {
  /**
   * @param {Panel} panel
   * @param {DrawingHandlers} handlers
   */
  constructor(panel, handlers) {
    this.panel = panel;
    this.handlers = handlers;
    this.active = false;
    this.scanId = "";
    this.tools = segmented("Drawing tool", TOOLS, "pen", (tool) => this.setTool(tool));
    /** @type {HTMLInputElement} */
    this.size = el("input", {
      type: "range",
      min: "1",
      max: "25",
      step: "1",
      value: "5",
      "aria-label": "Pen size in voxels",
      oninput: () => this.setSize(Number(this.size.value)),
    });
    this.sizeText = el("output", { text: "5" });
    this.volume = el("span", { class: "cs-volume", text: "0.0 ml" });
    this.use = button("Use this mask", {
      name: "check",
      shown: "Use mask",
      kind: "cs-primary",
      onclick: () => this.save(),
    });
    this.notice = el("p", { class: "cs-notice", role: "status" });
    this.root = this.build();
  }

  build() {
    return el(
      "div",
      { class: "cs-drawbar", role: "toolbar", "aria-label": "Mask drawing", hidden: true },
      this.tools,
      el("label", { class: "cs-field" }, el("span", { text: "Size" }), this.size, this.sizeText),
      button("Undo the last stroke", { name: "undo", shown: "Undo", onclick: () => this.undo() }),
      button("Fill between the drawn slices", {
        name: "fill",
        shown: "Fill between slices",
        onclick: () => this.fill(),
      }),
      button("Clear the drawing", { name: "clear", shown: "Clear", onclick: () => this.clear() }),
      button("Download the drawn mask", { name: "download", shown: "Download", onclick: () => this.download() }),
      this.volume,
      this.use,
      button("Leave drawing without using the mask", { shown: "Cancel", onclick: () => this.stop() }),
      this.notice,
    );
  }

  get nv() {
    return this.panel.nv;
  }

  /** The voxels drawn on; there are some as soon as drawing was enabled. */
  get bitmap() {
    return this.nv.drawBitmap ?? new Uint8Array();
  }

  /** The grid of the drawing. */
  get grid() {
    const { dims, pixDimsRAS } = this.nv.back ?? {};
    if (!dims || !pixDimsRAS) throw new Error("There is no scan to draw on.");
    return { dims, spacing: pixDimsRAS };
  }

  /**
   * @param {string} scanId
   * @param {string} [maskUrl] the mask to go on with
   */
  async start(scanId, maskUrl) {
    if (!this.panel.filled) return;
    this.scanId = scanId;
    this.active = true;
    this.root.hidden = false;
    this.root.scrollIntoView({ block: "nearest" });
    this.notify(
      "Drag on a slice to mark the lesion. Scroll to move through slices, draw on a few, then fill between them.",
    );
    await this.handlers.onstart();
    this.nv.setDrawingEnabled(true);
    this.nv.setDrawOpacity(0.55);
    this.nv.onDrawingChanged = () => this.count();
    if (maskUrl) this.nv.loadDrawing(await this.handlers.load(maskUrl));
    this.setTool("pen");
    this.setSize(Number(this.size.value));
    this.count();
  }

  stop() {
    if (!this.active) return;
    this.active = false;
    this.root.hidden = true;
    this.nv.setDrawingEnabled(false);
    this.nv.closeDrawing();
    this.handlers.onstop();
  }

  /** @param {string} tool */
  setTool(tool) {
    this.nv.opts.penType = SHAPES[tool];
    this.nv.setPenValue(tool === "erase" ? 0 : 1, false);
    this.tools.show(tool);
  }

  /** @param {number} size in voxels */
  setSize(size) {
    this.nv.opts.penSize = size;
    this.sizeText.textContent = String(size);
  }

  undo() {
    this.nv.drawUndo();
    this.count();
  }

  clear() {
    this.bitmap.fill(0);
    this.remember();
  }

  remember() {
    this.nv.drawAddUndoBitmap();
    this.nv.refreshDrawing(true);
    this.count();
  }

  count() {
    if (!this.active) return;
    const [, x, y, z] = this.grid.spacing;
    const voxels = this.bitmap.reduce((sum, value) => sum + (value ? 1 : 0), 0);
    this.volume.textContent = `${((voxels * x * y * z) / 1000).toFixed(1)} ml`;
    this.volume.title = `${voxels} voxels`;
    this.use.disabled = voxels === 0;
    this.use.title = voxels ? "Use this mask" : "Draw something first";
  }

  fill() {
    const { dims } = this.grid;
    const found = axisWithGap([0, 1, 2].map((i) => drawnSlices(this.bitmap, dims, i)));
    if (!found) {
      this.notify("Draw on two slices with a gap between them first.");
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
    this.remember();
    this.notify(`Filled ${filled} slices.`);
  }

  /** Returns the mask as a gzipped NIfTI file. */
  async packed() {
    const bytes = await this.nv.saveImage({ filename: "", isSaveDrawing: true, volumeByIndex: 0 });
    if (!(bytes instanceof Uint8Array)) throw new Error("The drawing could not be written.");
    const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new CompressionStream("gzip"));
    return new Response(stream).blob();
  }

  async download() {
    try {
      saveBlob(await this.packed(), "mask.nii.gz");
    } catch (error) {
      console.warn(error);
      this.notify("The mask could not be made into a file. Press Download again.", true);
    }
  }

  async save() {
    this.use.disabled = true;
    this.notify("Checking the mask \u2026");
    try {
      const answer = await fetch(`/mask/${encodeURIComponent(this.scanId)}`, {
        method: "POST",
        body: await this.packed(),
        headers: { "Content-Type": "application/gzip" },
      });
      const reply = await answer.json();
      if (!answer.ok) {
        this.notify(
          `${reply.message ?? "The mask was refused."} ${reply.hint ?? ""} [${reply.code ?? answer.status}]`,
          true,
        );
        return;
      }
      this.stop();
      this.handlers.onsaved(reply);
    } catch (error) {
      console.warn(error);
      this.notify("The mask could not be sent. Check the connection and press Use mask again. [offline]", true);
    } finally {
      this.use.disabled = false;
    }
  }

  /**
   * @param {string} text
   * @param {boolean} [alarm]
   */
  notify(text, alarm = false) {
    this.notice.textContent = text;
    this.notice.setAttribute("role", alarm ? "alert" : "status");
    this.notice.classList.toggle("cs-alarm", alarm);
  }
}
