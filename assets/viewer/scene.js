// What the server asks the viewer to show, with all that it leaves out filled in.
//
// image = { id, title, url, synthetic, units, group }: images of equal `units` share one intensity window
// map = { url, title, legend }: a signed volume, positive where the result is brighter
// scene = {
//   task: "inpaint" | "superres" | "translate",
//   inputs: [image], or scan: image, the only one; the mask belongs to the first
//   mask: { id, url } | null, drawable: whether a mask may be drawn on the first input,
//   reference: image | null, the truth; results: [image], the asked one first, each with `difference` and `error` of its own
//   or, for the first, in the scene: difference: map | null, error: map | null,
//   uncertainty: url | null, uncertain: title of its method,
//   others: [image], what else can be compared; compare: [image] | null, four at most, compared at once,
//   busy: bool, job: id, preview: { url, text } | null, invite: text }

const INVITE = "Drop a T1 scan here or in step 1. It appears here, ready for drawing a mask.";
const EMPTY = {
  task: "inpaint",
  inputs: [],
  mask: null,
  reference: null,
  results: [],
  difference: null,
  error: null,
  uncertainty: null,
  uncertain: "",
  others: [],
  compare: null,
  busy: false,
  job: "",
  preview: null,
  invite: INVITE,
};
export const AT_ONCE = 4;

export function complete(given) {
  const known = Object.entries(given ?? {}).filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  const scene = { ...EMPTY, ...Object.fromEntries(known) };
  const { task } = scene;
  const raw = scene.inputs.length ? scene.inputs : [scene.scan].filter(Boolean);
  // a guide and the sources of a translation have units of their own; so has a translated image, until the server says otherwise
  const alone = (i) => task === "translate" || (task === "superres" && i > 0);
  const dress = (group, made, own) => (one, i) => ({
    group,
    title: group,
    ...one,
    synthetic: one.synthetic ?? made,
    units: one.units ?? (own(i) ? one.url : "scan"),
  });
  const first = () => alone(0);
  scene.inputs = raw.map(dress(raw.length > 1 ? "Inputs" : "Input", false, alone));
  scene.scan = scene.inputs[0] ?? null;
  scene.reference = scene.reference && dress("Reference", false, first)(scene.reference, 0);
  scene.results = scene.results.map(dress("Results", true, first));
  scene.others = scene.others.map(dress("Other results", true, first));
  scene.compare = scene.compare?.map(dress("Compared", true, first)) ?? null;
  scene.drawable = given?.drawable ?? task === "inpaint";
  return scene;
}

// every image that can be looked at, each once
export function images(scene) {
  const all = [...scene.inputs, scene.reference, ...scene.results, ...scene.others, ...(scene.compare ?? [])];
  return [
    ...new Map(
      all
        .filter(Boolean)
        .reverse()
        .map((one) => [one.id, one]),
    ).values(),
  ].reverse();
}

// where every volume of a scene is
export function addresses(scene) {
  const maps = [scene, ...scene.results].flatMap((one) => [one.difference?.url, one.error?.url]);
  const all = [...images(scene).map((one) => one.url), ...maps, scene.mask?.url, scene.uncertainty];
  return new Set(all.filter(Boolean));
}

// the truth or the input beside what was asked for and the methods it is measured against
export function worthComparing(scene) {
  const { reference, inputs, results, others } = scene;
  const wanted = [reference ?? inputs[0], ...results, ...inputs, ...others].filter(Boolean).map((one) => one.id);
  return [...new Set(wanted)].slice(0, AT_ONCE);
}

// [[id, title, group]] for a pick list
export const choices = (list) => list.map((one) => [one.id, one.title, one.group]);

export const find = (list, id) => list.find((one) => one.id === id) ?? list[0];
