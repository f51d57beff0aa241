// One titled canvas: its volumes, its read-out, its legend.

/** @import { Niivue, NiiVueLocation } from "@niivue/niivue" */
/** @import { Image, Library } from "./niivue.d.ts" */
/** @import { Choice } from "./scene.js" */

import { addMaps } from "./colormaps.js";
import { el, icon, select, setOptions, shape } from "./dom.js";
import { isSoftware, skipGradients } from "./graphics.js";

/** @typedef {{ title: string, units: string, synthetic: boolean }} Shown what a panel shows */

/** @type {ConstructorParameters<typeof Niivue>[0]} */
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
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3, useGrouping: false });
const minus = (/** @type {string} */ text) => text.replace("-", "\u2212");
const written = (/** @type {number} */ value) => minus(number.format(value));
const fixed = (/** @type {number} */ value) => minus(value.toFixed(1));

export class Panel {
  /**
   * @param {string} id
   * @param {string} title
   * @param {string} invitation text of the empty panel
   */
  constructor(id, title, invitation) {
    this.id = id;
    /** @type {Image[]} */
    this.volumes = [];
    /** @type {Niivue | null} */
    this.viewer = null;
    /** @type {Shown | null} */
    this.of = null;
    this.valueAt = 0;
    this.software = false;
    this.offered = "";
    this.restoreGradients = () => {};
    this.onpick = (/** @type {string} */ _value) => {};
    // other volumes are there, and not drawn yet
    this.onfill = (/** @type {Niivue} */ _nv) => {};
    this.ondrawn = () => {};
    // the graphics card dropped what was drawn
    this.onlost = () => {};
    this.title = el("h3");
    this.extra = el("div", { class: "cs-panel-extra" });
    this.badge = el("span", {
      class: "cs-badge",
      text: "SYNTHETIC",
      title: "Made by a model; not measured",
      hidden: true,
    });
    this.canvas = this.newCanvas();
    this.placeholder = el("div", { class: "cs-placeholder" });
    this.legend = el("div", { class: "cs-legend", hidden: true });
    this.readout = el("div", { class: "cs-readout", text: "" });
    this.marks = shape("svg", { class: "cs-marks", "aria-hidden": "true" });
    this.stage = el("div", { class: "cs-stage" }, this.canvas, this.marks, this.legend, this.placeholder);
    this.pick = select("", [], "", (value) => this.onpick(value));
    this.pick.hidden = true;
    this.extra.append(this.pick);
    const header = el("header", {}, this.title, this.badge, this.extra);
    this.root = el("section", { class: "cs-panel", "data-panel": id }, header, this.stage, this.readout);
    this.name(title);
    this.invite(invitation);
  }

