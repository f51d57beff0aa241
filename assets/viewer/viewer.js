// The viewer: up to four linked panels, driven by a scene from the server (see scene.js) and by its own toolbar.

/** @import { Place } from "./link.js" */
/** @import { MaskReply } from "./maskfile.js" */
/** @import { Image, Library } from "./niivue.d.ts" */
/** @import { Scene } from "./scene-json.d.ts" */

import { Compare } from "./compare.js";
import { announce, el, takeDrops } from "./dom.js";
import { Drafts } from "./drafts.js";
import { Drawing } from "./drawing.js";
import { Flat } from "./flat.js";
import { Gestures } from "./gestures.js";
import { hasWebGL2, loadLibrary } from "./graphics.js";
import { largestSection } from "./grids.js";
import { Keys } from "./keys.js";
import { goTo, link, unlink, where } from "./link.js";
import { Look } from "./look.js";
import { Maps } from "./maps.js";
import { Measuring } from "./measuring.js";
import { Panel } from "./panel.js";
import { Recovery } from "./recovery.js";
import { Reveal } from "./reveal.js";
import { addresses, complete, images } from "./scene.js";
import { Stage } from "./stage.js";
import { Toolbar } from "./toolbar.js";
import { show, viewIn } from "./views.js";
import { decoded, Volumes } from "./volumes.js";

/**
 * @typedef {object} Host the page around the viewer
 * @property {string} library address of NiiVue's bundle
 * @property {(reply: MaskReply) => void} emit a mask was drawn
 * @property {(files: FileList) => void} [take] files were dropped
 */

