// Up to four images of one scan side by side, each with its own pick list.

/** @import { Panel } from "./panel.js" */
/** @import { FullScene } from "./scene.js" */
/** @import { Viewer } from "./viewer.js" */

import { AT_ONCE, choices, find, images, worthComparing } from "./scene.js";

export class Compare {
  /** @param {Pick<Viewer, "scene" | "refresh" | "stage">} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.active = false;
    /** @type {string[]} */
    this.picked = [];
    this.wanted = "";
  }

  /**
   * Takes over the comparison that a scene comes with; it is entered once, so that a person can leave it.
   * @param {FullScene} scene
   */
  follow(scene) {
    const ids = (scene.compare ?? []).slice(0, AT_ONCE).map((one) => one.id);
    const wanted = ids.join(" ");
    if (wanted !== this.wanted) {
      if (wanted) this.picked = ids;
      this.active = wanted !== "";
    }
    this.wanted = wanted;
    if (images(scene).length < 2) this.active = false;
  }

  /**
   * Returns the ids in the panels: what was picked, as far as it is still there, then what is worth seeing beside it.
   * @param {FullScene} scene
   */
  shown(scene) {
    const all = images(scene);
    const known = this.picked.filter((id) => all.some((one) => one.id === id));
    const more = [...worthComparing(scene), ...all.map((one) => one.id)].filter((id) => !known.includes(id));
    const count = this.wanted && known.length > 1 ? known.length : Math.min(AT_ONCE, all.length);
    return [...known, ...new Set(more)].slice(0, count);
  }

  /** @param {Panel[]} panels */
  async draw(panels) {
    const { scene } = this.viewer;
    const all = images(scene);
    this.picked = this.shown(scene);
    for (const [i, id] of this.picked.entries()) {
      const image = find(all, id);
      panels[i].name(image.title);
      panels[i].choose(`Image in panel ${i + 1}`, choices(all), id, (chosen) => {
        this.picked[i] = chosen;
        this.viewer.refresh();
      });
      await this.viewer.stage.drawImage(panels[i], image);
    }
  }
}
