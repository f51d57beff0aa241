// The mask tools: draw on the input panel, then hand the voxels to the server on the scan's own grid.

import { button, el, saveBlob, segmented } from "./dom.js";

const TOOLS = [
  ["pen", "Pen"],
  ["erase", "Erase"],
  ["rectangle", "Rectangle"],
  ["ellipse", "Ellipse"],
];
const SHAPES = { pen: 0, erase: 0, rectangle: 1, ellipse: 2 };

export class Drawing {
  constructor(panel, { onstart, onstop, onsaved }) {
    this.panel = panel;
    this.handlers = { onstart, onstop, onsaved };
    this.active = false;
    this.tool = "pen";
    this.tools = segmented("Drawing tool", TOOLS, "pen", (tool) => this.setTool(tool));
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
    this.root = el(
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

  async start(scanId, maskUrl) {
    if (!this.nv?.volumes.length) return;
    this.scanId = scanId;
    this.active = true;
    this.root.hidden = false;
    this.root.scrollIntoView({ block: "nearest" });
    this.say(
      "Drag on a slice to mark the lesion. Scroll to move through slices, draw on a few, then fill between them.",
    );
    await this.handlers.onstart();
    this.nv.setDrawingEnabled(true);
    this.nv.setDrawOpacity(0.55);
    this.nv.onDrawingChanged = () => this.count();
    if (maskUrl) await this.edit(maskUrl);
    this.setTool("pen");
    this.setSize(Number(this.size.value));
    this.count();
  }

  async edit(maskUrl) {
    const image = await this.handlers.onload(maskUrl);
    if (image) this.nv.loadDrawing(image);
  }

  stop() {
    if (!this.active) return;
    this.active = false;
    this.root.hidden = true;
    this.nv.setDrawingEnabled(false);
    this.nv.closeDrawing();
    this.handlers.onstop();
  }

  setTool(tool) {
    this.tool = tool;
    this.nv.opts.penType = SHAPES[tool];
    this.nv.setPenValue(tool === "erase" ? 0 : 1, false);
    this.tools.show(tool);
  }

  setSize(size) {
    this.nv.opts.penSize = size;
    this.sizeText.textContent = String(size);
  }

  undo() {
    this.nv.drawUndo();
    this.count();
  }

  clear() {
    this.nv.drawBitmap.fill(0);
    this.remember();
  }

  remember() {
    this.nv.drawAddUndoBitmap();
    this.nv.refreshDrawing(true);
    this.count();
  }

  voxels() {
    let count = 0;
    for (const value of this.nv.drawBitmap ?? []) if (value) count++;
    return count;
  }

  count() {
    if (!this.active || !this.nv.drawBitmap) return;
    const [, x, y, z] = this.nv.back.pixDimsRAS;
    const voxels = this.voxels();
    this.volume.textContent = `${((voxels * x * y * z) / 1000).toFixed(1)} ml`;
    this.volume.title = `${voxels} voxels`;
    this.use.disabled = voxels === 0;
    this.use.title = voxels ? "Use this mask" : "Draw something first";
  }

  // the axis with the fewest drawn slices is the one that was skipped through
  fill() {
    const drawn = [0, 1, 2].map((axis) => this.slicesAlong(axis));
    const gaps = drawn.map((list) => list.some((slice, i) => i && slice - list[i - 1] > 1));
    const axis = [2, 1, 0].filter((one) => gaps[one]).sort((a, b) => drawn[a].length - drawn[b].length)[0];
    if (axis === undefined) {
      this.say("Draw on two slices with a gap between them first.");
      return;
    }
    const list = drawn[axis];
    const sliceType = { 2: 0, 1: 1, 0: 2 }[axis];
    for (let i = 1; i < list.length; i++) {
      if (list[i] - list[i - 1] > 1) {
        this.nv.interpolateMaskSlices(list[i - 1], list[i], { sliceType, useIntensityGuided: false });
      }
    }
    this.remember();
    this.say(`Filled ${list.at(-1) - list[0] + 1 - list.length} slices.`);
  }

  slicesAlong(axis) {
    const [, nx, ny, nz] = this.nv.back.dims;
    const seen = new Set();
    const bitmap = this.nv.drawBitmap;
    for (let i = 0; i < bitmap.length; i++) {
      if (bitmap[i]) seen.add([i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny)) % nz][axis]);
    }
    return [...seen].sort((a, b) => a - b);
  }

  async packed() {
    const bytes = await this.nv.saveImage({ filename: "", isSaveDrawing: true, volumeByIndex: 0 });
    const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
    return new Response(stream).blob();
  }

  async download() {
    saveBlob(await this.packed(), "mask.nii.gz");
  }

  async save() {
    this.use.disabled = true;
    this.say("Checking the mask \u2026");
    try {
      const body = await this.packed();
      const answer = await fetch(`/mask/${encodeURIComponent(this.scanId)}`, {
        method: "POST",
        body,
        headers: { "Content-Type": "application/gzip" },
      });
      const reply = await answer.json();
      if (!answer.ok) {
        this.say(
          `${reply.message ?? "The mask was refused."} ${reply.hint ?? ""} [${reply.code ?? answer.status}]`,
          true,
        );
        return;
      }
      this.stop();
      this.handlers.onsaved(reply);
    } catch (error) {
      console.warn(error);
      this.say("The mask could not be sent. Check the connection and press Use mask again. [offline]", true);
    } finally {
      this.use.disabled = false;
    }
  }

  say(text, alarm = false) {
    this.notice.textContent = text;
    this.notice.setAttribute("role", alarm ? "alert" : "status");
    this.notice.classList.toggle("cs-alarm", alarm);
  }
}
