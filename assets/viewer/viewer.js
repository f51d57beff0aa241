// The viewer: four linked panels, driven by a scene from the server and by its own toolbar.
//
// scene = { scan: {id, url, synthetic} | null, mask: {id, url} | null,
//           results: [{id, title, url}], uncertainty: url | null, uncertain: title, busy: bool }

import { el, saveBlob, select, setOptions } from "./dom.js";
import { Drawing } from "./drawing.js";
import { Panel } from "./panel.js";
import { Toolbar } from "./toolbar.js";
import { Volumes, hasWebGL2, loadLibrary } from "./volumes.js";

const INVITE = "Drop a T1 scan here or in step 1. It appears here, ready for drawing a mask.";
const NO_DOUBT = "This method makes one fill and has no measure of doubt. The Counterscan network gives a map of it.";
const EMPTY = { scan: null, mask: null, results: [], uncertainty: null };

class Viewer {
  constructor(root, host) {
    this.host = host;
    this.scene = EMPTY;
    this.look = { view: 3, colormap: "gray", opacity: 0.5, radiological: false, window: null };
    this.queue = Promise.resolve();
    this.input = new Panel("input", "Input and mask", INVITE);
    this.result = new Panel("result", "Result", "The filled scan appears here.");
    this.difference = new Panel("difference", "Difference from the input", "What was changed appears here.");
    this.uncertainty = new Panel("uncertainty", "Uncertainty", NO_DOUBT);
    this.panels = [this.input, this.result, this.difference, this.uncertainty];
    this.pick = select("Result to show", [], "", (id) => this.showResult(id));
    this.pick.hidden = true;
    this.result.extra.append(this.pick);
    this.drawing = new Drawing(this.input, {
      onstart: () => this.redraw(), onstop: () => this.run(() => this.redraw()), onsaved: (reply) => host.emit(reply),
    });
    this.drawing.handlers.onload = (url) => this.volumes.mask(url, this.look.opacity);
    this.toolbar = new Toolbar(this);
    this.status = el("p", { class: "cs-status", role: "status" });
    this.grid = el("div", { class: "cs-grid" }, ...this.panels.map((panel) => panel.root));
    root.replaceChildren(this.toolbar.root, this.drawing.root, this.grid, this.status);
    this.root = root;
    this.takeFiles();
    this.layout();
    this.toolbar.enable(false);
  }

  async start(url) {
    if (!hasWebGL2()) {
      this.toolbar.enable(false);
      this.input.clear("This browser cannot draw volumes (WebGL 2 is off). Runs and downloads still work; to see scans, "
        + "turn on hardware acceleration or use a current Firefox, Chrome, Edge or Safari.");
      this.blind = true;
      return;
    }
    this.library = await loadLibrary(url);
    this.volumes = new Volumes(this.library);
  }

  // scenes are applied one after the other, so that a slow load never overtakes a newer one
  run(work) {
    this.queue = this.queue.then(work).catch((error) => {
      console.warn(error);
      this.say(error.message || "The volume could not be shown.", true);
    });
    return this.queue;
  }

  apply(scene) {
    if (this.blind) return Promise.resolve();
    return this.run(async () => {
      const next = { ...EMPTY, ...(scene || {}) };
      if (this.drawing.active && next.scan?.id !== this.scene.scan?.id) this.drawing.stop();
      if (next.scan?.url !== this.scene.scan?.url) this.look.window = null;
      this.scene = next;
      this.root.dataset.ready = "false";
      await this.redraw();
      this.root.dataset.ready = "true";
    });
  }

  takeFiles() {
    const area = this.input.placeholder;
    const over = (on) => (event) => { event.preventDefault(); area.classList.toggle("cs-over", on); };
    area.addEventListener("dragover", over(true));
    area.addEventListener("dragleave", over(false));
    area.addEventListener("drop", (event) => {
      over(false)(event);
      if (event.dataTransfer?.files.length) this.host.take?.(event.dataTransfer.files);
    });
  }

  get shown() {
    const wanted = this.scene.results.find((one) => one.id === this.pick.value);
    return wanted ?? this.scene.results[0];
  }

  layout() {
    const four = this.scene.results.length > 0 && !this.drawing.active;
    this.root.classList.toggle("cs-four", four);
    for (const panel of this.panels.slice(1)) panel.root.hidden = !four;
    this.root.classList.toggle("cs-empty", !this.scene.scan);
    this.root.classList.toggle("cs-busy", Boolean(this.scene.busy));
    return four;
  }

