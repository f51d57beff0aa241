import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { button, el, segmented, setOptions } from "../../../assets/viewer/dom.js";
import { isSoftware, skipGradients } from "../../../assets/viewer/graphics.js";
import { Panel } from "../../../assets/viewer/panel.js";
import { FakeNiivue, image, library } from "../niivue.js";
import { clear, enter, fake, labelled, only } from "../page.js";

afterEach(clear);

const REAL = { title: "T1", units: "scan", synthetic: false };

test("text enters the page as text, and what is left out stays out", () => {
  const node = el("p", { text: "<b>1</b>", title: null, hidden: true, "data-kind": "x" }, null, undefined);
  assert.equal(node.innerHTML, "&lt;b&gt;1&lt;/b&gt;");
  assert.equal(node.hasAttribute("title"), false);
  assert.equal(node.hidden, true);
  assert.equal(node.dataset.kind, "x");
});

test("only a switch has a pressed state", () => {
  const onclick = () => {};
  assert.equal(button("Do", { onclick }).hasAttribute("aria-pressed"), false);
  assert.equal(button("Do", { onclick, pressed: false }).getAttribute("aria-pressed"), "false");
});

test("a pick list has headings only where there are several groups", () => {
  const list = el("select");
  setOptions(
    list,
    [
      ["a", "A", "One"],
      ["b", "B", "One"],
    ],
    "b",
  );
  assert.equal(list.querySelectorAll("optgroup").length, 0);
  assert.equal(list.value, "b");
  setOptions(
    list,
    [
      ["a", "A", "One"],
      ["b", "B", "Two"],
      ["c", "C", "One"],
    ],
    "c",
  );
  const groups = [...list.querySelectorAll("optgroup")];
  assert.deepEqual(
    groups.map((group) => [group.label, group.textContent]),
    [
      ["One", "AC"],
      ["Two", "B"],
    ],
  );
  assert.equal(list.value, "c");
});

test("one of a row of buttons is pressed", () => {
  /** @type {string[]} */
  const chosen = [];
  const row = segmented(
    "View",
    [
      ["0", "Axial"],
      ["1", "Coronal"],
    ],
    "0",
    (value) => chosen.push(value),
  );
  labelled(row, "Coronal").click();
  assert.deepEqual(chosen, ["1"]);
  row.show("0");
  assert.deepEqual(
    [...row.children].map((node) => node.getAttribute("aria-pressed")),
    ["true", "false"],
  );
});

test("a panel shows what it is, and marks what a model made", async () => {
  const { known, made } = library();
  const panel = new Panel("result", "Result", "The result appears here.");
  assert.throws(() => panel.nv, /Nothing was drawn/);
  const volume = image();
  await panel.show(known, [volume], { ...REAL, synthetic: true });
  assert.equal(panel.badge.hidden, false);
  assert.equal(panel.placeholder.hidden, true);
  assert.deepEqual([panel.filled, panel.units], [true, "scan"]);
  assert.deepEqual(made[0].volumes, [volume]);
  assert.ok(made[0].colormaps["cs-mask"]);
  panel.clear("Nothing yet.");
  assert.equal(panel.badge.hidden, true);
  assert.equal(panel.placeholder.textContent, "Nothing yet.");
  assert.deepEqual(made[0].volumes, []);
});

test("the same volumes are not loaded into the graphics card again", async () => {
  const { known, made } = library();
  const panel = new Panel("input", "Input", "");
  const [scan, mask] = [image(), image()];
  await panel.show(known, [scan], REAL);
  await panel.show(known, [scan], REAL);
  const loads = () => made[0].calls.filter((call) => call === "addVolume").length;
  assert.equal(loads(), 1);
  await panel.show(known, [scan, mask], REAL);
  assert.equal(loads(), 3);
  assert.equal(made.length, 1, "one NiiVue for one canvas");
});

