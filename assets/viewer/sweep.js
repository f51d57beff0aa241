// Pictures of one panel that travel: a slice as a PNG, all slices as a GIF, with title, scale bar and synthetic mark.

/** @import { Panel } from "./panel.js" */

import { saveBlob } from "./dom.js";
import { gif } from "./gif.js";
import { roundLength } from "./measures.js";
import { ACROSS } from "./strokes.js";

const MOST_FRAMES = 60;
const MOST_SIDE = 420;
const DELAY = 8;
const HEAD = 26;
const FOOT = 22;
const PAD = 8;
// the longest scale bar, as a share of the picture
const BAR = 0.3;
const MULTI = 3;
const AXIAL = 0;

/**
 * @typedef {object} Cut the slice that a panel shows alone, on its canvas
 * @property {number[]} area left, top, width and height
 * @property {number} mm width in mm
 */

/**
 * Returns where the only slice of a panel lies, as far as there is something of the volume; null where there is none.
 * @param {Pick<Panel, "nv">} panel
 * @returns {Cut | null}
 */
export function cutOf({ nv }) {
  const slice = nv.screenSlices.find((one) => one.axCorSag <= 2);
  if (!slice) return null;
  const [left, top, width, height] = slice.leftTopWidthHeight;
  const ends = [nv.frac2mm([0, 0, 0]), nv.frac2mm([1, 1, 1])];
  const [across, up] = ACROSS[2 - slice.axCorSag].map((axis, i) =>
    ends.map((mm) => Math.min(1, Math.max(0, (mm[axis] - slice.leftTopMM[i]) / slice.fovMM[i]))).sort((a, b) => a - b),
  );
  const [from, to] = across.map((share) => left + share * width).sort((a, b) => a - b);
  const area = [from, top + (1 - up[1]) * height, to - from, (up[1] - up[0]) * height];
  return { area, mm: Math.abs(slice.fovMM[0]) * (across[1] - across[0]) };
}

/**
 * Draws a panel's slice with what belongs to it.
 * @param {Panel} panel
 * @param {Cut} cut
 * @param {number} most longest side of the slice, in pixels
 */
export function drawn(panel, { area: [left, top, width, height], mm }, most) {
  const scale = Math.min(1, most / Math.max(width, height));
  const page = document.createElement("canvas");
  const [wide, high] = [Math.max(160, Math.round(width * scale)), Math.round(height * scale)];
  [page.width, page.height] = [wide, high + HEAD + FOOT];
  const pen = page.getContext("2d", { willReadFrequently: true });
  if (!pen) throw new Error("This browser draws no pictures.");
  pen.fillStyle = "#000000";
  pen.fillRect(0, 0, page.width, page.height);
  panel.nv.drawScene();
  pen.drawImage(panel.canvas, left, top, width, height, (wide - width * scale) / 2, HEAD, width * scale, high);
  pen.font = "600 12px sans-serif";
  pen.fillStyle = "#ffffff";
  pen.fillText(panel.caption, PAD, 17, wide - (panel.badge.hidden ? 2 : 11) * PAD);
  if (!panel.badge.hidden) {
    pen.fillStyle = "#fbbf24";
    pen.textAlign = "right";
    pen.fillText("SYNTHETIC", wide - PAD, 17);
  }
  const length = roundLength(mm * BAR);
  const bar = (length / mm) * width * scale;
  pen.fillStyle = "#ffffff";
  pen.fillRect(PAD, high + HEAD + 9, bar, 3);
  pen.textAlign = "left";
  pen.font = "11px sans-serif";
  pen.fillText(`${length} mm`, PAD + bar + 6, high + HEAD + 14);
  return { page, pen };
}

/**
 * Shows one plane of a panel without its crosshair while something is done, then what was shown before.
 * @template Made
 * @param {Panel} panel
 * @param {() => Made} work
 * @returns {Made}
 */
function alone(panel, work) {
  const { nv } = panel;
  const [view, at, width] = [nv.opts.sliceType, nv.scene.crosshairPos, nv.opts.crosshairWidth];
  try {
    if (view >= MULTI) nv.opts.sliceType = AXIAL;
    nv.opts.crosshairWidth = 0;
    nv.drawScene();
    return work();
  } finally {
    [nv.opts.sliceType, nv.scene.crosshairPos, nv.opts.crosshairWidth] = [view, at, width];
    nv.drawScene();
  }
}

/**
 * Saves the slice of a panel as a PNG.
 * @param {Panel} panel
 */
export function saveSlice(panel) {
  const page = alone(panel, () => {
    const cut = cutOf(panel);
    return cut && drawn(panel, cut, Number.POSITIVE_INFINITY).page;
  });
  page?.toBlob((blob) => blob && saveBlob(blob, `counterscan-${panel.id}.png`), "image/png");
}

/**
 * Saves all slices of a panel, or as many as make a moving picture, as a GIF.
 * @param {Panel} panel
 */
export function saveSweep(panel) {
  const frames = alone(panel, () => {
    const { nv } = panel;
    const axis = 2 - nv.opts.sliceType;
    const count = panel.volumes[0].dimsRAS[axis + 1];
    const steps = Math.min(count, MOST_FRAMES);
    const [x, y, z] = nv.scene.crosshairPos;
    const made = [];
    for (let i = 0; i < steps; i++) {
      const at = [x, y, z];
      at[axis] = (Math.floor(((i + 0.5) * count) / steps) + 0.5) / count;
      nv.scene.crosshairPos = [at[0], at[1], at[2]];
      nv.drawScene();
      const cut = cutOf(panel);
      if (!cut) continue;
      const { page, pen } = drawn(panel, cut, MOST_SIDE);
      made.push(pen.getImageData(0, 0, page.width, page.height));
    }
    return made;
  });
  if (frames.length) saveBlob(gif(frames, DELAY), `counterscan-${panel.id}.gif`);
  return frames.length;
}
