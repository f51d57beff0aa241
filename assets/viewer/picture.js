// The page as a PNG: titles and the synthetic mark are burned in, so that a picture that travels alone still has them.

/** @import { Panel } from "./panel.js" */

import { saveBlob } from "./dom.js";

const FOOT = 24;

/**
 * @param {HTMLElement} grid
 * @param {Panel[]} panels
 */
export function savePicture(grid, panels) {
  const box = grid.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  const page = document.createElement("canvas");
  page.width = Math.round(box.width * ratio);
  page.height = Math.round((box.height + FOOT) * ratio);
  const pen = page.getContext("2d");
  if (!pen) return;
  pen.scale(ratio, ratio);
  pen.fillStyle = "#0b0f14";
  pen.fillRect(0, 0, box.width, box.height + FOOT);
  pen.font = "600 13px sans-serif";
  for (const panel of panels.filter((one) => !one.root.hidden)) drawPanel(pen, panel, box);
  pen.fillStyle = "#a9b7c6";
  pen.fillText("Counterscan \u00b7 research use only, not for diagnosis", 8, box.height + 16);
  page.toBlob((blob) => blob && saveBlob(blob, "counterscan.png"), "image/png");
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Panel} panel
 * @param {DOMRect} box of the grid
 */
function drawPanel(pen, panel, box) {
  const area = panel.stage.getBoundingClientRect();
  const [x, y] = [area.x - box.x, area.y - box.y];
  if (panel.filled) {
    panel.nv.drawScene();
    pen.drawImage(panel.canvas, x, y, area.width, area.height);
  }
  const badge = panel.badge.hidden ? "" : `  \u00b7  ${panel.badge.textContent}`;
  pen.fillStyle = "#e6edf3";
  pen.fillText(panel.caption + badge, x + 8, y - 10, area.width - 16);
}
