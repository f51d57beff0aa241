import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { el } from "../../../assets/viewer/dom.js";
import { shotsOf, sliceAddress } from "../../../assets/viewer/flat.js";
import { complete } from "../../../assets/viewer/scene.js";
import { mount } from "../../../assets/viewer/viewer.js";
import { clear, enter, labelled } from "../page.js";

/** @import { Viewer } from "../../../assets/viewer/viewer.js" */

const volume = (/** @type {string} */ id) => ({ id, url: `/vol/${id}/v.nii.gz`, title: id });
const done = {
  scan: volume("scan"),
  mask: volume("mask"),
  in_place: true,
  results: [volume("a"), volume("b")],
  uncertainty: "/vol/u/v.nii.gz",
};
/** @type {Viewer} */
let viewer;

beforeEach(async () => {
  mock.method(HTMLCanvasElement.prototype, "getContext", () => null);
  const host = el("div", {}, el("div", { class: "cs-viewer" }));
  document.body.append(host);
  viewer = await mount(host, { library: "/none.js", emit: () => {} });
});
afterEach(() => {
  mock.restoreAll();
  clear();
});

const sources = () => [...viewer.root.querySelectorAll(".cs-flat img")].map((one) => one.getAttribute("src"));

test("a slice has an address, a volume from elsewhere has none", () => {
  const shot = { title: "x", synthetic: false, url: "/vol/T1/v.nii.gz" };
  assert.equal(sliceAddress(shot, "2", 0.25), "/slice/T1/2?at=0.2500");
  assert.equal(sliceAddress({ ...shot, url: "/shared/K/vol/T1/v.nii.gz" }, "2", 0), "/shared/K/slice/T1/2?at=0.0000");
  assert.equal(
    sliceAddress({ ...shot, over: "/vol/R/v.nii.gz", kind: "signed", minus: "/vol/T1/v.nii.gz" }, "0", 1),
    "/slice/T1/0?at=1.0000&over=R&kind=signed&minus=T1",
  );
  assert.equal(sliceAddress({ ...shot, url: "blob:1" }, "2", 0), "");
});

test("a change is that of the server, or the result less the input where both share a grid", () => {
  const scene = complete(done);
  assert.deepEqual(
    shotsOf(scene, scene.results[0]).map((one) => [one.title, one.kind, one.minus]),
    [
      ["Input and mask", "mask", undefined],
      ["a", undefined, undefined],
      ["Difference from the input", "signed", "/vol/scan/v.nii.gz"],
      ["Uncertainty", "uncertainty", undefined],
    ],
  );
  const other = complete({ ...done, mask: null, in_place: false, difference: { url: "/vol/d/v.nii.gz" } });
  const shots = shotsOf(other, other.results[0]);
  assert.deepEqual([shots[0].title, shots[2].url, shots[2].over], ["Input", "/vol/a/v.nii.gz", "/vol/d/v.nii.gz"]);
});

test("without WebGL slices come as pictures, moved by a slider, in three planes, of every result", async () => {
  await viewer.apply(done);
  assert.match(viewer.status.textContent ?? "", /WebGL 2 is off.*pictures/);
  assert.equal(sources()[0], "/slice/scan/2?at=0.5000&over=mask&kind=mask");
  assert.equal(viewer.root.dataset.ready, "true");
  labelled(/** @type {HTMLElement} */ (viewer.flat?.root), "Coronal").click();
  const slider = /** @type {HTMLInputElement} */ (viewer.root.querySelector(".cs-flat input"));
  enter(slider, "50");
  enter(/** @type {HTMLSelectElement} */ (viewer.root.querySelector(".cs-flat select")), "b");
  assert.deepEqual(sources(), [
    "/slice/scan/1?at=0.2500&over=mask&kind=mask",
    "/slice/b/1?at=0.2500",
    "/slice/scan/1?at=0.2500&over=b&kind=signed&minus=scan",
    "/slice/scan/1?at=0.2500&over=u&kind=uncertainty",
  ]);
  const [, second] = viewer.root.querySelectorAll(".cs-flat figcaption");
  assert.equal(second.textContent, "b \u00b7 SYNTHETIC");
  await viewer.apply({ scan: volume("other") });
  assert.deepEqual(sources(), ["/slice/other/1?at=0.2500"]);
});

test("without a scan the empty panel invites", async () => {
  await viewer.apply({ invite: "Drop a scan." });
  assert.equal(viewer.grid.hidden, false);
  assert.equal(viewer.flat?.root.hidden, true);
  assert.equal(viewer.input.placeholder.textContent, "Drop a scan.");
});
