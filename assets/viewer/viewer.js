// The viewer: up to four linked panels, driven by a scene from the server (see scene.js) and by its own toolbar.

import { Compare } from "./compare.js";
import { el } from "./dom.js";
import { Drawing } from "./drawing.js";
import { goTo, link, where } from "./link.js";
import { Look } from "./look.js";
import { Maps } from "./maps.js";
import { Panel } from "./panel.js";
import { addresses, choices, complete, find, images } from "./scene.js";
import { Toolbar } from "./toolbar.js";
import { Volumes, hasWebGL2, loadLibrary } from "./volumes.js";

class Viewer {
  constructor(root, host) {
    this.host = host;
    this.root = root;
    this.scene = complete(null);
    this.look = new Look(this);
    this.queue = Promise.resolve();
    this.input = new Panel("input", "Input and mask", this.scene.invite);
    this.result = new Panel("result", "Result", "The result appears here.");
    this.difference = new Panel("difference", "Difference from the input", "What was changed appears here.");
    this.uncertainty = new Panel("uncertainty", "Uncertainty", "Where the result is in doubt appears here.");
    this.panels = [this.input, this.result, this.difference, this.uncertainty];
    this.picks = { input: "", result: "" };
    this.maps = new Maps(this);
    this.compare = new Compare(this);
    this.drawing = new Drawing(this.input, {
      onstart: () => this.redraw(),
      onstop: () => this.refresh(),
      onsaved: (reply) => host.emit(reply),
    });
    this.drawing.handlers.onload = (url) => this.volumes.mask(url, this.look.opacity);
    this.toolbar = new Toolbar(this);
    this.status = el("p", { class: "cs-status", role: "status" });
    this.grid = el("div", { class: "cs-grid" }, ...this.panels.map((panel) => panel.root));
    root.replaceChildren(this.toolbar.root, this.drawing.root, this.grid, this.status);
    this.takeFiles();
    for (const panel of this.panels) panel.root.addEventListener("focusin", () => this.look.attend(panel));
    this.layout();
    this.toolbar.enable(false);
  }

