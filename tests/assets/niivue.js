// NiiVue without WebGL: volumes, grids, a crosshair and a drawing, and what was called.

/** @import { Niivue } from "@niivue/niivue" */
/** @import { Image, Library } from "../../assets/viewer/niivue.d.ts" */

import { fake } from "./page.js";

/**
 * Returns an image; its voxels lie in the RAS grid as they are stored.
 * @param {object} [given]
 * @param {number[]} [given.size]
 * @param {ArrayLike<number>} [given.voxels]
 * @param {number[][]} [given.affine]
 * @param {number} [given.slope]
 * @param {number} [given.shift]
 * @returns {Image}
 */
export function image({ size = [2, 3, 4], voxels, affine, slope = 1, shift = 0 } = {}) {
  const [nx, ny, nz] = size;
  const img = Float32Array.from(voxels ?? new Float32Array(nx * ny * nz));
  const identity = [0, 1, 2, 3].map((row) => [0, 1, 2, 3].map((column) => Number(row === column)));
  const made = {
    img,
    name: "image.nii",
    colormap: "gray",
    hdr: { dims: [3, nx, ny, nz], affine: affine ?? identity, scl_slope: slope, scl_inter: shift },
    dimsRAS: [3, nx, ny, nz],
    pixDimsRAS: [1, 1, 1, 1],
    img2RASstart: [0, 0, 0],
    img2RASstep: [1, nx, nx * ny],
    cal_min: 0,
    cal_max: 1,
    robust_min: 2,
    robust_max: 98,
    global_min: 0,
    global_max: 100,
    clone: () => image({ size, voxels: img, affine, slope, shift }),
  };
  return fake(made);
}

/** NiiVue on one canvas. */
export class FakeNiivue {
  constructor() {
    /** @type {string[]} */
    this.calls = [];
    /** @type {Image[]} */
    this.volumes = [];
    /** @type {Image | null} */
    this.back = null;
    this.opts = { sliceType: 3, isRadiologicalConvention: false, penType: 0, penSize: 1, drawingEnabled: false };
    this.scene = { crosshairPos: [0.5, 0.5, 0.5], pan2Dxyzmm: [0, 0, 0, 1] };
    this.uiData = { dpr: 1 };
    this.syncOpts = {};
    /** @type {object[]} */
    this.screenSlices = [];
    /** @type {Uint8Array | null} */
    this.drawBitmap = null;
    /** @type {Record<string, unknown>} */
    this.colormaps = {};
    this.pen = 0;
    /** @type {FakeNiivue[]} */
    this.others = [];
    /** @type {(image: Image) => void} */
    this.onIntensityChange = () => {};
    /** @type {(place: object) => void} */
    this.onLocationChange = () => {};
    // whether the graphics card dropped the pictures
    this.lost = false;
    this.gl = {
      isContextLost: () => this.lost,
      getExtension: () => null,
      getParameter: () => "a graphics card",
      RENDERER: 1,
    };
    for (const name of ["drawScene", "updateGLVolume", "setScale", "setRenderAzimuthElevation", "setCrosshairWidth"]) {
      Object.assign(this, {
        [name]: (/** @type {unknown[]} */ ...given) => this.calls.push([name, ...given].join(" ")),
      });
    }
    for (const name of ["setDrawOpacity", "setOpacity", "cleanup", "refreshDrawing", "setDrawColormap"]) {
      Object.assign(this, {
        [name]: (/** @type {unknown[]} */ ...given) => this.calls.push([name, ...given].join(" ")),
      });
    }
  }

  async attachToCanvas() {
    return this;
  }

  /** The grid of the first image. */
  get grid() {
    const { hdr } = this.volumes[0];
    return { size: hdr.dims.slice(1, 4), affine: hdr.affine };
  }

  /** @param {Image} added */
  addVolume(added) {
    this.volumes.push(added);
    this.back = fake({ dims: added.dimsRAS, pixDimsRAS: added.pixDimsRAS });
    this.calls.push("addVolume");
    this.sync();
  }

  /** @param {Image} removed */
  removeVolume(removed) {
    this.volumes = this.volumes.filter((one) => one !== removed);
    this.sync();
  }

