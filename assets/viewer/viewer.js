// The viewer: up to four linked panels, driven by a scene from the server (see scene.js) and by its own toolbar.

/** @import { MaskReply } from "./drawing.js" */
/** @import { Place } from "./link.js" */
/** @import { Image, Library } from "./niivue.d.ts" */
/** @import { SceneVolume } from "./scene.js" */
/** @import { Scene } from "./scene-json.d.ts" */

import { Compare } from "./compare.js";
import { el } from "./dom.js";
import { Drawing } from "./drawing.js";
import { hasWebGL2, loadLibrary } from "./graphics.js";
import { centreOf } from "./grids.js";
import { goTo, link, triple, unlink, where } from "./link.js";
import { Look } from "./look.js";
import { Maps } from "./maps.js";
import { Panel } from "./panel.js";
import { addresses, choices, complete, find, images } from "./scene.js";
import { Toolbar } from "./toolbar.js";
import { Volumes } from "./volumes.js";

/**
 * @typedef {object} Host the page around the viewer
 * @property {string} library address of NiiVue's bundle
 * @property {(reply: MaskReply) => void} emit a mask was drawn
 * @property {(files: FileList) => void} [take] files were dropped
 */

const NO_WEBGL =
  "This browser cannot draw volumes (WebGL 2 is off). Runs and downloads still work; to see scans, " +
  "turn on hardware acceleration or use a current Firefox, Chrome, Edge or Safari.";
const NO_LIBRARY = "The viewer's library could not be loaded. Run `make run` again to install it. [viewer_missing]";
const SLOW = "Drawn without a graphics card: slices are fine, the 3D view is slow.";
const LOADING_AFTER_MS = 300;

export class Viewer {
  /**
   * @param {HTMLElement} root
   * @param {Pick<Host, "emit" | "take">} host
   */
  constructor(root, host) {
    this.host = host;
    this.root = root;
    this.scene = complete(null);
    this.look = new Look(this);
    /** @type {Promise<void>} */
    this.queue = Promise.resolve();
    this.input = new Panel("input", "Input and mask", this.scene.invite);
    this.result = new Panel("result", "Result", "The result appears here.");
    this.difference = new Panel("difference", "Difference from the input", "What was changed appears here.");
    this.uncertainty = new Panel("uncertainty", "Uncertainty", "Where the result is uncertain appears here.");
    this.panels = [this.input, this.result, this.difference, this.uncertainty];
    this.picks = { input: "", result: "" };
    this.maps = new Maps(this);
    this.compare = new Compare(this);
    this.drawing = new Drawing(this.input, {
      onstart: () => this.redraw(),
      onstop: () => this.refresh(),
      onsaved: (reply) => host.emit(reply),
      load: (url) => this.loaded.volumes.mask(url, this.look.opacity),
    });
    this.grid = el("div", { class: "cs-grid" }, ...this.panels.map((panel) => panel.root));
    this.toolbar = new Toolbar(this);
    this.status = el("p", { class: "cs-status", role: "status" });
    this.blind = false;
    /** @type {{ library: Library, volumes: Volumes } | null} */
    this.started = null;
    /** whether the scan is another one than when the panels were last drawn */
    this.moved = false;
    /** @type {Image | null} the mask that the crosshair was moved to */
    this.aimed = null;
    /** @type {string[]} */
    this.failures = [];
    root.replaceChildren(this.toolbar.root, this.drawing.root, this.grid, this.status);
    this.takeFiles();
    for (const panel of this.panels) panel.root.addEventListener("focusin", () => this.look.attend(panel));
    this.layout();
    this.toolbar.enable(false);
  }

  /** NiiVue and the decoded volumes; nothing is drawn before they are there. */
  get loaded() {
    if (!this.started) throw new Error("The viewer's library is not loaded yet.");
    return this.started;
  }

  /** The decoded volumes. */
  get volumes() {
    return this.loaded.volumes;
  }

  /** @param {string} url of the library */
  async start(url) {
    if (!hasWebGL2()) {
      this.fail(NO_WEBGL);
      return;
    }
    const library = await loadLibrary(url);
    this.started = { library, volumes: new Volumes(library) };
  }

  /** @param {string} text why nothing can ever be drawn */
  fail(text) {
    this.blind = true;
    this.toolbar.enable(false);
    this.input.clear(text);
  }

  /**
   * Applies scenes one after the other, so that a slow load never overtakes a newer one.
   * @param {() => void | Promise<void>} work
   */
  run(work) {
    this.queue = this.queue.then(work).catch((error) => {
      console.warn(error);
      this.notify(error.message || "The volume could not be shown.", true);
    });
    return this.queue;
  }

