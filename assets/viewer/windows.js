// Intensity windows: one for all images of equal units, so that only comparable grey values are shown alike.

const PRESETS = {
  auto: ({ robust_min: low, robust_max: high }) => [low, high],
  full: ({ global_min: least, global_max: most }) => [least, most],
  bright: ({ robust_min: low, robust_max: high }) => [low, low + 0.7 * (high - low)],
};

export class Windows {
  constructor() {
    this.clear();
  }

  clear() {
    this.preset = "auto";
    this.kept = new Map();
  }

  // the window of `units`, which its first image decides
  of(units, image) {
    if (!this.kept.has(units)) this.kept.set(units, { image, range: PRESETS[this.preset](image) });
    return this.kept.get(units).range;
  }

  set(units, low, high) {
    const known = this.kept.get(units);
    if (known) known.range = [low, high];
  }

  setPreset(name) {
    this.preset = name;
    for (const known of this.kept.values()) known.range = PRESETS[name](known.image);
  }

  // forget what is no longer on the page, with the voxels behind it
  keep(units) {
    for (const key of this.kept.keys()) if (!units.has(key)) this.kept.delete(key);
  }
}
