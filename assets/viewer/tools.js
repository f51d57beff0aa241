// The tools that draw: what each makes of a pointer that is pressed, moved and let go.

/** @import { History } from "./history.js" */
/** @import { Bitmap } from "./niivue.d.ts" */
/** @import { Intensity } from "./regions.js" */
/** @import { Grid, Voxel } from "./strokes.js" */

import { grown, seedIntensity } from "./regions.js";
import { ACROSS, AXES, box, brush, line, polygon } from "./strokes.js";

/**
 * @typedef {object} Hit a place of the pointer
 * @property {number} axis that the slice under it is perpendicular to
 * @property {Voxel} voxel
 * @property {boolean} take whether to take away instead of marking
 * @property {number[]} [frac] the place in fractions of the grid, where the pointer is finer than a voxel
 */

/**
 * @typedef {object} Sheet what the tools draw on, and how
 * @property {Grid} grid
 * @property {Bitmap} bitmap
 * @property {History} history
 * @property {Intensity} intensity
 * @property {number} size of the brush, in voxels
 * @property {boolean} solid whether brush and region reach beyond the slice
 * @property {number} tolerance half width of a region's intensities
 * @property {[low: number, high: number] | null} keep intensities that may be marked
 * @property {() => void} show the drawing was changed
 * @property {() => void} commit a step is over
 * @property {(by: number) => void} widen the tolerance
 */

/** A tool; what it does not do is left to the viewer. */
export class Tool {
  /** Whether each press is all of it: a corner, a region. */
  get atOnce() {
    return false;
  }

  /** @param {Sheet} sheet */
  constructor(sheet) {
    this.sheet = sheet;
  }

  /** @param {Hit} _hit */
  begin(_hit) {}

  /** @param {Hit} _hit */
  move(_hit) {}

  end() {
    this.sheet.commit();
  }

  /**
   * The pointer is over the image and not pressed.
   * @param {Hit} _hit
   */
  hover(_hit) {}

  /** Ends what takes several presses. */
  close() {}

  /** The pointer is no longer over the image. */
  leave() {}

  /** Leaves what was begun. */
  cancel() {
    this.sheet.history.revert(this.sheet.bitmap);
    this.sheet.show();
  }

  /**
   * Returns whether the wheel was taken.
   * @param {number} _by
   */
  wheel(_by) {
    return false;
  }

  /**
   * Returns what marks a voxel, or takes it away.
   * @param {boolean} take
   * @returns {(place: number) => void}
   */
  painter(take) {
    const { bitmap, keep, intensity } = this.sheet;
    const value = take ? 0 : 1;
    if (!keep || take) {
      return (place) => {
        bitmap[place] = value;
      };
    }
    const [low, high] = keep;
    return (place) => {
      const here = intensity(place);
      if (here >= low && here <= high) bitmap[place] = 1;
    };
  }
}

/** Pen and eraser. */
class Brush extends Tool {
  /**
   * @param {Sheet} sheet
   * @param {boolean} erase
   */
  constructor(sheet, erase) {
    super(sheet);
    this.erase = erase;
    /** @type {Voxel} */
    this.last = [];
  }

  /**
   * @override
   * @param {Hit} hit
   */
  begin(hit) {
    this.last = hit.voxel;
    this.move(hit);
  }

  /**
   * @override
   * @param {Hit} hit
   */
  move({ axis, voxel, take }) {
    const { grid, size, solid, show } = this.sheet;
    line(grid, [this.last, voxel], brush(grid, axis, size, solid), this.painter(this.erase || take));
    this.last = voxel;
    show();
  }
}

/** Rectangle and ellipse. */
class Shape extends Tool {
  /**
   * @param {Sheet} sheet
   * @param {boolean} round
   */
  constructor(sheet, round) {
    super(sheet);
    this.round = round;
    /** @type {Voxel} */
    this.start = [];
  }

  /**
   * @override
   * @param {Hit} hit
   */
  begin(hit) {
    this.start = hit.voxel;
    this.move(hit);
  }

  /**
   * @override
   * @param {Hit} hit
   */
  move({ axis, voxel, take }) {
    const { grid, bitmap, history, show } = this.sheet;
    history.revert(bitmap);
    box(grid, axis, [this.start, voxel], this.round, this.painter(take));
    show();
  }
}

/** An outline drawn in one go. */
class Lasso extends Tool {
  /** @param {Sheet} sheet */
  constructor(sheet) {
    super(sheet);
    /** @type {Voxel[]} */
    this.corners = [];
  }

  /**
   * @override
   * @param {Hit} hit
   */
  begin(hit) {
    this.corners = [];
    this.move(hit);
  }

