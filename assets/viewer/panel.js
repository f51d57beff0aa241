// One titled canvas: its volumes, its read-out, its legend.

import { el, icon } from "./dom.js";
import { DRAW_MAP, addMaps, isSoftware, skipGradients } from "./volumes.js";

const OPTIONS = {
  backColor: [0.024, 0.035, 0.047, 1],
  crosshairColor: [0.22, 0.74, 0.97, 0.75],
  crosshairWidth: 1,
  crosshairWidthUnit: "voxels",
  crosshairGap: 5,
  isCornerOrientationText: true,
  fontColor: [0.66, 0.72, 0.78, 1],
  fontMinPx: 11,
  fontSizeScaling: 0.2,
  multiplanarShowRender: 0,
  multiplanarPadPixels: 4,
  show3Dcrosshair: true,
  isOrientCube: false,
  isColorbar: false,
  dragAndDropEnabled: false,
  loadingText: "",
  logLevel: "error",
  viewModeHotKey: "",
  clipPlaneHotKey: "",
  scrollRequiresFocus: false,
  penSize: 3,
};

const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 5, useGrouping: false });
const fixed = (value) => value.toFixed(1).replace("-", "\u2212");

export class Panel {
  constructor(id, title, invitation) {
    this.id = id;
    this.volumes = [];
    this.nv = null;
    this.title = el("h3", { text: title });
    this.extra = el("div", { class: "cs-panel-extra" });
    this.badge = el("span", { class: "cs-badge", text: "SYNTHETIC", title: "Made by a model; not measured", hidden: true });
    this.canvas = el("canvas", { tabindex: "0", role: "img", "aria-label": `${title}: brain slices, linked crosshair` });
    this.placeholder = el("div", { class: "cs-placeholder" });
    this.invite(invitation);
    this.legend = el("div", { class: "cs-legend", hidden: true });
    this.readout = el("div", { class: "cs-readout", text: "" });
    this.stage = el("div", { class: "cs-stage" }, this.canvas, this.placeholder);
    this.extra.append(this.legend);
    this.root = el("section", { class: "cs-panel", "aria-label": title },
      el("header", {}, this.title, this.badge, this.extra), this.stage, this.readout);
    this.root.dataset.panel = id;
  }

  invite(text) {
    this.placeholder.replaceChildren(el("div", {}, icon("scan"), el("p", { text })));
  }

  async attach(library) {
    if (this.nv) return;
    this.nv = new library.Niivue({ ...OPTIONS });
    await this.nv.attachToCanvas(this.canvas, false);
    addMaps(this.nv);
    this.nv.setDrawColormap(DRAW_MAP);
    this.software = isSoftware(this.nv.gl);
    this.restoreGradients = this.software ? skipGradients(this.nv) : () => {};
    this.nv.onLocationChange = (place) => this.read(place);
  }

  read(place) {
    const values = place.values.map((one) => (Number.isFinite(one.value) ? number.format(one.value).replace("-", "\u2212") : "\u2013"));
    const mm = Array.from(place.mm).slice(0, 3).map(fixed).join(", ");
    this.readout.replaceChildren(
      el("span", { text: `${mm} mm` }),
      el("span", { text: `voxel ${Array.from(place.vox).slice(0, 3).join(", ")}` }),
      el("strong", { text: values.at(this.valueAt ?? 0) ?? "" }),
    );
  }

  async show(library, images, { synthetic = false, valueAt = 0 } = {}) {
    await this.attach(library);
    this.valueAt = valueAt;
    if (images.length !== this.volumes.length || images.some((image, i) => image !== this.volumes[i])) {
      for (const old of [...this.nv.volumes]) this.nv.volumes.splice(this.nv.volumes.indexOf(old), 1);
      this.nv.back = null;
      this.nv.overlays = [];
      this.volumes = images;
      for (const image of images) this.nv.addVolume(image);
    }
    this.badge.hidden = !synthetic;
    this.placeholder.hidden = true;
    this.root.classList.add("cs-filled");
    this.nv.drawScene();
    this.nv.createOnLocationChange();
  }

  clear(invitation) {
    this.volumes = [];
    if (this.nv) for (const old of [...this.nv.volumes]) this.nv.removeVolume(old);
    this.root.classList.remove("cs-filled");
    this.placeholder.hidden = false;
    if (invitation) this.invite(invitation);
    this.readout.replaceChildren();
    this.legend.hidden = true;
    this.badge.hidden = true;
  }

  setLegend(low, high, maps, label) {
    const bar = el("i", {});
    const colours = maps.flatMap((name, side) => this.ramp(name, maps.length === 2 && side === 0));
    bar.style.background = `linear-gradient(to right, ${colours.join(", ")})`;
    this.legend.replaceChildren(el("span", { text: number.format(low).replace("-", "\u2212") }), bar, el("span", { text: number.format(high) }));
    this.legend.title = label;
    this.legend.hidden = false;
  }

  ramp(name, reversed) {
    const lut = this.nv.colormap(name);
    const stops = [0, 64, 128, 192, 255].map((i) => `rgb(${lut[4 * i]} ${lut[4 * i + 1]} ${lut[4 * i + 2]})`);
    return reversed ? stops.reverse() : stops;
  }
}
