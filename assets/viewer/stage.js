// What the panels of a scene draw: inputs, result and maps, each alone, so that one that cannot be had leaves the others.

/** @import { Image } from "./niivue.d.ts" */
/** @import { Panel } from "./panel.js" */
/** @import { SceneVolume } from "./scene.js" */
/** @import { Viewer } from "./viewer.js" */

import { choices, find, offered } from "./scene.js";

/**
 * @typedef {Pick<Viewer, "scene" | "reveal" | "loaded" | "look" | "maps" | "drawing" | "picks" | "refresh" | "aimAt" | "input" |
 *   "result" | "difference" | "uncertainty">} Staged
 */

export class Stage {
  /** @param {Staged} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    /** @type {string[]} */
    this.failures = [];
  }

  /**
   * Does something about one volume: one that cannot be had leaves the others alone.
   * @template Made
   * @param {string} what
   * @param {() => Promise<Made>} work
   * @param {Panel | null} [panel] what is emptied when it fails
   */
  async attempt(what, work, panel = null) {
    try {
      return await work();
    } catch (error) {
      console.warn(error);
      const failure = `${what} could not be shown. ${error instanceof Error ? error.message : error}`;
      this.failures.push(failure);
      panel?.clear(failure);
      return null;
    }
  }

  /**
   * Draws inputs, result and maps.
   * @param {SceneVolume} scan
   */
  async drawTask(scan) {
    const { scene, result, difference, uncertainty, maps, drawing, reveal, picks } = this.viewer;
    await this.drawInput(scan);
    if (drawing.active) return;
    if (!scene.results.length) {
      result.clear("The result appears here.");
      return;
    }
    const all = offered(scene);
    const current = find(all, picks.result);
    result.name(all.length > 1 ? "Result" : `Result: ${current.title}`);
    result.choose("Result to show", choices(all), current.id, (id) => {
      picks.result = id;
      this.viewer.refresh();
    });
    await this.drawImage(result, current);
    if (reveal.on) return;
    await this.attempt("The difference", () => maps.drawDifference(difference, current), difference);
    await this.attempt("The uncertainty", () => maps.drawUncertainty(uncertainty, current), uncertainty);
  }

  /** @param {SceneVolume} scan */
  async drawInput(scan) {
    const { scene, input, drawing, picks, loaded, look } = this.viewer;
    const inputs = drawing.active ? [scan] : [...scene.inputs, ...(scene.reference ? [scene.reference] : [])];
    const current = find(inputs, picks.input);
    const alone = scene.drawable || scene.mask ? "Input and mask" : `Input: ${current.title}`;
    input.name(inputs.length > 1 ? "Input" : alone.replace(/: Input$/, ""));
    input.choose("Input to show", choices(inputs), current.id, (id) => {
      picks.input = id;
      this.viewer.refresh();
    });
    await input.attach(loaded.library);
    const mask = current === scan && !drawing.active ? scene.mask : null;
    const marked = mask ? await this.attempt("The mask", () => loaded.volumes.mask(mask.url, look.opacity)) : null;
    if (marked) this.viewer.aimAt(marked);
    await this.drawImage(input, current, marked ? [marked] : []);
  }

  /**
   * @param {Panel} panel
   * @param {SceneVolume} of
   * @param {Image[]} [over]
   */
  drawImage(panel, of, over = []) {
    const draw = async () => {
      const { loaded, look } = this.viewer;
      const image = await loaded.volumes.anatomy(of.url);
      look.dress(image, of.units);
      await panel.show(loaded.library, [image, ...over], of);
    };
    return this.attempt(of.title, draw, panel);
  }
}
