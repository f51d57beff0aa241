// Drawing with the keyboard: the crosshair is the pointer, one key presses it down and lets it go.

/** @import { Drawing } from "./drawing.js" */
/** @import { Hit } from "./tools.js" */

// what these tools begin, they end at once: a corner, a region
const AT_ONCE = ["polygon", "segment"];

export class KeyPen {
  /** @param {Pick<Drawing, "tools" | "tool" | "nv">} drawing */
  constructor(drawing) {
    this.drawing = drawing;
    /** the tool that is pressed down */
    this.down = "";
  }

  /**
   * @param {number} axis that the slice is perpendicular to
   * @returns {Hit}
   */
  here(axis) {
    const { nv } = this.drawing;
    return { axis, voxel: Array.from(nv.frac2vox(nv.scene.crosshairPos)), take: false };
  }

  /** @param {number} axis */
  press(axis) {
    const { tools, tool } = this.drawing;
    if (this.down === tool) {
      this.down = "";
      tools[tool].end();
      return;
    }
    tools[tool].begin(this.here(axis));
    if (AT_ONCE.includes(tool)) tools[tool].end();
    else this.down = tool;
  }

  /**
   * The crosshair was moved.
   * @param {number} axis
   */
  follow(axis) {
    const { tools, tool } = this.drawing;
    if (this.down === tool) tools[tool].move(this.here(axis));
    else tools[tool].hover(this.here(axis));
  }

  /** Leaves what is pressed down. */
  release() {
    const { tools, tool } = this.drawing;
    this.down = "";
    tools[tool]?.cancel();
  }
}