  async redraw() {
    const { scan, mask, results } = this.scene;
    const four = this.layout();
    if (!scan) {
      for (const panel of this.panels) panel.clear();
      this.toolbar.enable(false);
      return;
    }
    this.volumes.keep([scan.url, mask?.url, this.scene.uncertainty, ...results.map((one) => one.url)]);
    this.say("Loading the scan \u2026");
    const anatomy = await this.volumes.anatomy(scan.url);
    const layers = [anatomy];
    const marked = mask?.url ? await this.volumes.mask(mask.url, this.look.opacity) : null;
    if (marked && !this.drawing.active) layers.push(marked);
    this.adopt(anatomy);
    await this.input.show(this.library, layers, { synthetic: Boolean(scan.synthetic) });
    if (four) await this.redrawResult(anatomy);
    this.link();
    this.aim(marked);
    this.relook();
    this.toolbar.enable(true);
    this.toolbar.draw.disabled = Boolean(this.scene.busy);
    this.say(this.input.software
      ? "Drawn without a graphics card: slices are fine, the 3D view is slow." : "");
  }

  async redrawResult(anatomy) {
    const { scan, results, uncertainty } = this.scene;
    const current = this.shown;
    setOptions(this.pick, results.map((one) => [one.id, one.title]), current.id);
    this.pick.hidden = results.length < 2;
    this.result.title.textContent = results.length < 2 ? `Result: ${current.title}` : "Result";
    const filled = await this.volumes.anatomy(current.url);
    this.dress(filled);
    await this.result.show(this.library, [filled], { synthetic: true });
    const change = await this.volumes.difference(current.url, scan.url);
    await this.difference.show(this.library, [anatomy, change], { valueAt: 1 });
    this.difference.setLegend(-change.cal_max, change.cal_max, ["winter", "warm"], "Result minus input, in the scan's units");
    await this.redrawUncertainty(anatomy, uncertainty);
  }

  async redrawUncertainty(anatomy, url) {
    if (!url) {
      this.uncertainty.clear(NO_DOUBT);
      return;
    }
    const doubt = await this.volumes.uncertainty(url);
    await this.uncertainty.show(this.library, [anatomy, doubt], { valueAt: 1 });
    this.uncertainty.title.textContent = this.scene.uncertain ? `Uncertainty: ${this.scene.uncertain}` : "Uncertainty";
    this.uncertainty.setLegend(0, doubt.cal_max, ["inferno"], "One standard deviation, in the scan's units");
  }

  showResult(id) {
    this.pick.value = id;
    return this.run(() => this.redraw());
  }

  link() {
    const live = this.panels.filter((panel) => panel.nv && panel.volumes.length).map((panel) => panel.nv);
    for (const nv of live) {
      nv.broadcastTo(live.filter((other) => other !== nv), { "2d": true, "3d": true });
      nv.onIntensityChange = (image) => image === nv.volumes[0] && this.setWindow(image.cal_min, image.cal_max);
    }
  }

  // a new mask draws the crosshair to its centre; other panels follow the input's
  aim(marked) {
    const { nv } = this.input;
    if (marked && marked !== this.aimed && !this.drawing.active) nv.scene.crosshairPos = this.volumes.centre(marked, nv);
    this.aimed = marked;
    for (const panel of this.panels) {
      if (!panel.nv || !panel.volumes.length) continue;
      panel.nv.scene.crosshairPos = [...nv.scene.crosshairPos];
      panel.nv.drawScene();
      panel.nv.createOnLocationChange();
    }
  }

  adopt(anatomy) {
    this.anatomy = anatomy;
    if (!this.look.window) this.look.window = [anatomy.robust_min, anatomy.robust_max];
    this.dress(anatomy);
    this.toolbar.showWindow(...this.look.window);
  }

  dress(image) {
    // the map first: NiiVue moves the window to the range that a map prefers
    image.colormap = this.look.colormap;
    [image.cal_min, image.cal_max] = this.look.window;
  }

