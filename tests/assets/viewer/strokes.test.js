import assert from "node:assert/strict";
import { test } from "node:test";
import { box, brush, line, placeOf, polygon, voxelAt } from "../../../assets/viewer/strokes.js";

const grid = { dims: [9, 8, 7], spacing: [1, 1, 3] };

/** @param {(paint: (place: number) => void) => void} draw */
function painted(draw) {
  /** @type {Set<number>} */
  const places = new Set();
  draw((place) => places.add(place));
  return [...places]
    .map((place) => voxelAt(grid.dims, place))
    .sort((a, b) => a[2] - b[2] || a[1] - b[1] || a[0] - b[0]);
}

/** @param {number[][]} voxels */
const picture = (voxels) => {
  const rows = Array.from({ length: grid.dims[1] }, (_, y) =>
    Array.from({ length: grid.dims[0] }, (_x, x) => (voxels.some((one) => one[0] === x && one[1] === y) ? "#" : ".")),
  );
  return rows.map((row) => row.join("")).join("\n");
};

test("places and voxels are each other's inverse", () => {
  for (const place of [0, 8, 9, 71, 72, 503]) assert.equal(placeOf(grid.dims, voxelAt(grid.dims, place)), place);
});

test("a brush is a disc in its plane, round in millimetres, or a ball", () => {
  assert.equal(brush(grid, 2, 1, false).length, 1);
  assert.equal(brush(grid, 2, 3, false).length, 9);
  assert.equal(brush(grid, 2, 5, false).length, 21);
  // seven voxels of 1 mm across are two of 3 mm through
  const flat = brush(grid, 0, 7, false);
  assert.ok(flat.every(([x]) => x === 0));
  assert.equal(Math.max(...flat.map(([, y]) => y)), 3);
  assert.equal(Math.max(...flat.map(([, , z]) => z)), 1);
  assert.ok(brush(grid, 2, 7, true).some(([, , z]) => z === 1));
});

test("a line is drawn without gaps and stays on the grid", () => {
  const found = painted((paint) =>
    line(
      grid,
      [
        [0, 0, 2],
        [8, 3, 2],
      ],
      brush(grid, 2, 3, false),
      paint,
    ),
  );
  assert.equal(
    picture(found),
    ["#####....", "########.", ".########", "...######", "......###", ".........", ".........", "........."].join("\n"),
  );
  assert.ok(found.every(([, , z]) => z === 2));
});

test("boxes and ellipses fill what is between two corners, in every plane", () => {
  assert.equal(
    painted((paint) =>
      box(
        grid,
        2,
        [
          [6, 5, 1],
          [2, 2, 1],
        ],
        false,
        paint,
      ),
    ).length,
    20,
  );
  const round = painted((paint) =>
    box(
      grid,
      2,
      [
        [1, 1, 1],
        [7, 6, 1],
      ],
      true,
      paint,
    ),
  );
  assert.equal(
    picture(round),
    [".........", "...###...", ".#######.", ".#######.", ".#######.", ".#######.", "...###...", "........."].join("\n"),
  );
  const upright = painted((paint) =>
    box(
      grid,
      0,
      [
        [4, 2, 1],
        [4, 3, 5],
      ],
      false,
      paint,
    ),
  );
  assert.ok(upright.every(([x]) => x === 4));
  assert.equal(upright.length, 10);
});

test("an outline is filled by even and odd, with its edges, whatever its direction", () => {
  const corners = [
    [1, 1, 0],
    [7, 1, 0],
    [7, 6, 0],
    [4, 3, 0],
    [1, 6, 0],
  ];
  const expected = [
    ".........",
    ".#######.",
    ".#######.",
    ".#######.",
    ".###.###.",
    ".##...##.",
    ".#.....#.",
    ".........",
  ];
  assert.equal(picture(painted((paint) => polygon(grid, 2, corners, paint))), expected.join("\n"));
  assert.equal(picture(painted((paint) => polygon(grid, 2, corners.reverse(), paint))), expected.join("\n"));
  assert.deepEqual(
    painted((paint) => polygon(grid, 2, [[3, 3, 1]], paint)),
    [[3, 3, 1]],
  );
  assert.deepEqual(
    painted((paint) => polygon(grid, 2, [], paint)),
    [],
  );
});
