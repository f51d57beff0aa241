// Lines and shapes on a grid of voxels, in one plane of it or, for a ball, in all directions.

/**
 * @typedef {{ dims: number[], spacing: number[] }} Grid voxels along x, y and z, and their sides in mm
 * @typedef {number[]} Voxel x, y, z
 * @typedef {(place: number) => void} Paint what is done to a voxel, by its place in the drawing
 */

/** The two axes that a plane runs along, by the axis that it is perpendicular to. */
export const ACROSS = [
  [1, 2],
  [0, 2],
  [0, 1],
];
export const AXES = [0, 1, 2];

/**
 * Returns the place of a voxel in the list of all, x fastest.
 * @param {number[]} dims
 * @param {Voxel} voxel
 */
export const placeOf = ([nx, ny], [x, y, z]) => x + nx * (y + ny * z);

/**
 * Returns the voxel at a place in the list of all.
 * @param {number[]} dims
 * @param {number} place
 * @returns {Voxel}
 */
export const voxelAt = ([nx, ny], place) => [place % nx, Math.floor(place / nx) % ny, Math.floor(place / (nx * ny))];

/**
 * Returns whether a voxel lies in a grid.
 * @param {number[]} dims
 * @param {Voxel} voxel
 */
export const within = (dims, voxel) => AXES.every((axis) => voxel[axis] >= 0 && voxel[axis] < dims[axis]);

/**
 * Returns the steps from the middle of a brush to its voxels: a disc in the plane, round in mm, or a ball.
 * @param {Grid} grid
 * @param {number} axis that the plane is perpendicular to
 * @param {number} size diameter, in sides of the smallest voxel
 * @param {boolean} ball
 * @returns {Voxel[]}
 */
export function brush({ spacing }, axis, size, ball) {
  const along = ball ? AXES : ACROSS[axis];
  const radius = (size / 2) * Math.min(...along.map((one) => spacing[one])) + 1e-6;
  const [rx, ry, rz] = AXES.map((one) => (along.includes(one) ? Math.floor(radius / spacing[one]) : 0));
  /** @type {Voxel[]} */
  const steps = [];
  for (let z = -rz; z <= rz; z++) {
    for (let y = -ry; y <= ry; y++) {
      for (let x = -rx; x <= rx; x++) {
        if (Math.hypot(x * spacing[0], y * spacing[1], z * spacing[2]) <= radius) steps.push([x, y, z]);
      }
    }
  }
  return steps;
}

/**
 * Draws a line with a brush.
 * @param {Grid} grid
 * @param {[Voxel, Voxel]} ends
 * @param {Voxel[]} steps of the brush
 * @param {Paint} paint
 */
export function line({ dims }, [from, to], steps, paint) {
  const count = Math.max(...AXES.map((axis) => Math.abs(to[axis] - from[axis])), 1);
  for (let i = 0; i <= count; i++) {
    const middle = AXES.map((axis) => Math.round(from[axis] + ((to[axis] - from[axis]) * i) / count));
    for (const step of steps) {
      const voxel = AXES.map((axis) => middle[axis] + step[axis]);
      if (within(dims, voxel)) paint(placeOf(dims, voxel));
    }
  }
}

/**
 * Returns a voxel of a plane.
 * @param {number} axis that the plane is perpendicular to
 * @param {Voxel} like any voxel of the plane
 * @param {number} u along the first axis of the plane
 * @param {number} v along the second
 */
function inPlane(axis, like, u, v) {
  const voxel = [...like];
  [voxel[ACROSS[axis][0]], voxel[ACROSS[axis][1]]] = [u, v];
  return voxel;
}

/**
 * Fills the box between two corners, or the ellipse in it.
 * @param {Grid} grid
 * @param {number} axis
 * @param {[Voxel, Voxel]} corners
 * @param {boolean} round
 * @param {Paint} paint
 */
export function box({ dims }, axis, [one, other], round, paint) {
  const [low, high] = [Math.min, Math.max].map((choose) =>
    ACROSS[axis].map((along) => choose(one[along], other[along])),
  );
  const middle = [0, 1].map((i) => (low[i] + high[i]) / 2);
  const radius = [0, 1].map((i) => (high[i] - low[i] + 1) / 2);
  for (let v = low[1]; v <= high[1]; v++) {
    for (let u = low[0]; u <= high[0]; u++) {
      if (round && Math.hypot((u - middle[0]) / radius[0], (v - middle[1]) / radius[1]) > 1) continue;
      paint(placeOf(dims, inPlane(axis, one, u, v)));
    }
  }
}

/**
 * Fills what an outline encloses, its edges included.
 * @param {Grid} grid
 * @param {number} axis
 * @param {Voxel[]} corners of one plane
 * @param {Paint} paint
 */
export function polygon(grid, axis, corners, paint) {
  const [first] = corners;
  if (!first) return;
  const [across, up] = ACROSS[axis];
  const edges = corners.map((corner, i) => [corner, corners[(i + 1) % corners.length]]);
  for (const [from, to] of edges) line(grid, [from, to], [[0, 0, 0]], paint);
  const rows = corners.map((corner) => corner[up]);
  for (let v = Math.min(...rows); v <= Math.max(...rows); v++) {
    const crossings = edges
      .filter(([from, to]) => from[up] <= v !== to[up] <= v)
      .map(([from, to]) => from[across] + ((v - from[up]) / (to[up] - from[up])) * (to[across] - from[across]))
      .sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      for (let u = Math.ceil(crossings[i]); u <= crossings[i + 1]; u++) {
        paint(placeOf(grid.dims, inPlane(axis, first, u, v)));
      }
    }
  }
}