  async start(url) {
    if (!hasWebGL2()) {
      this.toolbar.enable(false);
      this.input.clear(
        "This browser cannot draw volumes (WebGL 2 is off). Runs and downloads still work; to see scans, " +
          "turn on hardware acceleration or use a current Firefox, Chrome, Edge or Safari.",
      );
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

  refresh() {
    return this.run(() => this.redraw());
  }

  apply(given) {
    if (this.blind) return Promise.resolve();
    return this.run(async () => {
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
    const over = (on) => (event) => {
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

  get previewed() {
    return Boolean(this.scene.busy && this.scene.preview && !this.drawing.active && !this.compare.active);
  }

  // how many panels there is something for
  layout() {
    const { scene, drawing, compare } = this;
    const done = scene.results.length > 0;
    let count = done ? 4 : 1;
    if (!done && this.previewed) count = 2;
    if (drawing.active) count = 1;
    else if (compare.active) count = compare.shown(scene).length;
    for (const [i, panel] of this.panels.entries()) {
      // before it is hidden: nothing can be drawn on a canvas without a size
      if (i >= count && !drawing.active) panel.clear();
      panel.root.hidden = i >= count;
    }
    const short = done && !drawing.active;
    const is = {
      "cs-four": count > 2,
      "cs-two": count === 2,
      "cs-short": short,
      "cs-empty": !scene.scan,
      "cs-busy": scene.busy,
    };
    for (const [name, on] of Object.entries(is)) this.root.classList.toggle(name, Boolean(on));
    this.toolbar.compare.setAttribute("aria-pressed", String(compare.active));
    this.toolbar.draw.hidden = !scene.drawable;
    this.toolbar.masks.hidden = !scene.drawable && !scene.mask;
  }

  async redraw() {
    const { scene } = this;
    const [before] = this.live;
    const place = before && !this.moved ? where(before.nv) : null;
    this.moved = false;
    this.failures = [];
    this.layout();
    if (!scene.scan) {
      for (const panel of this.panels) {
        panel.choose("", [], "", null);
        panel.clear();
      }
      this.input.name(scene.drawable ? "Input and mask" : "Input");
      this.input.invite(scene.invite);
      this.showPreview();
      this.toolbar.enable(false);
      this.say("");
      return;
    }
    const slow = setTimeout(() => this.say("Loading \u2026"), 300);
    const work = this.compare.active ? this.compare.draw(this.panels) : this.drawTask();
    const marked = await work.finally(() => clearTimeout(slow));
    this.showPreview();
    await this.forget();
    link(this.live.map((panel) => panel.nv));
    this.aim(marked, place);
    this.look.apply();
    this.enable();
    const plain = this.live[0]?.software ? "Drawn without a graphics card: slices are fine, the 3D view is slow." : "";
    this.say([...new Set(this.failures)].join(" ") || plain, this.failures.length > 0);
  }

  enable() {
    this.toolbar.enable(this.live.length > 0);
    this.toolbar.draw.disabled = Boolean(this.scene.busy) || !this.input.filled;
    this.toolbar.compare.disabled = this.drawing.active || images(this.scene).length < 2;
  }

  // what can no longer be shown is not kept in memory
  forget() {
    this.look.windows.keep(new Set(images(this.scene).map((one) => one.units)));
    return this.volumes.keep(addresses(this.scene), new Set(this.panels.flatMap((panel) => panel.volumes)));
  }

  // one volume that cannot be had leaves the others alone
  async attempt(what, work, panel = null) {
    try {
      return await work();
    } catch (error) {
      console.warn(error);
      this.failures.push(`${what} could not be shown. ${error.message}`);
      panel?.clear(this.failures.at(-1));
      return null;
    }
  }

  async drawTask() {
    const { scene, result, difference, uncertainty } = this;
    const marked = await this.drawInput();
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

  async drawInput() {
    const { scene, input } = this;
    const offered = this.drawing.active ? [scene.scan] : [...scene.inputs, scene.reference].filter(Boolean);
    const current = find(offered, this.picks.input);
    const alone = scene.drawable || scene.mask ? "Input and mask" : `Input: ${current.title}`;
    input.name(offered.length > 1 ? "Input" : alone.replace(/: Input$/, ""));
    input.choose("Input to show", choices(offered), current.id, (id) => {
      this.picks.input = id;
      this.refresh();
    });
    await input.attach(this.library);
    const wanted = current === scene.scan && !this.drawing.active ? scene.mask?.url : "";
    const marked = wanted ? await this.attempt("The mask", () => this.volumes.mask(wanted, this.look.opacity)) : null;
    await this.drawImage(input, current, marked ? [marked] : []);
    return marked;
  }

  drawImage(panel, of, over = []) {
    return this.attempt(
      of.title,
      async () => {
        const image = await this.volumes.anatomy(of.url);
        this.look.dress(image, of.units);
        await panel.show(this.library, [image, ...over], of);
      },
      panel,
    );
  }

  showPreview() {
    const { previewed, result } = this;
    if (previewed) {
      result.name("Result so far");
      result.choose("", [], "", null);
    }
    for (const panel of this.panels) panel.preview(previewed && panel === result ? this.scene.preview : null);
  }

  toggleCompare() {
    if (this.drawing.active) return;
    this.compare.active = !this.compare.active;
    this.refresh();
  }

  // a new mask draws the crosshair to its centre; else it stays where it was in space
  aim(marked, place) {
    const [first] = this.live;
    if (!first) return;
    const { nv } = first;
    if (marked && marked !== this.aimed && !this.drawing.active)
      nv.scene.crosshairPos = this.volumes.centre(marked, nv);
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
    const { scan, mask } = this.scene;
    if (!scan || !this.scene.drawable || this.drawing.active || this.blind) return;
    this.run(async () => {
      this.compare.active = false;
      this.picks.input = scan.id;
      await this.redraw();
      await this.drawing.start(scan.id, mask?.url);
    });
  }

  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen?.().catch(() => this.say("Full screen is not allowed here.", true));
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
    viewer.input.clear(
      "The viewer's library could not be loaded. Run `make run` again to install it. [viewer_missing]",
    );
  }
  return viewer;
}
