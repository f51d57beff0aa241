// What was drawn, as runs of the image's own voxels: [start, length, ...], first axis fastest, sorted, not touching.

const shapeOf = (image) => [1, 2, 3].map((i) => image.hdr.dims[i]);

// where a voxel of NiiVue's drawing, which is turned to RAS, lies in the image's own array
function placing({ dimsRAS, img2RASstart: start, img2RASstep: step }) {
  const [, nx, ny] = dimsRAS;
  const first = start[0] + start[1] + start[2];
  return (i) => {
    const row = Math.floor(i / nx);
    return first + (i % nx) * step[0] + (row % ny) * step[1] + Math.floor(row / ny) * step[2];
  };
}

// null where nothing is drawn
export function toRuns(bitmap, image) {
  const place = placing(image);
  const own = new Uint8Array(bitmap.length);
  for (let i = 0; i < bitmap.length; i++) if (bitmap[i]) own[place(i)] = 1;
  const runs = [];
  for (let from = own.indexOf(1); from >= 0; ) {
    const end = own.indexOf(0, from);
    runs.push(from, (end < 0 ? own.length : end) - from);
    from = end < 0 ? -1 : own.indexOf(1, end);
  }
  return runs.length ? { shape: shapeOf(image), runs } : null;
}

export function fill(bitmap, mark, image) {
  bitmap.fill(0);
  if (!mark || shapeOf(image).some((size, i) => size !== mark.shape[i])) return;
  const own = new Uint8Array(bitmap.length);
  for (let i = 0; i < mark.runs.length; i += 2) own.fill(1, mark.runs[i], mark.runs[i] + mark.runs[i + 1]);
  const place = placing(image);
  for (let i = 0; i < bitmap.length; i++) bitmap[i] = own[place(i)];
}

export function voxels(mark) {
  return (mark?.runs ?? []).reduce((sum, value, i) => sum + (i % 2 ? value : 0), 0);
}

export const sameMark = (one, other) => JSON.stringify(one?.runs ?? []) === JSON.stringify(other?.runs ?? []);
