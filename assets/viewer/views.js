// A view as a link: slice, window, zoom, panels and colours come back; the scan is what the rest of the address opens.

/** @import { Viewer } from "./viewer.js" */

import { where } from "./link.js";

const KEY = "view";

/**
 * @typedef {object} View what a link restores
 * @property {number} slices NiiVue's slice type
 * @property {number[]} at crosshair, mm (RAS+)
 * @property {number[]} pan mm along x, y, z, and the zoom
 * @property {string} map
 * @property {[units: string, low: number, high: number][]} windows
 * @property {boolean} sides radiological
 * @property {string[]} compared ids of the images side by side; empty where none are
 * @property {number} wipe share of the input; -1 where it is not wiped
 * @property {string[]} picked ids of the input and the result that are shown
 */

const round = (/** @type {number} */ value) => Number(value.toPrecision(6));

/**
 * Returns what a viewer shows now.
 * @param {Viewer} viewer
 * @returns {View}
 */
export function viewOf({ look, live, compare, reveal, picks }) {
  const [{ nv }] = live;
  return {
    slices: look.view,
    at: where(nv).mm.map(round),
    pan: Array.from(nv.scene.pan2Dxyzmm).map(round),
    map: look.colormap,
    windows: [...look.windows.kept].map(([units, { range }]) => [units, round(range[0]), round(range[1])]),
    sides: look.radiological,
    compared: compare.active ? compare.picked : [],
    wipe: reveal.on ? round(reveal.share) : -1,
    picked: [picks.input, picks.result],
  };
}

/**
 * Returns the address that shows a view again.
 * @param {Pick<Location, "href">} location
 * @param {View} view
 */
export function linkTo({ href }, view) {
  const bytes = new TextEncoder().encode(JSON.stringify(view));
  const text = btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
  return `${href.split("#")[0]}#${KEY}=${text}`;
}

/**
 * Returns the view that an address asks for; null where it asks for none, or not in these words.
 * @param {string} hash
 * @returns {View | null}
 */
export function viewIn(hash) {
  const text = new URLSearchParams(hash.replace(/^#/, "")).get(KEY);
  if (!text) return null;
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
    const view = JSON.parse(new TextDecoder().decode(bytes));
    return sound(view) ? view : null;
  } catch {
    return null;
  }
}

/**
 * Returns whether something from an address is a view.
 * @param {Record<string, unknown> | null} view
 * @returns {view is View & Record<string, unknown>}
 */
function sound(view) {
  const numbers = (/** @type {unknown} */ list, /** @type {number} */ count) =>
    Array.isArray(list) && list.length === count && list.every(Number.isFinite);
  const texts = (/** @type {unknown} */ list) => Array.isArray(list) && list.every((one) => typeof one === "string");
  if (!view || !numbers(view.at, 3) || !numbers(view.pan, 4) || !numbers([view.slices, view.wipe], 2)) return false;
  const windows = view.windows;
  const known = Array.isArray(windows) && windows.every(([units, ...range]) => texts([units]) && numbers(range, 2));
  return known && texts(view.compared) && texts(view.picked) && texts([view.map]) && typeof view.sides === "boolean";
}

/**
 * Shows a view, as far as its scan has what it names.
 * @param {Viewer} viewer
 * @param {View} view
 */
export async function show(viewer, view) {
  const { look, compare, reveal, picks, toolbar } = viewer;
  [picks.input, picks.result] = view.picked;
  compare.active = view.compared.length > 1;
  if (compare.active) compare.picked = view.compared;
  reveal.on = view.wipe >= 0;
  reveal.share = view.wipe >= 0 ? view.wipe : reveal.share;
  look.view = view.slices;
  look.colormap = view.map;
  toolbar.views.show(String(view.slices));
  toolbar.maps.value = view.map;
  await viewer.redraw();
  for (const [units, low, high] of view.windows) look.setWindow(low, high, units);
  look.setRadiological(view.sides);
  look.setColormap(view.map);
  const [first] = viewer.live;
  if (!first) return;
  first.nv.setPan2Dxyzmm([view.pan[0], view.pan[1], view.pan[2], view.pan[3]]);
  look.zoomAs(first);
  viewer.aim({ image: null, frac: [], mm: view.at });
}