  newCanvas() {
    const lost = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.onlost();
    };
    return el("canvas", { tabindex: "0", role: "img", onwebglcontextlost: lost });
  }

  /** Whether the graphics card dropped what was drawn. */
  get lost() {
    return this.viewer?.gl.isContextLost() ?? false;
  }

  /** Takes a new canvas, because the graphics card dropped what was on the old one. */
  renew() {
    this.viewer?.cleanup();
    this.viewer = null;
    this.volumes = [];
    const canvas = this.newCanvas();
    canvas.setAttribute("aria-label", this.canvas.getAttribute("aria-label") ?? "");
    this.canvas.replaceWith(canvas);
    this.canvas = canvas;
  }

  /** NiiVue on this canvas, once it was attached. */
  get nv() {
    if (!this.viewer) throw new Error(`Nothing was drawn in the panel ${this.id} yet.`);
    return this.viewer;
  }

  get filled() {
    return this.volumes.length > 0;
  }

  get units() {
    return this.of?.units ?? "";
  }

  get picked() {
    return this.pick.hidden ? "" : (this.pick.selectedOptions[0]?.textContent ?? "");
  }

  /** The words under a picture of this panel. */
  get caption() {
    const { picked } = this;
    const title = this.title.textContent ?? "";
    const named = picked && picked !== title ? `${title}: ${picked}` : title;
    if (this.legend.hidden) return named;
    const [unit, low, high] = [...this.legend.querySelectorAll("span")].map((one) => one.textContent);
    return `${named} (${low} to ${high}, ${unit})`;
  }

  /** @param {string} title */
  name(title) {
    this.title.textContent = title;
    this.root.setAttribute("aria-label", title);
    this.canvas.setAttribute("aria-label", `${title}: brain slices, linked crosshair`);
  }

  /**
   * Offers a pick list where there is something to pick.
   * @param {string} label
   * @param {Choice[]} options
   * @param {string} value
   * @param {(value: string) => void} [onpick]
   */
  choose(label, options, value, onpick = () => {}) {
    this.onpick = onpick;
    this.pick.setAttribute("aria-label", label);
    this.pick.title = label;
    const offered = JSON.stringify(options);
    // an open list would close under the hand of who is choosing
    if (offered === this.offered) this.pick.value = value;
    else setOptions(this.pick, options, value);
    this.offered = offered;
    this.pick.hidden = options.length < 2;
    this.root.classList.toggle("cs-listed", !this.pick.hidden && this.picked === this.title.textContent);
  }

  /** @param {string} text */
  invite(text) {
    this.placeholder.replaceChildren(el("div", {}, icon("scan"), el("p", { text })));
  }

  /** @param {Pick<Library, "Niivue">} library */
  async attach(library) {
    if (this.viewer) return;
    const nv = new library.Niivue({ ...OPTIONS });
    await nv.attachToCanvas(this.canvas, false);
    this.viewer = nv;
    addMaps(nv);
    this.software = isSoftware(nv.gl);
    if (this.software) this.restoreGradients = skipGradients(nv);
    const draw = nv.drawScene.bind(nv);
    nv.drawScene = () => {
      const drawn = draw();
      this.ondrawn();
      return drawn;
    };
    nv.onLocationChange = (place) => this.read(/** @type {NiiVueLocation} */ (place));
  }

  /** @param {Pick<NiiVueLocation, "mm" | "vox" | "values">} place */
  read(place) {
    const values = place.values.map((one) => (Number.isFinite(one.value) ? written(one.value) : "\u2013"));
    const mm = Array.from(place.mm).slice(0, 3).map(fixed).join(", ");
    this.readout.replaceChildren(
      el("span", { text: `${mm} mm` }),
      el("span", { text: `voxel ${Array.from(place.vox).slice(0, 3).join(", ")}` }),
      el("strong", { text: values.at(this.valueAt) ?? "" }),
    );
  }

  /**
   * Draws volumes over each other.
   * @param {Pick<Library, "Niivue">} library
   * @param {Image[]} images
   * @param {Shown} of what the first volume shows
   * @param {number} [valueAt] the volume whose value is read out
   */
  async show(library, images, of, valueAt = 0) {
    await this.attach(library);
    const { nv } = this;
    this.valueAt = valueAt;
    this.of = of;
    if (images.length !== this.volumes.length || images.some((image, i) => image !== this.volumes[i])) {
      nv.volumes = [];
      nv.back = null;
      nv.overlays = [];
      this.volumes = images;
      for (const image of images) nv.addVolume(image);
      this.onfill(nv);
    }
    this.badge.hidden = !of.synthetic;
    this.legend.hidden = true;
    this.placeholder.hidden = true;
    this.root.classList.add("cs-filled");
    nv.drawScene();
    nv.createOnLocationChange();
  }

  /** @param {string} [invitation] */
  clear(invitation) {
    this.volumes = [];
    if (this.viewer) for (const old of [...this.viewer.volumes]) this.viewer.removeVolume(old);
    this.root.classList.remove("cs-filled");
    this.placeholder.hidden = false;
    if (invitation) this.invite(invitation);
    this.readout.replaceChildren();
    this.legend.hidden = true;
    this.badge.hidden = true;
  }

  /**
   * @param {number} low
   * @param {number} high
   * @param {string[]} maps one colour map, or two: below and above zero
   * @param {string} unit what the numbers are, in few words
   * @param {string} label in more words
   */
  setLegend(low, high, maps, unit, label) {
    const bar = el("i");
    const colours = maps.flatMap((name, side) => this.ramp(name, maps.length === 2 && side === 0));
    bar.style.background = `linear-gradient(to right, ${colours.join(", ")})`;
    const [from, to] = [low, high].map((value) => el("span", { text: minus(short.format(value)) }));
    this.legend.replaceChildren(el("span", { class: "cs-unit", text: unit }), from, bar, to);
    this.legend.title = label;
    this.legend.hidden = false;
  }

  /**
   * @param {string} name
   * @param {boolean} reversed
   */
  ramp(name, reversed) {
    const lut = this.nv.colormap(name);
    const stops = [0, 64, 128, 192, 255].map((i) => `rgb(${lut[4 * i]} ${lut[4 * i + 1]} ${lut[4 * i + 2]})`);
    return reversed ? stops.reverse() : stops;
  }
}
