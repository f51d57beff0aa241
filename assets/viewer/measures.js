// What is measured in a scan: lengths and angles in space, intensities in a region and along a line.

/** @typedef {number[]} Point x, y, z in mm (RAS+) */
/** @typedef {(mm: Point) => number} Sample the intensity at a place; NaN outside of the image */

/**
 * Returns the distance of two points in mm.
 * @param {Point} one
 * @param {Point} other
 */
export const distance = (one, other) => Math.hypot(...one.map((value, i) => value - other[i]));

/**
 * Returns the angle at the second of three points, in degrees; 0 where two of them are one.
 * @param {Point[]} points
 */
export function angle([from, corner, to]) {
  const [a, b] = [from, to].map((end) => end.map((value, i) => value - corner[i]));
  const lengths = Math.hypot(...a) * Math.hypot(...b);
  if (!lengths) return 0;
  const cosine = a.reduce((sum, value, i) => sum + value * b[i], 0) / lengths;
  return (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI;
}

/**
 * Returns count, mean, sample standard deviation, least and greatest of what is finite.
 * @param {number[]} values
 */
export function statistics(values) {
  const known = values.filter(Number.isFinite);
  const count = known.length;
  const mean = known.reduce((sum, value) => sum + value, 0) / count;
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const sd = count > 1 ? Math.sqrt(squares / (count - 1)) : 0;
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of known) [least, most] = [Math.min(least, value), Math.max(most, value)];
  return { count, mean, sd, least, most };
}

/**
 * Returns the intensities along a line, from its first point on.
 * @param {Point} from
 * @param {Point} to
 * @param {Sample} sample
 * @param {number} [step] in mm
 * @returns {{ at: number, value: number }[]} at: mm from the first point
 */
export function profile(from, to, sample, step = 0.5) {
  const length = distance(from, to);
  const count = Math.min(400, Math.max(1, Math.round(length / step)));
  return Array.from({ length: count + 1 }, (_, i) => {
    const share = i / count;
    return { at: share * length, value: sample(from.map((value, axis) => value + share * (to[axis] - value))) };
  });
}

/**
 * Returns the intensity between voxels: of the eight around a place, each by how near it is.
 * @param {number[]} dims
 * @param {(place: number) => number} intensity of the voxel at a place of the grid
 * @param {number[]} at in voxels, whole numbers at their centres
 */
export function between(dims, intensity, at) {
  if (at.some((value, axis) => !(value >= -0.5 && value <= dims[axis] - 0.5))) return Number.NaN;
  const inside = at.map((value, axis) => Math.min(dims[axis] - 1, Math.max(0, value)));
  const low = inside.map((value, axis) => Math.min(dims[axis] - 1, Math.floor(value)));
  let sum = 0;
  for (let corner = 0; corner < 8; corner++) {
    const steps = [corner & 1, (corner >> 1) & 1, corner >> 2];
    const weight = steps.reduce((all, step, axis) => {
      const share = inside[axis] - low[axis];
      return all * (step ? share : 1 - share);
    }, 1);
    if (!weight) continue;
    const [x, y, z] = steps.map((step, axis) => Math.min(dims[axis] - 1, low[axis] + step));
    sum += weight * intensity(x + dims[0] * (y + dims[1] * z));
  }
  return sum;
}

/**
 * Returns the largest of 1, 2, 5, 10 and so on that is no longer than `most`: a length for a scale bar.
 * @param {number} most
 */
export function roundLength(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [5, 2, 1].map((one) => one * power).find((one) => one <= most) ?? power;
}