  refresh() {
    return this.run(() => this.redraw());
  }

  /** @param {Scene | null} given */
  async apply(given) {
    if (this.blind) return;
    await this.run(async () => {
      const next = complete(given);
      const { scene } = this;
      if (this.drawing.active && (next.scan?.id !== scene.scan?.id || !next.drawable)) this.drawing.stop();
      this.moved = next.scan?.url !== scene.scan?.url;
      if (this.moved || next.task !== scene.task) {
        this.look.forgetWindows();
        this.picks = { input: "", result: "" };
        this.compare.picked = [];
      }
      if (next.job !== scene.job) this.picks.result = "";
      this.scene = next;
      this.compare.follow(next);
      this.root.dataset.ready = "false";
      await this.redraw();
      this.root.dataset.ready = "true";
    });
  }

  takeFiles() {
    const area = this.input.placeholder;
    /** @param {boolean} on */
    const over = (on) => (/** @type {Event} */ event) => {
      event.preventDefault();
      area.classList.toggle("cs-over", on);
    };
    area.addEventListener("dragover", over(true));
    area.addEventListener("dragleave", over(false));
    area.addEventListener("drop", (event) => {
      over(false)(event);
      if (event.dataTransfer?.files.length) this.host.take?.(event.dataTransfer.files);
    });
  }

  get live() {
    return this.panels.filter((panel) => panel.filled && !panel.root.hidden);
  }

  /** How many panels there is something for. */
  get count() {
    if (this.drawing.active) return 1;
    if (this.compare.active) return this.compare.shown(this.scene).length;
    return this.scene.results.length ? 4 : 1;
  }

  layout() {
    const { scene, drawing, compare, count } = this;
    for (const [i, panel] of this.panels.entries()) {
      // before it is hidden: nothing can be drawn on a canvas without a size
      if (i >= count && !drawing.active) panel.clear();
      panel.root.hidden = i >= count;
    }
    const states = {
      "cs-four": count > 2,
      "cs-two": count === 2,
      "cs-short": scene.results.length > 0 && !drawing.active,
      "cs-empty": !scene.scan,
      "cs-busy": scene.busy,
    };
    for (const [name, on] of Object.entries(states)) this.root.classList.toggle(name, on);
    this.toolbar.compare.setAttribute("aria-pressed", String(compare.active));
    this.toolbar.draw.hidden = !scene.drawable;
    this.toolbar.masks.hidden = !scene.drawable && !scene.mask;
  }

  async redraw() {
    const { scan } = this.scene;
    const [before] = this.live;
    const place = before && !this.moved ? where(before.nv) : null;
    this.moved = false;
    this.failures = [];
    unlink(this.panels.flatMap(({ viewer }) => viewer ?? []));
    this.layout();
    if (!scan) {
      this.empty();
      return;
    }
    const slow = setTimeout(() => this.notify("Loading \u2026"), LOADING_AFTER_MS);
    const work = this.compare.active ? this.drawCompared() : this.drawTask(scan);
    const marked = await work.finally(() => clearTimeout(slow));
    await this.forget();
    link(this.live.map((panel) => panel.nv));
    this.aim(marked, place);
    this.look.apply();
    this.enable();
    this.notify(
      [...new Set(this.failures)].join(" ") || (this.live[0]?.software ? SLOW : ""),
      this.failures.length > 0,
    );
  }

  empty() {
    for (const panel of this.panels) {
      panel.choose("", [], "");
      panel.clear();
    }
    this.input.name(this.scene.drawable ? "Input and mask" : "Input");
    this.input.invite(this.scene.invite);
    this.toolbar.enable(false);
    this.notify("");
  }

  enable() {
    this.toolbar.enable(this.live.length > 0);
    this.toolbar.draw.disabled = this.scene.busy || !this.input.filled;
    this.toolbar.compare.disabled = this.drawing.active || images(this.scene).length < 2;
  }

  /** Drops from memory what can no longer be shown. */
  forget() {
    this.look.windows.keep(new Set(images(this.scene).map((one) => one.units)));
    return this.volumes.keep(addresses(this.scene), new Set(this.panels.flatMap((panel) => panel.volumes)));
  }

  /**
   * Does something about one volume: one that cannot be had leaves the others alone.
   * @template Made
   * @param {string} what
   * @param {() => Promise<Made>} work
   * @param {Panel | null} [panel] what is emptied when it fails
   */
  async attempt(what, work, panel = null) {
    try {
      return await work();
    } catch (error) {
      console.warn(error);
      const failure = `${what} could not be shown. ${error instanceof Error ? error.message : error}`;
      this.failures.push(failure);
      panel?.clear(failure);
      return null;
    }
  }

