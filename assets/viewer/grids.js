// The grids that volumes lie on.

/** @import { Image } from "./niivue.d.ts" */

const SAME_MM = 1e-3;

/**
 * Returns whether two volumes have the same voxels in the same places, in the same order.
 * @param {{ hdr: Pick<Image["hdr"], "dims" | "affine"> }} one
 * @param {{ hdr: Pick<Image["hdr"], "dims" | "affine"> }} other
 */
export function sameGrid(one, other) {
  if (one === other) return true;
  const [a, b] = [one.hdr, other.hdr];
  return (
    [1, 2, 3].every((i) => a.dims[i] === b.dims[i]) &&
    a.affine.every((row, i) => row.every((value, j) => Math.abs(value - b.affine[i][j]) < SAME_MM))
  );
}

/**
 * Returns the place, in millimetres (RAS+), at the middle of what a mask marks; null where it marks nothing.
 * @param {{ hdr: Pick<Image["hdr"], "dims" | "affine">, img: ArrayLike<number> }} mask
 * @returns {number[] | null}
 */
export function centreOf({ hdr, img }) {
  const [, nx, ny] = hdr.dims;
  const sum = [0, 0, 0];
  let count = 0;
  for (let i = 0; i < img.length; i++) {
    if (!img[i]) continue;
    sum[0] += i % nx;
    sum[1] += Math.floor(i / nx) % ny;
    sum[2] += Math.floor(i / (nx * ny));
    count++;
  }
  if (!count) return null;
  const [x, y, z] = sum.map((total) => total / count);
  return hdr.affine.slice(0, 3).map((row) => row[0] * x + row[1] * y + row[2] * z + row[3]);
}
