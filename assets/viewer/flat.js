// The viewer without WebGL 2: slices as pictures that the server makes.

/** @import { Choice, FullScene, SceneVolume } from "./scene.js" */
/** @import { Viewer } from "./viewer.js" */

import { el, segmented, select, setOptions } from "./dom.js";
import { choices, find, offered, uncertaintyOf } from "./scene.js";

/**
 * @typedef {object} Shot what one picture shows
 * @property {string} title
 * @property {boolean} synthetic
 * @property {string} url of the volume
 * @property {string} [over] of the volume drawn over it
 * @property {"mask" | "signed" | "uncertainty"} [kind] of the volume over it
 * @property {string} [minus] what is taken off the volume over it
 */

/** @type {Choice[]} */
const PLANES = [
  ["2", "Axial"],
  ["1", "Coronal"],
  ["0", "Sagittal"],
];
const STEPS = 200;
// what stands before it is that of a link to one run
const VOLUME = /^(.*)\/vol\/([^/]+)\//;

/**
 * Returns the address of a slice as a picture; empty where a volume is none of the server's.
 * @param {Shot} shot
 * @param {string} axis
 * @param {number} at share of the way along the axis
 */
export function sliceAddress({ url, over, kind, minus }, axis, at) {
  const [token, above, below] = [url, over, minus].map((one) => VOLUME.exec(one ?? "")?.[2] ?? "");
  if (!token) return "";
  const before = VOLUME.exec(url)?.[1] ?? "";
  const more = above ? `&over=${above}&kind=${kind}${below ? `&minus=${below}` : ""}` : "";
  return `${before}/slice/${token}/${axis}?at=${at.toFixed(4)}${more}`;
}

/**
 * Returns what there is to be seen of a scene.
 * @param {FullScene} scene
 * @param {SceneVolume | undefined} result the chosen one
 * @returns {Shot[]}
 */
export function shotsOf(scene, result) {
  const { scan, mask, in_place: inPlace, difference } = scene;
  if (!scan) return [];
  const input = { ...scan, title: "Input", ...(mask ? { title: "Input and mask", over: mask.url } : {}) };
  /** @type {Shot[]} */
  const shots = [{ ...input, kind: "mask" }];
  if (!result) return shots;
  const under = inPlace ? scan : result;
  shots.push({ title: result.title, synthetic: result.synthetic, url: result.url });
  if (difference) shots.push({ ...under, title: "Difference", over: difference.url, kind: "signed" });
  else if (inPlace)
    shots.push({ ...under, title: "Difference from the input", over: result.url, kind: "signed", minus: scan.url });
  const { url } = uncertaintyOf(scene, result);
  if (url) shots.push({ ...under, title: "Uncertainty", over: url, kind: "uncertainty" });
  return shots;
}

export class Flat {
  /** @param {Pick<Viewer, "scene" | "grid" | "root" | "input" | "panels" | "toolbar">} viewer whose place it takes */
  constructor(viewer) {
    this.viewer = viewer;
    this.axis = "2";
    this.picked = "";
    this.planes = segmented("Plane", PLANES, this.axis, (axis) => {
      this.axis = axis;
      this.draw();
    });
    /** @type {HTMLInputElement} */
    this.place = el("input", {
      type: "range",
      min: "0",
      max: String(STEPS),
      step: "1",
      value: String(STEPS / 2),
      "aria-label": "Place of the slice",
      oninput: () => this.draw(),
    });
    this.results = select("Result to show", [], "", (id) => {
      this.picked = id;
      this.draw();
    });
    this.figures = el("div", { class: "cs-flat-figures" });
    const props = { class: "cs-toolbar", role: "toolbar", "aria-label": "Slices" };
    const bar = el("div", props, this.planes, this.place, this.results);
    this.root = el("div", { class: "cs-flat" }, bar, this.figures);
  }

  /** Takes the place of the panels; without a scan the empty one invites, and takes files. */
  show() {
    const { scene, grid, root, input, panels, toolbar } = this.viewer;
    toolbar.root.hidden = true;
    this.root.hidden = !scene.scan;
    grid.hidden = scene.scan !== null;
    root.classList.toggle("cs-empty", !scene.scan);
    input.invite(scene.invite);
    for (const panel of panels) panel.root.hidden = panel !== input;
    const all = offered(scene);
    if (!all.some((one) => one.id === this.picked)) this.picked = all[0]?.id ?? "";
    setOptions(this.results, choices(all), this.picked);
    this.results.hidden = all.length < 2;
    this.draw();
    root.dataset.ready = "true";
  }

  draw() {
    const { scene } = this.viewer;
    const shots = shotsOf(scene, find(offered(scene), this.picked));
    const at = Number(this.place.value) / STEPS;
    for (const [i, shot] of shots.entries()) this.figure(i, shot, sliceAddress(shot, this.axis, at));
    for (const more of [...this.figures.children].slice(shots.length)) more.remove();
  }

  /**
   * @param {number} i
   * @param {Shot} shot
   * @param {string} src
   */
  figure(i, { title, synthetic }, src) {
    const known = this.figures.children[i];
    const made = known ?? el("figure", {}, el("figcaption"), el("img"));
    if (!known) this.figures.append(made);
    const [caption, picture] = made.children;
    caption.textContent = synthetic ? `${title} \u00b7 SYNTHETIC` : title;
    const plane = PLANES.find(([axis]) => axis === this.axis)?.[1] ?? "";
    picture.setAttribute("alt", `${title}: ${plane.toLowerCase()} slice`);
    if (picture.getAttribute("src") !== src) picture.setAttribute("src", src);
  }
}
