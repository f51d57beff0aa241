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
 * Returns the place, in millimetres (RAS+), where the largest section of a region is: in its largest slice, the row and
 * the column that hold most of it; null where there is no region.
 * @param {{ hdr: Pick<Image["hdr"], "dims" | "affine">, img: ArrayLike<number> }} image
 * @param {(value: number, place: number) => boolean} [belongs] whether a stored value, at its place in the file, belongs
 * @returns {number[] | null}
 */
export function largestSection({ hdr, img }, belongs = (value) => value !== 0) {
  const [, nx, ny, nz] = hdr.dims;
  const [slice, most] = peak(nz, (z, count) => {
    for (let i = z * nx * ny; i < (z + 1) * nx * ny; i++) if (belongs(img[i], i)) count();
  });
  if (!most) return null;
  const start = slice * nx * ny;
  const [row] = peak(ny, (y, count) => {
    for (let x = 0, i = start + y * nx; x < nx; x++, i++) if (belongs(img[i], i)) count();
  });
  const [column] = peak(nx, (x, count) => {
    for (let y = 0, i = start + x; y < ny; y++, i += nx) if (belongs(img[i], i)) count();
  });
  return hdr.affine.slice(0, 3).map((line) => line[0] * column + line[1] * row + line[2] * slice + line[3]);
}

/**
 * Returns which of a number of parts counts most, and its count; of equal ones the middle one.
 * @param {number} parts
 * @param {(part: number, count: () => void) => void} counting
 */
function peak(parts, counting) {
  const counts = Array.from({ length: parts }, (_, part) => {
    let found = 0;
    counting(part, () => {
      found++;
    });
    return found;
  });
  const most = Math.max(...counts);
  const best = counts.flatMap((count, part) => (count === most ? [part] : []));
  return [best[Math.floor((best.length - 1) / 2)], most];
}

/**
 * Returns the intensity, in the image's units, of the voxel at a place of the RAS grid, x fastest.
 * @param {Image} image
 * @returns {(place: number) => number}
 */
export function intensityOf({ img, hdr, dimsRAS, img2RASstart: start, img2RASstep: step }) {
  const [slope, shift] = [hdr.scl_slope || 1, hdr.scl_inter || 0];
  const [, nx, ny] = dimsRAS;
  const first = start[0] + start[1] + start[2];
  if (first === 0 && step[0] === 1 && step[1] === nx && step[2] === nx * ny) {
    return (place) => img[place] * slope + shift;
  }
  return (place) => {
    const along = Math.floor(place / nx);
    const at = first + (place % nx) * step[0] + (along % ny) * step[1] + Math.floor(along / ny) * step[2];
    return img[at] * slope + shift;
  };
}
