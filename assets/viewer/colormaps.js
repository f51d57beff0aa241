// The colour maps that NiiVue does not bring, and those that a person can choose.

/** @import { Niivue } from "@niivue/niivue" */

const MASK_MAP = { R: [0, 255], G: [0, 170], B: [0, 40], A: [0, 255], I: [0, 255] };
const DRAW_MAP = { R: [0, 255], G: [0, 170], B: [0, 40], A: [0, 255], I: [0, 1], labels: ["outside", "mask"] };

// dark where little changed, so that noise stays in the background; no colour at all where nothing did
const SIGNED_MAPS = {
  "cs-more": {
    R: [0, 200, 255, 255],
    G: [0, 40, 140, 245],
    B: [0, 10, 20, 170],
    A: [0, 255, 255, 255],
    I: [0, 90, 180, 255],
  },
  "cs-less": {
    R: [0, 10, 50, 190],
    G: [0, 80, 170, 250],
    B: [0, 200, 250, 255],
    A: [0, 255, 255, 255],
    I: [0, 90, 180, 255],
  },
};

/** The colours below and above zero. */
export const SIGNED = ["cs-less", "cs-more"];

/** @type {[name: string, title: string][]} */
export const MAPS = [
  ["gray", "Gray"],
  ["viridis", "Viridis"],
  ["inferno", "Inferno"],
  ["cividis", "Cividis"],
  ["bone", "Bone"],
];

/** @param {Niivue} nv */
export function addMaps(nv) {
  for (const [name, map] of Object.entries({ "cs-mask": MASK_MAP, ...SIGNED_MAPS })) nv.addColormap(name, map);
  // NiiVue takes a map as well as a name here; its types only know the name
  nv.setDrawColormap(/** @type {string} */ (/** @type {unknown} */ (DRAW_MAP)));
}
