// What the viewer shows: the server's scene with all that it leaves out filled in.

/** @import { Scene, SceneImage, SceneMap } from "./scene-json.d.ts" */

/** @typedef {Required<SceneImage>} SceneVolume an image whose title, units and group are known */
/** @typedef {[value: string, text: string, group?: string]} Choice an entry of a pick list */

/**
 * @typedef {object} FullScene
 * @property {string} task
 * @property {SceneVolume[]} inputs
 * @property {SceneVolume | null} scan the first input
 * @property {SceneImage | null} mask
 * @property {boolean} drawable
 * @property {boolean} in_place
 * @property {SceneVolume | null} reference
 * @property {SceneVolume[]} results
 * @property {SceneVolume[]} twins
 * @property {SceneMap | null} difference
 * @property {SceneMap | null} error
 * @property {string | null} uncertainty
 * @property {string} uncertain
 * @property {SceneVolume[]} others
 * @property {SceneVolume[] | null} compare
 * @property {boolean} busy
 * @property {string} job
 * @property {string} invite
 */

/** Most images that are compared at once. */
export const AT_ONCE = 4;

/** @type {Required<Scene>} */
const BLANK = {
  task: "",
  inputs: [],
  scan: null,
  mask: null,
  reference: null,
  results: [],
  twins: [],
  difference: null,
  error: null,
  uncertainty: null,
  uncertain: "",
  others: [],
  compare: null,
  busy: false,
  job: "",
  address: "",
  drawable: false,
  in_place: false,
  invite: "Drop a scan here or in step 1.",
};

/**
 * @template Value
 * @param {Value | null | undefined} value
 * @returns {value is Value}
 */
const present = (value) => value !== null && value !== undefined;

/**
 * Returns the scene with every field set.
 * @param {Scene | null} given
 * @returns {FullScene}
 */
export function complete(given) {
  const known = Object.entries(given ?? {}).filter(([, value]) => present(value) && value !== "");
  /** @type {typeof BLANK} */
  const scene = { ...BLANK, ...Object.fromEntries(known) };
  const { reference } = scene;
  const raw = scene.inputs.length ? scene.inputs : [scene.scan].filter(present);
  /**
   * @param {string} group
   * @returns {(one: SceneImage) => SceneVolume}
   */
  const made = (group) => (one) => filled(one, group, true);
  const inputs = raw.map((one) => filled(one, raw.length > 1 ? "Inputs" : "Input", false));
  return {
    ...scene,
    inputs,
    scan: inputs[0] ?? null,
    reference: reference && filled(reference, "Reference", false),
    results: scene.results.map(made("Results")),
    twins: scene.twins.map(made("Results")),
    others: scene.others.map(made("Other results")),
    compare: scene.compare?.map(made("Compared")) ?? null,
  };
}

/**
 * @param {SceneImage} one
 * @param {string} group
 * @param {boolean} made whether a model made it, unless it has that itself
 * @returns {SceneVolume}
 */
function filled(one, group, made) {
  return {
    group,
    title: group,
    ...one,
    synthetic: one.synthetic ?? made,
    units: one.units ?? "scan",
    uncertainty: one.uncertainty ?? null,
  };
}

/**
 * Returns every image that can be looked at, each once.
 * @param {FullScene} scene
 */
export function images(scene) {
  const { inputs, reference, results, twins, others, compare } = scene;
  const all = [...inputs, reference, ...results, ...twins, ...others, ...(compare ?? [])];
  const known = all.filter(present);
  return known.filter((one, i) => known.findIndex((other) => other.id === one.id) === i);
}

/**
 * Returns the addresses of all volumes of a scene.
 * @param {FullScene} scene
 */
export function addresses(scene) {
  const { difference, error, mask, uncertainty } = scene;
  const seen = images(scene).flatMap((one) => [one.url, one.uncertainty]);
  const all = [...seen, difference?.url, error?.url, mask?.url, uncertainty];
  return new Set(all.filter(present));
}

/**
 * Returns what the panel of the result can show: the first result, what it can be exchanged for, the other methods.
 * @param {FullScene} scene
 */
export const offered = ({ results, twins }) => [...results.slice(0, 1), ...twins, ...results.slice(1)];

/**
 * Returns the address of a map of uncertainty and whose it is: that of a twin for a twin, else that of the first result.
 * @param {FullScene} scene
 * @param {SceneVolume | undefined} result
 */
export function uncertaintyOf({ twins, uncertainty, uncertain, results }, result) {
  const twin = twins.find((one) => one === result);
  if (twin) return { url: twin.uncertainty, title: twin.title };
  return { url: uncertainty, title: twins.length ? results[0].title : uncertain };
}

/**
 * Returns the ids of the truth or the input, of the results, and of the other images, four at most.
 * @param {FullScene} scene
 */
export function worthComparing(scene) {
  const { reference, inputs, others } = scene;
  const wanted = [reference ?? inputs[0], ...offered(scene), ...inputs, ...others].filter(present);
  return [...new Set(wanted.map((one) => one.id))].slice(0, AT_ONCE);
}

/**
 * Returns the entries of a pick list.
 * @param {SceneVolume[]} list
 * @returns {Choice[]}
 */
export const choices = (list) => list.map((one) => [one.id, one.title, one.group]);

/**
 * Returns the image of that id, or else the first.
 * @param {SceneVolume[]} list
 * @param {string} id
 */
export const find = (list, id) => list.find((one) => one.id === id) ?? list[0];
