// How the panels are looked at: view, colours, intensity windows, sides. None of it sends the server anything.

/** @import { Image } from "./niivue.d.ts" */
/** @import { Panel } from "./panel.js" */
/** @import { Viewer } from "./viewer.js" */

import { where } from "./link.js";
import { pinched } from "./place.js";
import { Windows } from "./windows.js";

const RENDER = 4;

export class Look {
  /** @param {Pick<Viewer, "panels" | "live" | "toolbar" | "drawing" | "input" | "aim">} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.view = 3;
    this.colormap = "gray";
    this.opacity = 0.5;
    this.radiological = false;
    this.windows = new Windows();
    /** @type {Panel | null} the panel that was used last */
    this.attended = null;
  }

  /** The panel that was used last, or else the first of those that show something. */
  get panel() {
    const { live } = this.viewer;
    return this.attended && live.includes(this.attended) ? this.attended : live.at(0);
  }

  forgetWindows() {
    this.windows.clear();
    this.viewer.toolbar.windows.value = "auto";
  }

  /**
   * Gives an image the colours and the window of its units.
   * @param {Image} image
   * @param {string} units
   */
  dress(image, units) {
    // the map first: NiiVue moves the window to the range that a map prefers
    image.colormap = this.colormap;
    [image.cal_min, image.cal_max] = this.windows.of(units, image);
  }

  /** Brings every panel to this look. */
  apply() {
    const { live } = this.viewer;
    for (const { nv, units } of live) {
      if (nv.opts.isRadiologicalConvention !== this.radiological) nv.setRadiologicalConvention(this.radiological);
      if (nv.opts.sliceType !== this.view) nv.setSliceType(this.view);
      // a line of one voxel: thin enough in the large panel, still a pixel wide in the small ones
      nv.setCrosshairWidth(live.length > 1 ? 1 : 0.6);
      nv.onIntensityChange = (image) => {
        const { cal_min: low, cal_max: high } = image;
        if (image === nv.volumes[0] && low !== undefined && high !== undefined) this.setWindow(low, high, units);
      };
    }
    const { panel } = this;
    if (panel) this.attend(panel);
  }

  /** @param {string | null} [units] those of the images to draw anew; all where left out */
  repaint(units = null) {
    for (const panel of this.viewer.live) {
      if (units !== null && panel.units !== units) continue;
      this.dress(panel.volumes[0], panel.units);
      panel.nv.updateGLVolume();
    }
    if (this.attended) this.attend(this.attended);
  }

  /**
   * Makes the toolbar show and set the window of this panel, and so of all images in the same units.
   * @param {Panel} panel
   */
  attend(panel) {
    if (!panel.filled) return;
    this.attended = panel;
    const { toolbar, live, panels } = this.viewer;
    const several = new Set(live.map((one) => one.units)).size > 1;
    toolbar.showWindow(this.windows.of(panel.units, panel.volumes[0]), several ? panel.of?.title : "");
    for (const one of panels) {
      one.root.classList.toggle("cs-attended", several && one.filled && one.units === panel.units);
    }
  }

  /** @param {number} view */
  setView(view) {
    this.view = view;
    if (view === RENDER) for (const panel of this.viewer.panels) panel.restoreGradients();
    this.apply();
    if (view === RENDER) this.repaint();
  }

  /** @param {string} name */
  setColormap(name) {
    this.colormap = name;
    this.repaint();
  }

  /**
   * @param {number} low
   * @param {number} high
   * @param {string} [units] those of the panel that was used last, where left out
   */
  setWindow(low, high, units = this.attended?.units) {
    if (units === undefined) return;
    this.windows.set(units, low, high);
    this.repaint(units);
  }

  /** @param {string} name */
  setWindowPreset(name) {
    this.windows.setPreset(name);
    this.repaint();
  }

  /** @param {number} value */
  setOpacity(value) {
    this.opacity = value;
    const { drawing, input } = this.viewer;
    if (drawing.active) input.nv.setDrawOpacity(value);
    else if (input.volumes.length > 1) input.nv.setOpacity(1, value);
  }

  /** @param {boolean} on */
  setRadiological(on) {
    this.radiological = on;
    this.viewer.toolbar.sides.setAttribute("aria-pressed", String(on));
    this.apply();
  }

  /**
   * Gives all panels pan and zoom of one.
   * @param {Pick<Panel, "nv">} panel
   */
  zoomAs(panel) {
    const [x, y, z, zoom] = panel.nv.scene.pan2Dxyzmm;
    for (const { nv } of this.viewer.live) if (nv !== panel.nv) nv.setPan2Dxyzmm([x, y, z, zoom]);
  }

  /**
   * Zooms all panels about the crosshair.
   * @param {Pick<Panel, "nv">} panel
   * @param {number} ratio
   */
  zoomBy(panel, ratio) {
    const { nv } = panel;
    nv.setPan2Dxyzmm(pinched(nv.scene.pan2Dxyzmm, where(nv).mm, ratio, [0, 0, 0]));
    this.zoomAs(panel);
  }

  reset() {
    for (const { nv } of this.viewer.live) {
      nv.setPan2Dxyzmm([0, 0, 0, 1]);
      nv.setScale(1);
      nv.setRenderAzimuthElevation(110, 10);
    }
    this.viewer.aim(null);
    this.viewer.toolbar.windows.value = "auto";
    this.setWindowPreset("auto");
  }
}