  async drawCompared() {
    await this.compare.draw(this.panels);
    return null;
  }

  /**
   * Draws inputs, result and maps; returns the mask that is shown.
   * @param {SceneVolume} scan
   */
  async drawTask(scan) {
    const { scene, result, difference, uncertainty } = this;
    const marked = await this.drawInput(scan);
    if (this.drawing.active) return marked;
    if (!scene.results.length) {
      result.clear("The result appears here.");
      return marked;
    }
    const current = find(scene.results, this.picks.result);
    result.name(scene.results.length > 1 ? "Result" : `Result: ${current.title}`);
    result.choose("Result to show", choices(scene.results), current.id, (id) => {
      this.picks.result = id;
      this.refresh();
    });
    await this.drawImage(result, current);
    await this.attempt("The difference", () => this.maps.drawDifference(difference, current), difference);
    await this.attempt("The uncertainty", () => this.maps.drawUncertainty(uncertainty), uncertainty);
    return marked;
  }

  /** @param {SceneVolume} scan */
  async drawInput(scan) {
    const { scene, input, drawing } = this;
    const offered = drawing.active ? [scan] : [...scene.inputs, ...(scene.reference ? [scene.reference] : [])];
    const current = find(offered, this.picks.input);
    const alone = scene.drawable || scene.mask ? "Input and mask" : `Input: ${current.title}`;
    input.name(offered.length > 1 ? "Input" : alone.replace(/: Input$/, ""));
    input.choose("Input to show", choices(offered), current.id, (id) => {
      this.picks.input = id;
      this.refresh();
    });
    await input.attach(this.loaded.library);
    const mask = current === scan && !drawing.active ? scene.mask : null;
    const marked = mask ? await this.attempt("The mask", () => this.volumes.mask(mask.url, this.look.opacity)) : null;
    await this.drawImage(input, current, marked ? [marked] : []);
    return marked;
  }

  /**
   * @param {Panel} panel
   * @param {SceneVolume} of
   * @param {Image[]} [over]
   */
  drawImage(panel, of, over = []) {
    const draw = async () => {
      const image = await this.volumes.anatomy(of.url);
      this.look.dress(image, of.units);
      await panel.show(this.loaded.library, [image, ...over], of);
    };
    return this.attempt(of.title, draw, panel);
  }

  toggleCompare() {
    if (this.drawing.active) return;
    this.compare.active = !this.compare.active;
    this.refresh();
  }

  /**
   * Moves the crosshair to the centre of a new mask; else to where it was in space.
   * @param {Image | null} marked
   * @param {Place | null} place
   */
  aim(marked, place) {
    const [first] = this.live;
    if (!first) return;
    const { nv } = first;
    const centre = marked && marked !== this.aimed && !this.drawing.active ? centreOf(marked) : null;
    if (centre) nv.scene.crosshairPos = nv.mm2frac(triple(centre), 0, true);
    else if (place) goTo(nv, place);
    else nv.scene.crosshairPos = [0.5, 0.5, 0.5];
    if (marked) this.aimed = marked;
    for (const panel of this.live) {
      if (panel !== first) goTo(panel.nv, where(nv));
      panel.nv.drawScene();
      panel.nv.createOnLocationChange();
    }
  }

  startDrawing() {
    const { scan, mask, drawable } = this.scene;
    if (!scan || !drawable || this.drawing.active || this.blind) return;
    this.run(async () => {
      this.compare.active = false;
      this.picks.input = scan.id;
      await this.redraw();
      await this.drawing.start(scan.id, mask?.url);
    });
  }

  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen?.().catch(() => this.notify("Full screen is not allowed here.", true));
  }

  /**
   * @param {string} text
   * @param {boolean} [alarm]
   */
  notify(text, alarm = false) {
    this.status.textContent = text;
    this.status.setAttribute("role", alarm ? "alert" : "status");
    this.status.classList.toggle("cs-alarm", alarm);
  }
}

/**
 * Puts a viewer into the page.
 * @param {HTMLElement} element
 * @param {Host} host
 */
export async function mount(element, host) {
  const root = element.querySelector(".cs-viewer");
  if (!(root instanceof HTMLElement)) throw new Error("There is no place for the viewer.");
  const viewer = new Viewer(root, host);
  root.counterscan = viewer;
  try {
    await viewer.start(host.library);
  } catch (error) {
    console.warn(error);
    viewer.fail(NO_LIBRARY);
  }
  return viewer;
}
