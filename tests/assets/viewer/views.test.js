import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { el } from "../../../assets/viewer/dom.js";
import { mount } from "../../../assets/viewer/viewer.js";
import { linkTo, viewIn, viewOf } from "../../../assets/viewer/views.js";
import { image, library } from "../niivue.js";
import { clear, enter, labelled } from "../page.js";

/** @import { Viewer } from "../../../assets/viewer/viewer.js" */

/** @type {Viewer} */
let viewer;
const volume = (/** @type {string} */ id) => ({ id, url: `/vol/${id}`, title: `${id} \u00e4` });
const scene = { scan: volume("scan"), results: [volume("a"), volume("b")], job: "1" };

async function open() {
  const host = el("div", {}, el("div", { class: "cs-viewer" }));
  document.body.replaceChildren(host);
  viewer = await mount(host, { library: "/none.js", emit: () => {} });
  await viewer.apply(scene);
}

beforeEach(async () => {
  const context = { getExtension: () => null };
  mock.method(HTMLCanvasElement.prototype, "getContext", () => context);
  mock.method(globalThis, "fetch", async () => new Response(Uint8Array.from([1])));
  Object.assign(globalThis, { history: { replaceState: () => Object.assign(location, { hash: "" }) } });
  globalThis.niivue = library(() => image({ size: [8, 8, 8] })).known;
  await open();
});
afterEach(() => {
  location.hash = "";
  mock.restoreAll();
  globalThis.niivue = undefined;
  clear();
});

test("a link brings slice, window, zoom, panels and colours back, once", async () => {
  labelled(viewer.toolbar.root, "Coronal").click();
  enter(viewer.toolbar.maps, "bone");
  enter(viewer.result.pick, "b");
  await viewer.queue;
  viewer.look.setWindow(10, 60);
  viewer.toolbar.sides.click();
  viewer.input.nv.setPan2Dxyzmm([1, 2, 3, 2]);
  viewer.input.nv.scene.crosshairPos = viewer.input.nv.vox2frac([1, 2, 6]);
  const view = viewOf(viewer);
  const link = linkTo({ href: "http://127.0.0.1/?job=1#old" }, view);
  assert.match(link, /^http:\/\/127\.0\.0\.1\/\?job=1#view=[\w-]+$/);
  location.hash = link.split("#")[1];
  await open();
  assert.deepEqual(viewOf(viewer), view);
  assert.equal(viewer.result.of?.title, "b \u00e4");
  assert.equal(viewer.input.nv.opts.sliceType, 1);
  assert.equal(location.hash, "");
});

test("a comparison and a wipe come back", async () => {
  viewer.toolbar.compare.click();
  await viewer.queue;
  const compared = linkTo(location, viewOf(viewer));
  await viewer.reveal.set(true);
  viewer.reveal.wipe(0.3);
  const wiped = linkTo(location, viewOf(viewer));
  location.hash = compared.split("#")[1];
  await open();
  assert.equal(viewer.compare.active, true);
  location.hash = wiped.split("#")[1];
  await open();
  assert.deepEqual([viewer.reveal.on, viewer.reveal.share, viewer.compare.active], [true, 0.3, false]);
});

test("an address that was tampered with asks for nothing", () => {
  const link = linkTo({ href: "http://x/" }, viewOf(viewer));
  const [, hash] = link.split("#");
  assert.notEqual(viewIn(`#${hash}`), null);
  for (const bad of ["", "#view=", "#view=%", "#view=bnVsbA", `#${hash.slice(0, -9)}`, "#view=e30", "#view=W10"]) {
    assert.equal(viewIn(bad), null, bad);
  }
});