  relook() {
    for (const { nv, volumes } of this.panels) {
      if (!nv || !volumes.length) continue;
      if (nv.opts.isRadiologicalConvention !== this.look.radiological) nv.setRadiologicalConvention(this.look.radiological);
      if (nv.opts.sliceType !== this.look.view) nv.setSliceType(this.look.view);
      // a line of one voxel: thin enough in the large panel, still a pixel wide in the small ones
      nv.setCrosshairWidth(this.root.classList.contains("cs-four") ? 1 : 0.6);
    }
  }

  repaint() {
    for (const { nv, volumes } of this.panels) {
      if (!nv || !volumes.length) continue;
      this.dress(volumes[0]);
      nv.updateGLVolume();
    }
  }

  setView(view) {
    this.look.view = view;
    if (view === 4) for (const panel of this.panels) panel.restoreGradients?.();
    this.relook();
    if (view === 4) this.repaint();
  }

  setColormap(name) {
    this.look.colormap = name;
    this.repaint();
  }

  setWindow(low, high) {
    this.look.window = [low, high];
    this.toolbar.showWindow(low, high);
    this.repaint();
  }

  setWindowPreset(name) {
    const { robust_min: low, robust_max: high, global_min: least, global_max: most } = this.anatomy;
    const windows = { auto: [low, high], full: [least, most], bright: [low, low + 0.7 * (high - low)] };
    this.setWindow(...windows[name]);
  }

  setOpacity(value) {
    this.look.opacity = value;
    const { nv, volumes } = this.input;
    if (this.drawing.active) nv.setDrawOpacity(value);
    else if (volumes.length > 1) nv.setOpacity(1, value);
  }

  setRadiological(on) {
    this.look.radiological = on;
    this.toolbar.sides.setAttribute("aria-pressed", String(on));
    this.relook();
  }

  startDrawing() {
    const { scan, mask } = this.scene;
    if (!scan || this.drawing.active || this.blind) return;
    this.run(() => this.drawing.start(scan.id, mask?.url));
  }

  reset() {
    for (const { nv, volumes } of this.panels) {
      if (!nv || !volumes.length) continue;
      nv.scene.crosshairPos = [0.5, 0.5, 0.5];
      nv.setPan2Dxyzmm([0, 0, 0, 1]);
      nv.setScale(1);
      nv.setRenderAzimuthElevation(110, 10);
      nv.createOnLocationChange();
    }
    this.toolbar.windows.value = "auto";
    if (this.anatomy) this.setWindowPreset("auto");
  }

  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen?.().catch(() => this.say("Full screen is not allowed here.", true));
  }

  // titles and the synthetic mark are burned in, so that a picture that travels alone still says what it is
  screenshot() {
    const box = this.grid.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    const page = el("canvas", { width: String(Math.round(box.width * ratio)), height: String(Math.round((box.height + 24) * ratio)) });
    const pen = page.getContext("2d");
    pen.scale(ratio, ratio);
    pen.fillStyle = "#0b0f14";
    pen.fillRect(0, 0, box.width, box.height + 24);
    pen.font = "600 13px sans-serif";
    for (const panel of this.panels) {
      if (panel.root.hidden || !panel.nv) continue;
      panel.nv.drawScene();
      const area = panel.canvas.getBoundingClientRect();
      pen.drawImage(panel.canvas, area.x - box.x, area.y - box.y, area.width, area.height);
      pen.fillStyle = "#e6edf3";
      pen.fillText(panel.title.textContent + (panel.badge.hidden ? "" : "  \u00b7  SYNTHETIC"), area.x - box.x + 8, area.y - box.y - 10);
    }
    pen.fillStyle = "#a9b7c6";
    pen.fillText("Counterscan \u00b7 research use only, not for diagnosis", 8, box.height + 16);
    page.toBlob((blob) => saveBlob(blob, "counterscan.png"), "image/png");
  }

  say(text, alarm = false) {
    this.status.textContent = text;
    this.status.setAttribute("role", alarm ? "alert" : "status");
    this.status.classList.toggle("cs-alarm", alarm);
  }
}

export async function mount(element, host) {
  const root = element.querySelector(".cs-viewer");
  const viewer = new Viewer(root, host);
  root.counterscan = viewer;
  try {
    await viewer.start(host.library);
  } catch (error) {
    console.warn(error);
    viewer.blind = true;
    viewer.input.clear("The viewer's library could not be loaded. Run `make run` again to install it. [viewer_missing]");
  }
  return viewer;
}