const NO_WEBGL =
  "This browser cannot draw volumes (WebGL 2 is off), so slices come as pictures. To draw a mask and to see scans in 3D, " +
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
    this.gestures = this.panels.map((panel) => new Gestures(panel, () => this.look.zoomAs(panel)));
    this.drawing = new Drawing(this.input, this.gestures[0], new Drafts(), {
      onstart: () => this.redraw(),
      onstop: () => this.refresh(),
      onsaved: (reply) => host.emit(reply),
      load: (url) => this.loaded.volumes.mask(url, this.look.opacity),
      decode: (data) => decoded(this.loaded.library, data, { name: "proposal.nii.gz" }),
      aim: (mask) => this.aimAt(mask),
    });
    this.stage = new Stage(this);
    this.reveal = new Reveal(this);
    this.measuring = new Measuring(this);
    this.grid = el("div", { class: "cs-grid" }, ...this.panels.map((panel) => panel.root));
    this.grid.append(this.reveal.layer);
    this.toolbar = new Toolbar(this);
    this.status = el("p", { class: "cs-status", role: "status" });
    this.blind = false;
    /** @type {Flat | null} slices as pictures, without WebGL */
    this.flat = null;
    /** @type {{ library: Library, volumes: Volumes } | null} */
    this.started = null;
    /** whether the scan is another one than when the panels were last drawn */
    this.moved = false;
    /** @type {Image | null} the mask or the change that the crosshair was moved to */
    this.aimed = null;
    /** @type {Place | null} where panels that are drawn begin */
    this.target = null;
    this.recovery = new Recovery(this);
    root.replaceChildren(
      this.toolbar.root,
      this.drawing.root,
      this.measuring.root,
      this.grid,
      this.measuring.details,
      this.status,
    );
    takeDrops(this.input.placeholder, (files) => this.host.take?.(files));
    for (const panel of this.panels) {
      panel.root.addEventListener("focusin", () => this.look.attend(panel));
      panel.onlost = () => this.recovery.lose();
      panel.onfill = (nv) => {
        if (this.target) goTo(nv, this.target);
      };
    }
    this.keys = new Keys(this);
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
      this.flatten();
      return;
    }
    const library = await loadLibrary(url);
    this.started = { library, volumes: new Volumes(library) };
  }

  /** Shows slices as pictures of the server from now on. */
  flatten() {
    this.flat = new Flat(this);
    this.grid.before(this.flat.root);
    this.flat.show();
    this.notify(NO_WEBGL);
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
      if (this.flat) {
        this.scene = next;
        this.flat.show();
        return;
      }
      const elsewhere = next.scan?.id !== scene.scan?.id || !next.drawable || (next.busy && !scene.busy);
      if (this.drawing.active && (elsewhere || this.drawing.handed)) this.drawing.pause();
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
      await this.restore();
      this.root.dataset.ready = "true";
    });
  }

  /** Shows the view that the page's address asks for, once, when there is something to be seen. */
  async restore() {
    const view = this.live.length ? viewIn(location.hash) : null;
    if (!view) return;
    history.replaceState(null, "", `${location.pathname}${location.search}`);
    await show(this, view);
  }

  get live() {
    return this.panels.filter((panel) => panel.filled && !panel.root.hidden);
  }

  /** How many panels there is something for. */
  get count() {
    if (this.drawing.active) return 1;
    if (this.compare.active) return this.compare.shown(this.scene).length;
    if (this.reveal.on) return 2;
    return this.scene.results.length ? 4 : 1;
  }

  layout() {
    const { scene, drawing, compare, reveal } = this;
    reveal.layout();
    const { count } = this;
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
    this.target = before && !this.moved ? where(before.nv) : this.recovery.place();
    if (!this.target) this.aimed = null;
    this.stage.failures = [];
    unlink(this.panels);
    this.layout();
    if (this.moved || !scan || this.drawing.active) this.measuring.set(false);
    this.moved = false;
    if (!scan) {
      this.empty();
      return;
    }
    if (!this.input.filled) this.input.invite("Loading \u2026");
    const slow = setTimeout(() => this.notify("Loading \u2026"), LOADING_AFTER_MS);
    const work = this.compare.active ? this.compare.draw(this.panels) : this.stage.drawTask(scan);
    await work.finally(() => clearTimeout(slow));
    await this.forget();
    link(this.live.map((panel) => panel.nv));
    this.aim(this.target);
    this.look.apply();
    this.enable();
    const { failures } = this.stage;
    this.notify([...new Set(failures)].join(" ") || (this.live[0]?.software ? SLOW : ""), failures.length > 0);
    await this.resume(scan.id);
  }

  /**
   * Goes on with a drawing that another tab, a reload or the graphics card interrupted.
   * @param {string} scanId
   */
  async resume(scanId) {
    const { scene, drawing, input } = this;
    const idle = scene.drawable && !scene.busy && !scene.results.length && !drawing.active && input.filled;
    if (idle && (await drawing.waits(scanId))) this.startDrawing();
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
    this.reveal.toggle.disabled = !this.reveal.possible;
    this.toolbar.compare.disabled = this.drawing.active || images(this.scene).length < 2;
  }

  /** Drops from memory what can no longer be shown. */
  forget() {
    this.look.windows.keep(new Set(images(this.scene).map((one) => one.units)));
    return this.volumes.keep(addresses(this.scene), new Set(this.panels.flatMap((panel) => panel.volumes)));
  }

  toggleCompare() {
    if (this.drawing.active) return;
    this.compare.active = !this.compare.active;
    this.reveal.on = false;
    this.refresh();
  }

  /**
   * Aims at the largest section of what was marked or changed, once.
   * @param {Image} image
   * @param {(value: number, place: number) => boolean} [belongs]
   */
  aimAt(image, belongs) {
    if (image === this.aimed) return;
    this.aimed = image;
    const mm = largestSection(image, belongs);
    if (!mm) return;
    this.target = { image: null, frac: [], mm };
    this.aim(this.target);
  }

  /**
   * Moves the crosshair of every panel, at once.
   * @param {Place | null} place the middle of the scan where there is none
   */
  aim(place) {
    const [first] = this.live;
    if (!first) return;
    if (place) goTo(first.nv, place);
    else first.nv.scene.crosshairPos = [0.5, 0.5, 0.5];
    for (const panel of this.live) {
      if (panel !== first) goTo(panel.nv, where(first.nv));
      panel.nv.drawScene();
      panel.nv.createOnLocationChange();
    }
  }

  /**
   * Takes the crosshair of one panel to all.
   * @param {Panel} panel
   */
  follow(panel) {
    this.aim(where(panel.nv));
  }

  startDrawing() {
    const { scan, mask, drawable } = this.scene;
    if (!scan || !drawable || this.drawing.active || this.blind || this.flat) return;
    this.run(async () => {
      this.compare.active = false;
      this.picks.input = scan.id;
      if (this.drawing.active) return;
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
    announce(this.status, text, alarm);
  }
}

/**
 * Adds the viewer's own style to a page, once.
 * @param {HTMLElement} head
 */
function dress(head) {
  const href = new URL("viewer.css", import.meta.url).href;
  if (!head.querySelector(`link[href="${href}"]`)) head.append(el("link", { rel: "stylesheet", href }));
}

/**
 * Puts a viewer into the page.
 * @param {HTMLElement} element
 * @param {Host} host
 */
export async function mount(element, host) {
  dress(document.head);
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
