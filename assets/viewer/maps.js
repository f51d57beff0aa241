// The two panels of maps: where a result differs, and where it is in doubt.

import { SIGNED, sameGrid } from "./volumes.js";

const SAYS = {
  units:
    "The sources and the target have different units, so there is nothing to subtract. " +
    "With the true target as a reference, the error appears here.",
  grid: "is on another grid than the result, so that the two cannot be subtracted voxel by voxel.",
  doubt: "This method gives one result and no measure of doubt. The Counterscan network gives a map of it.",
};
const IN_UNITS = "in the scan's units; colours end where all but a thousandth of the voxels lie";

// [{id, title, legend, url} or {id, title, legend, from}]: made by the server, or to be computed from `from`
export function mapsOf(scene, result) {
  const {
    inputs: [input],
    reference,
    results: [asked],
  } = scene;
  const made = (kind) => result[kind] ?? (result === asked ? scene[kind] : null);
  const offer = (id, title, legend, from) => {
    const map = made(id);
    if (map) return { id, url: map.url, title: map.title ?? title, legend: map.legend ?? legend };
    return from && from.units === result.units ? { id, title, legend, from } : null;
  };
  return [
    offer("difference", "Difference from the input", `Result minus input, ${IN_UNITS}`, input),
    offer("error", "Error against the reference", `Result minus reference, ${IN_UNITS}`, reference),
  ].filter(Boolean);
}

export class Maps {
  constructor(viewer) {
    this.viewer = viewer;
    this.picked = "difference";
  }

  // a map is drawn on the scan where it has the scan's grid, else on what it belongs to
  async base(result) {
    const { scene, volumes } = this.viewer;
    const own = await volumes.anatomy(result.url);
    if (scene.task !== "inpaint") return [own, result];
    const scan = await volumes.anatomy(scene.scan.url).catch(() => own);
    return scan !== own && sameGrid(scan, own) ? [scan, scene.scan] : [own, result];
  }

  async drawDifference(panel, result) {
    const maps = mapsOf(this.viewer.scene, result);
    const map = maps.find((one) => one.id === this.picked) ?? maps[0];
    panel.name(map?.title ?? "Difference");
    panel.choose(
      "Map to show",
      maps.map((one) => [one.id, one.title]),
      map?.id ?? "",
      (id) => {
        this.picked = id;
        this.viewer.refresh();
      },
    );
    const { volumes, scene } = this.viewer;
    const [asked] = scene.results;
    const others =
      result !== asked &&
      (scene.difference || scene.error) &&
      `The maps belong to ${asked.title}: choose it to see them.`;
    if (!map) {
      panel.clear(others || SAYS.units);
      return;
    }
    const signed = map.url ? await volumes.signed(map.url) : await volumes.difference(result.url, map.from.url);
    if (!signed) {
      panel.clear(others || `${map.from.title} ${SAYS.grid}`);
      return;
    }
    await this.overlay(panel, result, signed);
    panel.setLegend(-signed.cal_max, signed.cal_max, SIGNED, map.legend);
  }

  async drawUncertainty(panel) {
    const { scene, volumes } = this.viewer;
    panel.choose("Uncertainty to show", [], "", null);
    panel.name(scene.uncertainty && scene.uncertain ? `Uncertainty: ${scene.uncertain}` : "Uncertainty");
    if (!scene.uncertainty) {
      panel.clear(SAYS.doubt);
      return;
    }
    const doubt = await volumes.uncertainty(scene.uncertainty);
    await this.overlay(panel, scene.results[0], doubt);
    panel.setLegend(0, doubt.cal_max, ["inferno"], "One standard deviation, in the result's units");
  }

  async overlay(panel, result, map) {
    const [image, of] = await this.base(result);
    this.viewer.look.dress(image, of.units);
    await panel.show(this.viewer.library, [image, map], of, 1);
  }
}