  /**
   * @override
   * @param {Hit} hit
   */
  move({ axis, voxel, take }) {
    this.corners.push(voxel);
    this.fill(axis, this.corners, take);
  }

  /**
   * @param {number} axis
   * @param {Voxel[]} corners
   * @param {boolean} take
   */
  fill(axis, corners, take) {
    const { grid, bitmap, history, show } = this.sheet;
    history.revert(bitmap);
    polygon(grid, axis, corners, this.painter(take));
    show();
  }
}

/** An outline corner by corner; a double click, the first corner or the key Enter closes it. */
class Polygon extends Lasso {
  /** @param {Sheet} sheet */
  constructor(sheet) {
    super(sheet);
    /** @type {Voxel[]} */
    this.corners = [];
  }

  /** @override */
  get atOnce() {
    return true;
  }

  /**
   * @override
   * @param {Hit} hit
   */
  begin(hit) {
    const [first] = this.corners;
    const at = this.corners[this.corners.length - 1];
    if (first && first[hit.axis] !== hit.voxel[hit.axis]) this.cancel();
    else if (this.corners.length > 2 && AXES.every((axis) => Math.abs(first[axis] - hit.voxel[axis]) <= 1)) {
      this.close();
      return;
    } else if (at && AXES.every((axis) => at[axis] === hit.voxel[axis])) return;
    this.corners.push(hit.voxel);
    this.hover(hit);
  }

  /**
   * @override
   * @param {Hit} hit
   */
  move(hit) {
    this.hover(hit);
  }

  // a corner is set; the step ends with the outline
  /** @override */
  end() {}

  /**
   * @override
   * @param {Hit} hit
   */
  hover({ axis, voxel, take }) {
    const [first] = this.corners;
    if (first && first[axis] === voxel[axis]) this.fill(axis, [...this.corners, voxel], take);
  }

  /** @override */
  close() {
    const [first] = this.corners;
    const axis = AXES.find((one) => this.corners.every((corner) => corner[one] === first[one]));
    if (first && axis !== undefined && this.corners.length > 2) {
      this.fill(axis, this.corners, false);
      this.sheet.commit();
    } else this.sheet.history.revert(this.sheet.bitmap);
    this.corners = [];
    this.sheet.show();
  }

  /** @override */
  leave() {
    const [first, second] = this.corners;
    const axis = AXES.find((one) => second && this.corners.every((corner) => corner[one] === first[one]));
    if (axis !== undefined) this.fill(axis, this.corners, false);
  }

  /** @override */
  cancel() {
    this.corners = [];
    super.cancel();
  }
}

/** What is joined to the voxel under the pointer and about as bright; the wheel sets how much it may differ. */
class Segment extends Tool {
  /** @param {Sheet} sheet */
  constructor(sheet) {
    super(sheet);
    /** @type {Hit | null} */
    this.at = null;
  }

  /** @override */
  get atOnce() {
    return true;
  }

  /**
   * @override
   * @param {Hit} hit
   */
  begin(hit) {
    this.hover(hit);
  }

  /**
   * @override
   * @param {Hit} hit
   */
  move(hit) {
    this.hover(hit);
  }

  /** @override */
  end() {
    this.at = null;
    super.end();
  }

  /**
   * @override
   * @param {Hit} hit
   */
  hover(hit) {
    this.at = hit;
    const { grid, bitmap, history, intensity, solid, tolerance, show } = this.sheet;
    history.revert(bitmap);
    const middle = seedIntensity(grid, hit.axis, hit.voxel, intensity);
    /** @param {number} place */
    const belongs = (place) => Math.abs(intensity(place) - middle) <= tolerance;
    const paint = this.painter(hit.take);
    for (const place of grown(grid, hit.voxel, solid ? AXES : ACROSS[hit.axis], belongs)) paint(place);
    show();
  }

  /** @override */
  leave() {
    this.cancel();
  }

  /** @override */
  cancel() {
    this.at = null;
    super.cancel();
  }

  /**
   * @override
   * @param {number} by
   */
  wheel(by) {
    this.sheet.widen(by);
    if (this.at) this.hover(this.at);
    return true;
  }
}

/**
 * Returns every tool by its name.
 * @param {Sheet} sheet
 * @returns {Record<string, Tool>}
 */
export const toolsOn = (sheet) => ({
  pen: new Brush(sheet, false),
  erase: new Brush(sheet, true),
  rectangle: new Shape(sheet, false),
  ellipse: new Shape(sheet, true),
  lasso: new Lasso(sheet),
  polygon: new Polygon(sheet),
  segment: new Segment(sheet),
});
