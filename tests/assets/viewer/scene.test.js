import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addresses,
  choices,
  complete,
  find,
  images,
  offered,
  uncertaintyOf,
  worthComparing,
} from "../../../assets/viewer/scene.js";

/** @import { SceneImage } from "../../../assets/viewer/scene-json.d.ts" */

/**
 * @param {string} id
 * @param {Partial<SceneImage>} [more]
 * @returns {SceneImage}
 */
const image = (id, more = {}) => ({ id, url: `/vol/${id}`, ...more });
const ids = (/** @type {{ id: string }[]} */ list) => list.map((one) => one.id);

test("nothing at all is an empty scene with an invitation", () => {
  const scene = complete(null);
  assert.equal(scene.task, "");
  assert.equal(scene.scan, null);
  assert.equal(scene.drawable, false);
  assert.equal(scene.in_place, false);
  assert.match(scene.invite, /Drop a scan/);
  assert.deepEqual(images(scene), []);
  assert.deepEqual([...addresses(scene)], []);
});

test("what the server leaves empty is filled in as what it leaves out", () => {
  const scene = complete({ invite: "", uncertainty: "", results: undefined, reference: null, compare: null });
  assert.match(scene.invite, /Drop a scan/);
  assert.equal(scene.uncertainty, null);
  assert.deepEqual(scene.results, []);
});

test("a scan alone is the only input, and what it has of its own stays", () => {
  const scene = complete({ scan: image("s", { title: "Mine", synthetic: true, units: "own" }) });
  assert.deepEqual(scene.inputs, [
    { id: "s", url: "/vol/s", title: "Mine", synthetic: true, units: "own", group: "Input", uncertainty: null },
  ]);
  assert.equal(scene.scan, scene.inputs[0]);
});

test("results are synthetic and inputs are not, unless they are marked otherwise", () => {
  const scene = complete({ inputs: [image("a")], results: [image("b"), image("c", { synthetic: false })] });
  assert.equal(scene.inputs[0].synthetic, false);
  assert.deepEqual(
    scene.results.map((one) => one.synthetic),
    [true, false],
  );
  assert.equal(scene.results[0].title, "Results");
});

test("all share the units of the scan where the scene names no others", () => {
  const scene = complete({ scan: image("s"), reference: image("r"), results: [image("a")], others: [image("o")] });
  assert.deepEqual(new Set(images(scene).map((one) => one.units)), new Set(["scan"]));
});

test("units that the scene names stay, be they of an input, a reference or a result", () => {
  const guide = image("guide", { units: "/vol/guide" });
  const scene = complete({ inputs: [image("low"), guide], results: [image("a"), image("b", { units: "result" })] });
  assert.deepEqual(
    scene.inputs.map((one) => one.units),
    ["scan", "/vol/guide"],
  );
  assert.deepEqual(
    scene.results.map((one) => one.units),
    ["scan", "result"],
  );
});

test("whether a mask may be drawn and where results lie is the scene's to name", () => {
  const scene = complete({ scan: image("s"), drawable: true, in_place: true });
  assert.deepEqual([scene.drawable, scene.in_place], [true, true]);
});

test("several inputs stand under one heading", () => {
  assert.deepEqual(choices(complete({ inputs: [image("a", { title: "T1" }), image("b")] }).inputs), [
    ["a", "T1", "Inputs"],
    ["b", "Inputs", "Inputs"],
  ]);
});

test("an image that is named twice is listed once, where it was named first", () => {
  const scene = complete({
    inputs: [image("a"), image("b")],
    reference: image("a"),
    results: [image("c")],
    compare: [image("c"), image("d")],
  });
  assert.deepEqual(ids(images(scene)), ["a", "b", "c", "d"]);
  assert.equal(images(scene)[0].group, "Inputs");
});

test("every volume's address is known, and none that is away", () => {
  const scene = complete({
    scan: image("s"),
    mask: image("m"),
    results: [image("a")],
    difference: { url: "/vol/change" },
    uncertainty: "/vol/deviation",
  });
  assert.deepEqual(addresses(scene), new Set(["/vol/s", "/vol/m", "/vol/a", "/vol/change", "/vol/deviation"]));
});

test("the truth stands first where there is one, and four are enough", () => {
  const inputs = [image("a"), image("b")];
  const results = [image("c"), image("d"), image("e")];
  assert.deepEqual(worthComparing(complete({ inputs, results })), ["a", "c", "d", "e"]);
  assert.deepEqual(worthComparing(complete({ inputs, results, reference: image("r") })), ["r", "c", "d", "e"]);
  assert.deepEqual(worthComparing(complete({ inputs })), ["a", "b"]);
});

test("an unknown id finds the first image", () => {
  const { inputs } = complete({ inputs: [image("a"), image("b")] });
  assert.equal(find(inputs, "b").id, "b");
  assert.equal(find(inputs, "gone").id, "a");
});

test("a result can be exchanged for its twins, each with its own uncertainty", () => {
  const scene = complete({
    inputs: [image("scan")],
    results: [image("a", { title: "Faithful" }), image("plain")],
    twins: [image("job-a", { title: "Realistic", uncertainty: "/vol/sd" })],
    others: [image("job-a"), image("job-plain")],
    uncertainty: "/vol/u",
    uncertain: "Network",
  });
  assert.deepEqual(ids(offered(scene)), ["a", "job-a", "plain"]);
  assert.deepEqual(worthComparing(scene), ["scan", "a", "job-a", "plain"]);
  assert.deepEqual(ids(images(scene)), ["scan", "a", "plain", "job-a", "job-plain"]);
  assert.ok(addresses(scene).has("/vol/sd"));
  assert.deepEqual(uncertaintyOf(scene, scene.twins[0]), { url: "/vol/sd", title: "Realistic" });
  assert.deepEqual(uncertaintyOf(scene, scene.results[0]), { url: "/vol/u", title: "Faithful" });
  const alone = complete({
    inputs: [image("scan")],
    results: [image("a")],
    uncertainty: "/vol/u",
    uncertain: "Network",
  });
  assert.deepEqual(uncertaintyOf(alone, alone.results[0]), { url: "/vol/u", title: "Network" });
});