test("the read-out has millimetres, voxel and the value of the map above", async () => {
  const { known } = library();
  const panel = new Panel("difference", "Difference", "");
  const map = image({ voxels: new Float32Array(24).fill(-1234.5678) });
  await panel.show(known, [image({ voxels: new Float32Array(24).fill(7) }), map], REAL, 1);
  panel.read({ mm: fake([1, -2.04, 3]), vox: fake([4, 5, 6]), values: fake([{ value: 7 }, { value: -1234.5678 }]) });
  const [mm, voxel, value] = [...panel.readout.children].map((node) => node.textContent);
  assert.deepEqual([mm, voxel, value], ["1.0, \u22122.0, 3.0 mm", "voxel 4, 5, 6", "\u22121234.6"]);
  panel.read({ mm: fake([0, 0, 0]), vox: fake([0, 0, 0]), values: fake([{ value: 7 }, { value: Number.NaN }]) });
  assert.equal(only(panel.readout, "strong").textContent, "\u2013");
});

test("an open pick list is not rebuilt when nothing has changed", () => {
  const panel = new Panel("result", "Result", "");
  /** @type {string[]} */
  const picked = [];
  panel.choose(
    "Result to show",
    [
      ["a", "A"],
      ["b", "B"],
    ],
    "a",
    (id) => picked.push(id),
  );
  const before = panel.pick.firstElementChild;
  panel.choose(
    "Result to show",
    [
      ["a", "A"],
      ["b", "B"],
    ],
    "b",
    (id) => picked.push(id),
  );
  assert.equal(panel.pick.firstElementChild, before);
  assert.equal(panel.picked, "B");
  enter(panel.pick, "a");
  assert.deepEqual(picked, ["a"]);
  panel.choose("Result to show", [["a", "A"]], "a");
  assert.equal(panel.pick.hidden, true);
  assert.equal(panel.picked, "");
});

test("the caption of a picture has the choice and the scale", async () => {
  const { known } = library();
  const panel = new Panel("difference", "Map", "");
  await panel.show(known, [image()], REAL);
  panel.choose(
    "Map to show",
    [
      ["a", "Change"],
      ["b", "Error"],
    ],
    "b",
  );
  assert.equal(panel.caption, "Map: Error");
  panel.setLegend(-0.5, 0.5, ["cs-less", "cs-more"], "SD, in intensities", "One standard deviation");
  assert.equal(panel.caption, "Map: Error (\u22120.5 to 0.5, SD, in intensities)");
  assert.match(panel.legend.textContent ?? "", /^SD, in intensities/);
  assert.match(panel.legend.querySelector("i")?.style.background ?? "", /linear-gradient/);
});

test("WebGL on the processor is known by its name", () => {
  const named = (/** @type {string} */ name) =>
    isSoftware(fake({ getExtension: () => ({ UNMASKED_RENDERER_WEBGL: 1 }), getParameter: () => name, RENDERER: 2 }));
  assert.equal(named("Google SwiftShader"), true);
  assert.equal(named("llvmpipe (LLVM 15)"), true);
  assert.equal(named("NVIDIA GeForce"), false);
});

test("gradients are skipped and come back, and a driver without the program keeps them", () => {
  const shaders = { blurShader: { use: () => {} }, sobelFirstOrderShader: { use: () => {} } };
  const gl = {
    createProgram: () => "program",
    createShader: () => "shader",
    shaderSource: () => {},
    compileShader: () => {},
    attachShader: () => {},
    linkProgram: () => {},
    getProgramParameter: () => true,
    useProgram: () => {},
  };
  const working = { ...new FakeNiivue(), ...shaders, gl };
  const restore = skipGradients(fake(working));
  assert.notEqual(working.blurShader, shaders.blurShader);
  restore();
  assert.equal(working.blurShader, shaders.blurShader);
  assert.equal(working.sobelFirstOrderShader, shaders.sobelFirstOrderShader);
  const failing = { ...working, gl: { ...gl, getProgramParameter: () => false } };
  skipGradients(fake(failing));
  assert.equal(failing.blurShader, shaders.blurShader);
});
