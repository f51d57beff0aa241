// How the panels are looked at: view, colours, intensity windows, sides. None of it asks the server for anything.

import { Windows } from "./windows.js";

const RENDER = 4;

export class Look {
  constructor(viewer) {
    this.viewer = viewer;
    this.view = 3;
    this.colormap = "gray";
    this.opacity = 0.5;
    this.radiological = false;
    this.windows = new Windows();
    this.attended = null;
  }

  forgetWindows() {
    this.windows.clear();
    this.viewer.toolbar.windows.value = "auto";
  }

  dress(image, units) {
    // the map first: NiiVue moves the window to the range that a map prefers
    image.colormap = this.colormap;
    [image.cal_min, image.cal_max] = this.windows.of(units, image);
  }

  // bring every panel to this look
  apply() {
    const { live } = this.viewer;
    for (const { nv, units } of live) {
      if (nv.opts.isRadiologicalConvention !== this.radiological) nv.setRadiologicalConvention(this.radiological);
      if (nv.opts.sliceType !== this.view) nv.setSliceType(this.view);
      // a line of one voxel: thin enough in the large panel, still a pixel wide in the small ones
      nv.setCrosshairWidth(live.length > 1 ? 1 : 0.6);
      nv.onIntensityChange = (image) => image === nv.volumes[0] && this.setWindow(image.cal_min, image.cal_max, units);
    }
    this.attend(live.includes(this.attended) ? this.attended : live[0]);
  }

  repaint(units = null) {
    for (const panel of this.viewer.live) {
      if (units !== null && panel.units !== units) continue;
      this.dress(panel.volumes[0], panel.units);
      panel.nv.updateGLVolume();
    }
    this.attend(this.attended);
  }

  // the toolbar shows and sets the window of the panel that was used last, and of all images in the same units
  attend(panel) {
    if (!panel?.filled) return;
    this.attended = panel;
    const { viewer } = this;
    const several = new Set(viewer.live.map((one) => one.units)).size > 1;
    viewer.toolbar.showWindow(this.windows.of(panel.units, panel.volumes[0]), several ? panel.of.title : "");
    for (const one of viewer.panels)
      one.root.classList.toggle("cs-attended", several && one.filled && one.units === panel.units);
  }

  setView(view) {
    this.view = view;
    if (view === RENDER) for (const panel of this.viewer.panels) panel.restoreGradients?.();
    this.apply();
    if (view === RENDER) this.repaint();
  }

  setColormap(name) {
    this.colormap = name;
    this.repaint();
  }

  setWindow(low, high, units = this.attended?.units) {
    this.windows.set(units, low, high);
    this.repaint(units);
  }

  setWindowPreset(name) {
    this.windows.setPreset(name);
    this.repaint();
  }

  setOpacity(value) {
    this.opacity = value;
    const {
      drawing,
      input: { nv, volumes },
    } = this.viewer;
    if (drawing.active) nv.setDrawOpacity(value);
    else if (volumes.length > 1) nv.setOpacity(1, value);
  }

  setRadiological(on) {
    this.radiological = on;
    this.viewer.toolbar.sides.setAttribute("aria-pressed", String(on));
    this.apply();
  }

  reset() {
    for (const { nv } of this.viewer.live) {
      nv.setPan2Dxyzmm([0, 0, 0, 1]);
      nv.setScale(1);
      nv.setRenderAzimuthElevation(110, 10);
    }
    this.viewer.aim(null, null);
    this.viewer.toolbar.windows.value = "auto";
    this.setWindowPreset("auto");
  }
}
