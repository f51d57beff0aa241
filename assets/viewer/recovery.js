// What the viewer does when the graphics card drops its pictures: it draws them anew on other canvases, or offers to.

/** @import { Place } from "./link.js" */
/** @import { Viewer } from "./viewer.js" */

import { button } from "./dom.js";
import { hasWebGL2 } from "./graphics.js";
import { unlink, where } from "./link.js";

const LOST = "The graphics card dropped the pictures. The scan and what you drew are kept.";
// more losses in a minute are no accident any more
const MOST = 3;
const CALM_MS = 60_000;

export class Recovery {
  /**
   * @param {Pick<Viewer, "run" | "panels" | "live" | "input" | "drawing" | "toolbar" | "redraw" | "refresh" | "notify" |
   *   "flatten">} viewer
   */
  constructor(viewer) {
    this.viewer = viewer;
    /** @type {Place | null} where the crosshair was */
    this.at = null;
    /** @type {number[]} when pictures were lost */
    this.losses = [];
  }

  /** Returns where the crosshair was before the loss, once. */
  place() {
    const { at } = this;
    this.at = null;
    return at;
  }

  /** Draws everything anew; every panel reports its own loss, the first report is enough. */
  lose() {
    const { viewer } = this;
    viewer.run(async () => {
      const lost = viewer.panels.filter((panel) => panel.lost);
      if (!lost.length) return;
      const now = Date.now();
      this.losses = [...this.losses.filter((one) => now - one < CALM_MS), now];
      viewer.drawing.pause();
      const [seen] = viewer.live;
      if (seen) this.at = where(seen.nv);
      for (const panel of lost) panel.renew();
      if (this.losses.length <= MOST && hasWebGL2()) await viewer.redraw();
      else this.offer();
    });
  }

  /** Says what happened, with buttons. */
  offer() {
    const { viewer } = this;
    unlink(viewer.panels);
    for (const panel of viewer.panels) panel.clear(LOST);
    viewer.toolbar.enable(false);
    const again = button("Draw the scan again", {
      shown: "Draw again",
      kind: "cs-primary",
      onclick: () => {
        this.losses = [];
        if (hasWebGL2()) viewer.refresh();
      },
    });
    const pictures = button("Show slices as pictures", { shown: "Show pictures", onclick: () => viewer.flatten() });
    viewer.input.placeholder.firstElementChild?.append(again, pictures);
    viewer.notify(LOST, true);
  }
}
