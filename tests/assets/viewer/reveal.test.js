import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { el } from "../../../assets/viewer/dom.js";
import { mount } from "../../../assets/viewer/viewer.js";
import { image, library } from "../niivue.js";
import { clear, enter, press } from "../page.js";

/** @import { Viewer } from "../../../assets/viewer/viewer.js" */

/** @type {Viewer} */
let viewer;
const volume = (/** @type {string} */ id) => ({ id, url: `/vol/${id}` });
const done = { scan: volume("scan"), results: [volume("a")], uncertainty: "/vol/u" };

beforeEach(async () => {
  const context = { getExtension: () => null };
  mock.method(HTMLCanvasElement.prototype, "getContext", () => context);
  mock.method(globalThis, "fetch", async () => new Response(Uint8Array.from([1])));
  globalThis.niivue = library(() => image()).known;
  const host = el("div", {}, el("div", { class: "cs-viewer" }));
  document.body.append(host);
  viewer = await mount(host, { library: "/none.js", emit: () => {} });
  await viewer.apply(done);
});
afterEach(() => {
  mock.restoreAll();
  globalThis.niivue = undefined;
  clear();
});

const visible = () => viewer.panels.filter((panel) => !panel.root.hidden).map((panel) => panel.id);
const clip = () => viewer.result.root.style.clipPath;

test("the wipe lays the result over the input, and is left for four panels", async () => {
  viewer.reveal.toggle.click();
  await viewer.queue;
  assert.deepEqual(visible(), ["input", "result"]);
  assert.equal(viewer.root.classList.contains("cs-wiping"), true);
  assert.equal(clip(), "inset(0 0 0 50%)");
  enter(viewer.reveal.slider, "0.25");
  assert.equal(clip(), "inset(0 0 0 25%)");
  assert.equal(viewer.reveal.slider.getAttribute("aria-valuetext"), "25 percent input");
  viewer.reveal.toggle.click();
  await viewer.queue;
  assert.deepEqual(visible(), ["input", "result", "difference", "uncertainty"]);
  assert.equal(clip(), "");
  assert.deepEqual(
    viewer.panels.map((panel) => panel.filled),
    [true, true, true, true],
  );
});

test("a key flips from the result to the input and back", async () => {
  press("f");
  await viewer.queue;
  assert.equal(clip(), "inset(0 0 0 0%)");
  press("f");
  await viewer.queue;
  assert.equal(clip(), "inset(0 0 0 100%)");
  press("f");
  await viewer.queue;
  assert.equal(clip(), "inset(0 0 0 0%)");
});

test("without a result, and beside a comparison, there is nothing to wipe", async () => {
  viewer.reveal.toggle.click();
  await viewer.queue;
  press("c");
  await viewer.queue;
  assert.equal(viewer.reveal.on, false);
  await viewer.apply({ scan: volume("scan") });
  assert.equal(viewer.reveal.toggle.disabled, true);
  press("w");
  await viewer.queue;
  assert.equal(viewer.reveal.on, false);
});
