// One crosshair for all panels, in the scanner's millimetres: NiiVue's own link measures along the axes of each volume,
// which name different places as soon as one grid is turned against the other.

import { sameGrid } from "./volumes.js";

const inside = (value) => Math.min(1, Math.max(0, value));

export function where(nv) {
  const frac = [...nv.scene.crosshairPos];
  return { image: nv.volumes[0], frac, mm: [...nv.frac2mm(frac, 0, true)].slice(0, 3) };
}

export function goTo(nv, { image, frac, mm }) {
  const here = sameGrid(image, nv.volumes[0]) ? frac : [...nv.mm2frac(mm, 0, true)];
  nv.scene.crosshairPos = here.map(inside);
}

export function link(all) {
  for (const nv of all) {
    nv.broadcastTo(
      all.filter((other) => other !== nv),
      { "2d": true, "3d": true },
    );
    nv.doSync2d = (other) => {
      goTo(other, where(nv));
      other.scene.pan2Dxyzmm = [...nv.scene.pan2Dxyzmm];
    };
  }
}
