import assert from "node:assert/strict";
import { test } from "node:test";
import { Maps, mapsOf } from "../../../assets/viewer/maps.js";
import { complete } from "../../../assets/viewer/scene.js";
import { image } from "../niivue.js";
import { fake } from "../page.js";

/** @import { Scene } from "../../../assets/viewer/scene-json.d.ts" */

/** @param {string} id */
const named = (id) => ({ id, url: `/vol/${id}`, title: id.toUpperCase() });
/** @type {Scene} */
const inpaint = { scan: named("scan"), results: [named("a"), named("b")], in_place: true };
/** @type {Scene} */
const apart = { inputs: [{ ...named("t1"), units: "t1" }], results: [{ ...named("a"), units: "result" }] };

/**
 * Returns the maps of a scene with what they drew.
 * @param {Scene} given
 * @param {object} volumes
 */
function mapsWith(given, volumes) {
  /** @type {string[]} */
  const log = [];
  const panel = {
    name: (/** @type {string} */ title) => log.push(`name ${title}`),
    choose: () => {},
    clear: (/** @type {string} */ text) => log.push(`clear ${text}`),
    show: async (/** @type {object} */ _, /** @type {object[]} */ drawn, /** @type {{ id: string }} */ of) =>
      log.push(`show ${of.id} ${drawn.length}`),
    setLegend: (/** @type {unknown[]} */ ...legend) => log.push(`legend ${legend.join(" ")}`),
  };
  const scene = complete(given);
  const maps = new Maps(fake({ scene, loaded: { volumes }, look: { dress: () => {} }, refresh: () => {} }));
  return { log, maps, scene, panel: /** @type {import("../../../assets/viewer/panel.js").Panel} */ (fake(panel)) };
}

test("the input is subtracted from the result in the same units", () => {
  const scene = complete(inpaint);
  const [map, ...more] = mapsOf(scene, scene.results[1]);
  assert.ok("from" in map);
  assert.equal(map.id, "difference");
  assert.equal(map.from.id, "scan");
  assert.deepEqual(more, []);
});

test("the server's map is that of the first result, the others are computed", () => {
  const scene = complete({ ...inpaint, difference: { url: "/vol/d", title: "Change" }, reference: named("truth") });
  const [change, error] = mapsOf(scene, scene.results[0]);
  assert.ok("url" in change);
  assert.equal(change.title, "Change");
  assert.equal(change.what, "result minus input");
  const other = complete({ ...inpaint, difference: { url: "/vol/d", what: "result minus linear interpolation" } });
  assert.equal(mapsOf(other, other.results[0])[0].what, "result minus linear interpolation");
  assert.ok("from" in error);
  assert.equal(error.from.id, "truth");
  assert.ok("from" in mapsOf(scene, scene.results[1])[0]);
});

test("nothing is subtracted across units", () => {
  const scene = complete(apart);
  assert.deepEqual(mapsOf(scene, scene.results[0]), []);
});

test("a panel without a map has the reason in it", async () => {
  const { log, maps, panel, scene } = mapsWith(apart, {});
  await maps.drawDifference(panel, scene.results[0]);
  assert.deepEqual(log[0], "name Difference");
  assert.match(log[1], /^clear .*different units/);
});

test("a panel on another grid has that in it, or the result that the maps belong to", async () => {
  const volumes = { difference: async () => null };
  const plain = mapsWith(inpaint, volumes);
  await plain.maps.drawDifference(plain.panel, plain.scene.results[1]);
  assert.match(plain.log[1], /^clear SCAN is on another grid/);
  const other = mapsWith({ ...inpaint, difference: { url: "/vol/d" } }, volumes);
  await other.maps.drawDifference(other.panel, other.scene.results[1]);
  assert.equal(other.log[1], "clear The maps belong to A: choose it to see them.");
});

test("a map is drawn on the scan where it has the result's grid, else on the result", async () => {
  const same = image();
  const signed = Object.assign(image(), { cal_max: 7 });
  const files = { "/vol/scan": image(), "/vol/a": same, "/vol/b": image({ size: [9, 9, 9] }) };
  const volumes = {
    anatomy: async (/** @type {keyof typeof files} */ url) => files[url],
    difference: async () => signed,
  };
  const { log, maps, panel, scene } = mapsWith(inpaint, volumes);
  await maps.drawDifference(panel, scene.results[0]);
  await maps.drawDifference(panel, scene.results[1]);
  assert.deepEqual(
    log.filter((line) => line.startsWith("show")),
    ["show scan 2", "show b 2"],
  );
  assert.match(log[2], /^legend -7 7 cs-less,cs-more result minus input, in intensities of the scan Colours end/);
});

test("what is aimed at is where the result has something", async () => {
  const result = image({ size: [1, 1, 3], voxels: [0, 5, 5] });
  const signed = Object.assign(image({ size: [1, 1, 3], voxels: [-7, 7, 1] }), { cal_max: 7 });
  const { maps, panel, scene } = mapsWith(
    { ...inpaint, job: "j" },
    {
      anatomy: async () => result,
      difference: async () => signed,
    },
  );
  /** @type {boolean[]} */
  let found = [];
  maps.viewer.aimAt = (map, belongs) => {
    found = Array.from(map.img, (value, place) => Boolean(belongs?.(value, place)));
  };
  await maps.drawDifference(panel, scene.results[0]);
  assert.deepEqual(found, [false, true, false]);
});

test("a map is drawn on the result where results are not the scan itself", async () => {
  const same = { anatomy: async () => image(), difference: async () => Object.assign(image(), { cal_max: 7 }) };
  const { log, maps, panel, scene } = mapsWith({ ...inpaint, in_place: false }, same);
  await maps.drawDifference(panel, scene.results[0]);
  assert.ok(log.includes("show a 2"));
});

test("a method without a map of uncertainty is named as that", async () => {
  const { log, maps, panel, scene } = mapsWith({ ...inpaint, uncertain: "Mirror" }, {});
  await maps.drawUncertainty(panel, scene.results[0]);
  assert.equal(log[0], "name Uncertainty");
  assert.match(log[1], /no measure of its uncertainty/);
});

test("the uncertainty carries the method's title and its scale", async () => {
  const deviation = Object.assign(image(), { cal_max: 3 });
  const volumes = { anatomy: async () => image(), uncertainty: async () => deviation };
  const { log, maps, panel, scene } = mapsWith({ ...inpaint, uncertainty: "/vol/u", uncertain: "Network" }, volumes);
  await maps.drawUncertainty(panel, scene.results[0]);
  assert.equal(log[0], "name Uncertainty: Network");
  assert.match(log[2], /^legend 0 3 inferno SD, in intensities of the scan One/);
  const other = mapsWith({ ...apart, uncertainty: "/vol/u" }, volumes);
  await other.maps.drawUncertainty(other.panel, other.scene.results[0]);
  assert.match(other.log[2], /SD, in intensities of the result/);
});