  /** Moves the others, as NiiVue does whenever it draws on a canvas that has the focus. */
  sync() {
    if (this.others.some((other) => !other.volumes.length)) throw new RangeError("an empty panel has no places");
  }

  /** @param {FakeNiivue[]} others */
  broadcastTo(others) {
    this.others = others;
  }

  /**
   * The place of a voxel's fraction; only scales and shifts are known here.
   * @param {number[]} frac
   */
  frac2mm(frac) {
    const { size, affine } = this.grid;
    return frac.map((value, i) => affine[i][i] * (value * size[i] - 0.5) + affine[i][3]);
  }

  /** @param {number[]} mm */
  mm2frac(mm) {
    const { size, affine } = this.grid;
    return [0, 1, 2].map((i) => ((mm[i] - affine[i][3]) / affine[i][i] + 0.5) / size[i]);
  }

  /** @param {number[]} voxel */
  vox2frac(voxel) {
    return voxel.map((value, i) => (value + 0.5) / this.grid.size[i]);
  }

  /** @param {number[]} frac */
  frac2vox(frac) {
    return frac.map((value, i) => Math.round(value * this.grid.size[i] - 0.5));
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} z
   */
  moveCrosshairInVox(x, y, z) {
    const voxel = this.frac2vox(this.scene.crosshairPos);
    const moved = [voxel[0] + x, voxel[1] + y, voxel[2] + z];
    this.scene.crosshairPos = this.vox2frac(
      moved.map((value, i) => Math.min(this.grid.size[i] - 1, Math.max(0, value))),
    );
  }

  createOnLocationChange() {
    const { crosshairPos: frac } = this.scene;
    const vox = this.frac2vox(frac);
    const [nx, ny] = this.grid.size;
    const values = this.volumes.map((one) => ({ value: one.img[vox[0] + nx * (vox[1] + ny * vox[2])] }));
    this.onLocationChange({ mm: [...this.frac2mm(frac), 1], vox, frac, values });
  }

  /** @param {number} view */
  setSliceType(view) {
    this.opts.sliceType = view;
  }

  /** @param {boolean} on */
  setRadiologicalConvention(on) {
    this.opts.isRadiologicalConvention = on;
  }

  /** @param {number[]} pan */
  setPan2Dxyzmm(pan) {
    this.scene.pan2Dxyzmm = pan;
  }

  /**
   * @param {string} name
   * @param {object} map
   */
  addColormap(name, map) {
    this.colormaps[name] = map;
  }

  colormap() {
    return Uint8ClampedArray.from({ length: 1024 }, (_, i) => i >> 2);
  }

  /** @param {boolean} on */
  setDrawingEnabled(on) {
    this.opts.drawingEnabled = on;
    if (on && !this.drawBitmap) this.createEmptyDrawing();
  }

  createEmptyDrawing() {
    this.drawBitmap = new Uint8Array(this.volumes[0].img.length);
  }

  closeDrawing() {
    this.drawBitmap = null;
  }

  /** @param {number} value */
  setPenValue(value) {
    this.pen = value;
  }

  /** @param {Image} mask */
  loadDrawing(mask) {
    this.drawBitmap = Uint8Array.from(mask.img);
  }

  /**
   * @param {number} low
   * @param {number} high
   * @param {{ sliceType: number }} how
   */
  interpolateMaskSlices(low, high, { sliceType }) {
    this.calls.push(`interpolate ${low} ${high} ${sliceType}`);
  }

  /** @returns {Promise<Uint8Array | boolean>} */
  async saveImage() {
    return Uint8Array.from(this.drawBitmap ?? []);
  }

  /**
   * The same as the viewer's code takes it.
   * @returns {Niivue}
   */
  get nv() {
    return fake(this);
  }
}

/**
 * Returns a library whose images come from a function instead of bytes.
 * @param {(name: string) => Image | Promise<Image>} [decode]
 */
export function library(decode = () => image()) {
  /** @type {FakeNiivue[]} */
  const made = [];
  class Niivue extends FakeNiivue {
    constructor() {
      super();
      made.push(this);
    }
  }
  const NVImage = { loadFromUrl: async (/** @type {{ name: string }} */ { name }) => decode(name) };
  /** @type {Library} */
  const known = fake({ Niivue, NVImage });
  return { known, made };
}
