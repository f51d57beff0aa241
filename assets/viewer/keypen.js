// Drawing and measuring with the keyboard: the crosshair is the pointer, one key presses it down and lets it go.

/** @import { Handler } from "./gestures.js" */
/** @import { Panel } from "./panel.js" */
/** @import { Hit } from "./tools.js" */

export class KeyPen {
  /** @param {() => { handler: Handler, panel: Pick<Panel, "nv"> } | null} current what is drawn or measured with now */
  constructor(current) {
    this.current = current;
    /** @type {Handler | null} what is pressed down */
    this.down = null;
  }

  /**
   * @param {Pick<Panel, "nv">} panel
   * @param {number} axis that the slice is perpendicular to
   * @returns {Hit}
   */
  here({ nv }, axis) {
    return { axis, voxel: Array.from(nv.frac2vox(nv.scene.crosshairPos)), take: false };
  }

  /** @param {number} axis */
  press(axis) {
    const now = this.current();
    if (!now) return;
    const { handler, panel } = now;
    if (this.down === handler) {
      this.down = null;
      handler.end();
      return;
    }
    handler.begin(this.here(panel, axis));
    if (handler.atOnce) handler.end();
    else this.down = handler;
  }

  /**
   * The crosshair was moved.
   * @param {number} axis
   */
  follow(axis) {
    const now = this.current();
    if (!now) return;
    if (this.down === now.handler) now.handler.move(this.here(now.panel, axis));
    else now.handler.hover(this.here(now.panel, axis));
  }

  /** Leaves what is pressed down. */
  release() {
    this.down = null;
    this.current()?.handler.cancel();
  }
}
