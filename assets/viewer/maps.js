// The two panels of maps: where a result differs, and how uncertain it is.

/** @import { Image } from "./niivue.d.ts" */
/** @import { Panel } from "./panel.js" */
/** @import { FullScene, SceneVolume } from "./scene.js" */
/** @import { Viewer } from "./viewer.js" */

import { SIGNED } from "./colormaps.js";
import { sameGrid } from "./grids.js";
import { uncertaintyOf } from "./scene.js";

/**
 * @typedef {{ id: "difference" | "error", title: string, what: string }} Named what: its numbers, for the bar
 * @typedef {Named & { url: string }} MadeMap a map that the server made
 * @typedef {Named & { from: SceneVolume }} ComputedMap the result minus `from`
 */

const OTHER_UNITS =
  "The sources and the target have different units, so there is nothing to subtract. " +
  "With the true target as a reference, the error appears here.";
const OTHER_GRID = "is on another grid than the result, so that the two cannot be subtracted voxel by voxel.";
// the share of the reach from which on a change is a large one
const MUCH = 0.5;
const CERTAIN =
  "This method gives one result and no measure of its uncertainty. The Counterscan network gives a map of it.";
const ENDS = "Colours end where all but a thousandth of the voxels lie.";
/**
 * Returns what the numbers of a map of ``result`` are in.
 * @param {SceneVolume} result
 */
const intensities = (result) => `in intensities of the ${result.units === "scan" ? "scan" : "result"}`;

/**
 * Returns the maps of a result that there are, or that can be computed.
 * @param {FullScene} scene
 * @param {SceneVolume} result
 * @returns {(MadeMap | ComputedMap)[]}
 */
export function mapsOf(scene, result) {
  const { inputs, reference, results } = scene;
  /**
   * @param {Named} named
   * @param {SceneVolume | null | undefined} from
   * @returns {(MadeMap | ComputedMap)[]}
   */
  const offer = (named, from) => {
    const made = result === results[0] ? scene[named.id] : null;
    if (made) {
      const what = made.what ?? named.what;
      return [{ ...named, url: made.url, title: made.title ?? named.title, what }];
    }
    return from && from.units === result.units ? [{ ...named, from }] : [];
  };
  return [
    ...offer(
      {
        id: "difference",
        title: "Difference from the input",
        what: "result minus input",
      },
      inputs[0],
    ),
    ...offer(
      {
        id: "error",
        title: "Error against the reference",
        what: "result minus reference",
      },
      reference,
    ),
  ];
}

export class Maps {
  /** @param {Pick<Viewer, "scene" | "loaded" | "look" | "refresh" | "aimAt">} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.picked = "difference";
    // the job whose change was aimed at
    this.aimedJob = "";
  }

  /**
   * Returns what the maps of a result are drawn on: the scan where results have its grid, else the result.
   * @param {SceneVolume} result
   * @returns {Promise<[Image, SceneVolume]>}
   */
  async base(result) {
    const { scene, loaded } = this.viewer;
    const own = await loaded.volumes.anatomy(result.url);
    if (!scene.in_place || !scene.scan) return [own, result];
    const scan = await loaded.volumes.anatomy(scene.scan.url).catch(() => own);
    return scan !== own && sameGrid(scan, own) ? [scan, scene.scan] : [own, result];
  }

  /**
   * @param {Panel} panel
   * @param {SceneVolume} result
   */
  async drawDifference(panel, result) {
    const { loaded, scene } = this.viewer;
    const maps = mapsOf(scene, result);
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
    const [first] = scene.results;
    const elsewhere = result !== first && (scene.difference || scene.error);
    const others = elsewhere ? `The maps belong to ${first.title}: choose it to see them.` : "";
    if (!map) {
      panel.clear(others || OTHER_UNITS);
      return;
    }
    const { volumes } = loaded;
    const signed = "url" in map ? await volumes.signed(map.url) : await volumes.difference(result.url, map.from.url);
    if (signed) {
      await this.overlay(panel, result, signed);
      const unit = `${map.what}, ${intensities(result)}`;
      panel.setLegend(-signed.cal_max, signed.cal_max, SIGNED, unit, ENDS);
      this.aim(signed, await volumes.anatomy(result.url));
    } else if ("from" in map) {
      panel.clear(others || `${map.from.title} ${OTHER_GRID}`);
    }
  }

  /**
   * Shows where most was changed, unless a mask says where; not where the result is empty, as at the end of a scan.
   * @param {Image} signed
   * @param {Image} result
   */
  aim(signed, result) {
    const { scene, aimAt } = this.viewer;
    if (scene.mask || scene.job === this.aimedJob) return;
    this.aimedJob = scene.job;
    const [change, made] = [signed, result].map(({ hdr }) => {
      const [slope, shift] = [hdr.scl_slope || 1, hdr.scl_inter || 0];
      return (/** @type {number} */ value) => value * slope + shift;
    });
    const filled = sameGrid(signed, result)
      ? (/** @type {number} */ place) => made(result.img[place]) !== 0
      : () => true;
    aimAt.call(this.viewer, signed, (value, place) => Math.abs(change(value)) > signed.cal_max * MUCH && filled(place));
  }

  /**
   * @param {Panel} panel
   * @param {SceneVolume} chosen what the panel of the result shows
   */
  async drawUncertainty(panel, chosen) {
    const { scene, loaded } = this.viewer;
    const { url, title } = uncertaintyOf(scene, chosen);
    panel.choose("Uncertainty to show", [], "");
    panel.name(url && title ? `Uncertainty: ${title}` : "Uncertainty");
    if (!url) {
      panel.clear(CERTAIN);
      return;
    }
    const deviation = await loaded.volumes.uncertainty(url);
    const result = scene.twins.includes(chosen) ? chosen : scene.results[0];
    await this.overlay(panel, result, deviation);
    panel.setLegend(0, deviation.cal_max, ["inferno"], `SD, ${intensities(result)}`, "One standard deviation");
  }

  /**
   * @param {Panel} panel
   * @param {SceneVolume} result
   * @param {Image} map
   */
  async overlay(panel, result, map) {
    const [image, of] = await this.base(result);
    this.viewer.look.dress(image, of.units);
    await panel.show(this.viewer.loaded.library, [image, map], of, 1);
  }
}
