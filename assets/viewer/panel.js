// One titled canvas: its volumes, its read-out, its legend.

import { el, icon, select, setOptions } from "./dom.js";
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
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3, useGrouping: false });
const minus = (text) => text.replace("-", "\u2212");
const written = (value) => minus(number.format(value));
const fixed = (value) => minus(value.toFixed(1));
const SYNTHETIC = "SYNTHETIC";

export class Panel {
  constructor(id, title, invitation) {
    this.id = id;
    this.volumes = [];
    this.nv = null;
    this.title = el("h3", {});
    this.extra = el("div", { class: "cs-panel-extra" });
    this.badge = el("span", {
      class: "cs-badge",
      text: SYNTHETIC,
      title: "Made by a model; not measured",
      hidden: true,
    });
    this.canvas = el("canvas", { tabindex: "0", role: "img" });
    this.placeholder = el("div", { class: "cs-placeholder" });
    this.image = el("img", { alt: "" });
    this.imageText = el("figcaption", {});
    this.figure = el("figure", { class: "cs-preview", hidden: true }, this.image, this.imageText);
    this.image.addEventListener("error", () => this.preview(null));
    this.legend = el("div", { class: "cs-legend", hidden: true });
    this.readout = el("div", { class: "cs-readout", text: "" });
    this.stage = el("div", { class: "cs-stage" }, this.canvas, this.legend, this.placeholder, this.figure);
    this.pick = select("", [], "", (value) => this.onpick(value));
    this.pick.hidden = true;
    this.extra.append(this.pick);
    this.root = el(
      "section",
      { class: "cs-panel" },
      el("header", {}, this.title, this.badge, this.extra),
      this.stage,
      this.readout,
    );
    this.root.dataset.panel = id;
    this.name(title);
    this.invite(invitation);
  }

  get filled() {
    return this.volumes.length > 0;
  }

  get units() {
    return this.of?.units;
  }

  get previewing() {
    return !this.figure.hidden;
  }

  get picked() {
    return this.pick.hidden ? "" : (this.pick.selectedOptions[0]?.textContent ?? "");
  }

  // what a picture of this panel has to say
  get caption() {
    const {
      picked,
      title: { textContent: title },
    } = this;
    const named = picked && picked !== title ? `${title}: ${picked}` : title;
    if (this.legend.hidden) return named;
    return `${named} (${[...this.legend.querySelectorAll("span")].map((one) => one.textContent).join(" to ")})`;
  }

  name(title) {
    this.title.textContent = title;
    this.root.setAttribute("aria-label", title);
    this.canvas.setAttribute("aria-label", `${title}: brain slices, linked crosshair`);
  }

  // a pick list where there is something to pick
  choose(label, options, value, onpick) {
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

  invite(text) {
    this.placeholder.replaceChildren(el("div", {}, icon("scan"), el("p", { text })));
  }

  // a picture of a run that is not over, in the place of volumes
  preview(given) {
    this.figure.hidden = !given;
    if (!given) {
      this.image.removeAttribute("src");
      this.badge.textContent = SYNTHETIC;
      this.badge.hidden = !this.synthetic;
      return;
    }
    if (this.image.getAttribute("src") !== given.url) this.image.src = given.url;
    this.image.alt = `Preview of the running job, synthetic. ${given.text ?? ""}`.trim();
    this.imageText.textContent = given.text ?? "";
    this.badge.textContent = `PREVIEW, ${SYNTHETIC}`;
    this.badge.hidden = false;
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
    const values = place.values.map((one) => (Number.isFinite(one.value) ? written(one.value) : "\u2013"));
    const mm = Array.from(place.mm).slice(0, 3).map(fixed).join(", ");
    this.readout.replaceChildren(
      el("span", { text: `${mm} mm` }),
      el("span", { text: `voxel ${Array.from(place.vox).slice(0, 3).join(", ")}` }),
      el("strong", { text: values.at(this.valueAt ?? 0) ?? "" }),
    );
  }

  // `of` is the image that the first volume shows, `valueAt` the volume whose value is read out
  async show(library, images, of, valueAt = 0) {
    await this.attach(library);
    this.valueAt = valueAt;
    this.of = of;
    if (images.length !== this.volumes.length || images.some((image, i) => image !== this.volumes[i])) {
      this.nv.volumes = [];
      this.nv.back = null;
      this.nv.overlays = [];
      this.volumes = images;
      for (const image of images) this.nv.addVolume(image);
    }
    this.mark(of.synthetic);
    this.legend.hidden = true;
    this.placeholder.hidden = true;
    this.root.classList.add("cs-filled");
    this.nv.drawScene();
    this.nv.createOnLocationChange();
  }

  mark(synthetic) {
    this.synthetic = synthetic;
    if (!this.previewing) this.badge.hidden = !synthetic;
  }

  clear(invitation) {
    this.volumes = [];
    if (this.nv) for (const old of [...this.nv.volumes]) this.nv.removeVolume(old);
    this.root.classList.remove("cs-filled");
    this.placeholder.hidden = false;
    if (invitation) this.invite(invitation);
    this.readout.replaceChildren();
    this.legend.hidden = true;
    this.mark(false);
  }

  setLegend(low, high, maps, label) {
    const bar = el("i", {});
    const colours = maps.flatMap((name, side) => this.ramp(name, maps.length === 2 && side === 0));
    bar.style.background = `linear-gradient(to right, ${colours.join(", ")})`;
    const [from, to] = [low, high].map((value) => el("span", { text: minus(short.format(value)) }));
    this.legend.replaceChildren(from, bar, to);
    this.legend.title = label;
    this.legend.hidden = false;
  }

  ramp(name, reversed) {
    const lut = this.nv.colormap(name);
    const stops = [0, 64, 128, 192, 255].map((i) => `rgb(${lut[4 * i]} ${lut[4 * i + 1]} ${lut[4 * i + 2]})`);
    return reversed ? stops.reverse() : stops;
  }
}
