import "../page.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Volumes } from "../../../assets/viewer/volumes.js";
import { image, library } from "../niivue.js";
import { fake, warnings } from "../page.js";

/** @type {Record<string, { status?: number, body?: number[] }>} */
const served = {};
/** @type {string[]} */
let fetched = [];

beforeEach(() => {
  fetched = [];
  for (const key of Object.keys(served)) Reflect.deleteProperty(served, key);
  mock.method(globalThis, "fetch", async (/** @type {string} */ url) => {
    fetched.push(url);
    const { status = 200, body = [1] } = served[url] ?? { status: 404 };
    return new Response(Uint8Array.from(body), { status });
  });
});
afterEach(() => mock.restoreAll());

test("a volume is fetched once, and once more for colours of its own", async () => {
  Object.assign(served, { "/a": {} });
  const volumes = new Volumes(library().known);
  const [first, again] = await Promise.all([volumes.anatomy("/a"), volumes.anatomy("/a")]);
  assert.equal(first, again);
  assert.notEqual(await volumes.mask("/a", 0.5), first);
  assert.deepEqual(fetched, ["/a", "/a"]);
});

test("what was refused is explained, and tried again the next time", async () => {
  const volumes = new Volumes(library().known);
  await assert.rejects(volumes.anatomy("/a"), /no longer on the server/);
  served["/a"] = { status: 403 };
  await assert.rejects(volumes.anatomy("/a"), /another visit/);
  served["/a"] = { status: 500 };
  await assert.rejects(volumes.anatomy("/a"), /refused it \(500\)/);
  served["/a"] = {};
  assert.ok(await volumes.anatomy("/a"));
});

test("a server that does not answer is named as that", async () => {
  mock.method(globalThis, "fetch", () => Promise.reject(new TypeError("network")));
  await assert.rejects(new Volumes(library().known).anatomy("/a"), /did not answer/);
});

test("what is no volume is refused, with the reason in the log", async () => {
  const warned = warnings();
  Object.assign(served, { "/a": {}, "/b": {} });
  const broken = new Volumes(library(() => Promise.reject(new Error("not NIfTI"))).known);
  await assert.rejects(broken.anatomy("/a"), /could not be read/);
  assert.match(warned().join(), /not NIfTI/);
  const empty = new Volumes(library(() => image({ size: [0, 0, 0] })).known);
  await assert.rejects(empty.anatomy("/b"), /could not be read/);
});

test("the name that NiiVue reads has the suffix of the bytes", async () => {
  Object.assign(served, { "/plain": { body: [0x5c, 1] }, "/zipped": { body: [0x1f, 0x8b] }, "/empty": { body: [] } });
  /** @type {string[]} */
  const names = [];
  const { known } = library((name) => {
    names.push(name);
    return image();
  });
  const volumes = new Volumes(known);
  for (const url of ["/plain", "/zipped", "/empty"]) await volumes.anatomy(url);
  assert.deepEqual(names, ["anatomy.nii", "anatomy.nii.gz", "anatomy.nii"]);
});

test("a difference is computed once, and only on one grid", async () => {
  Object.assign(served, { "/a": { body: [1] }, "/b": { body: [2] }, "/far": { body: [3] } });
  let count = 0;
  const sizes = [
    [2, 2, 2],
    [2, 2, 2],
    [2, 2, 3],
  ];
  const volumes = new Volumes(library(() => image({ size: sizes[count++] })).known);
  const made = await volumes.difference("/a", "/b");
  assert.equal(made?.colormap, "cs-more");
  assert.equal(await volumes.difference("/a", "/b"), made);
  assert.equal(await volumes.difference("/a", "/far"), null);
});

test("maps get a window of their own values", async () => {
  Object.assign(served, { "/deviation": {}, "/signed": {} });
  const volumes = new Volumes(library(() => image({ size: [1, 1, 2], voxels: [0, -4], slope: 2 })).known);
  const deviation = await volumes.uncertainty("/deviation");
  assert.deepEqual([deviation.cal_min, deviation.cal_max], [0, 8]);
  const signed = await volumes.signed("/signed");
  assert.deepEqual([signed.cal_minNeg, signed.cal_max], [-8, 8]);
});

test("what left the scene is forgotten, with what was computed from it", async () => {
  Object.assign(served, { "/a": {}, "/b": {} });
  const volumes = new Volumes(library().known);
  await volumes.difference("/a", "/b");
  await volumes.keep(new Set(["/a"]), new Set());
  assert.deepEqual([...volumes.cache.keys()], ["anatomy /a"]);
});

test("above what is affordable the volume that was seen last stays, and what is on the page", async () => {
  Object.assign(served, { "/a": {}, "/b": {}, "/c": {} });
  const large = () => Object.assign(image(), { img: fake({ byteLength: 500 << 20, length: 1 }) });
  const volumes = new Volumes(library(large).known);
  const [a] = [await volumes.anatomy("/a"), await volumes.anatomy("/b"), await volumes.anatomy("/c")];
  await volumes.keep(new Set(["/a", "/b", "/c"]), new Set([a]));
  assert.deepEqual([...volumes.cache.keys()], ["anatomy /a", "anatomy /c"]);
});
